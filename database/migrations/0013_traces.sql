-- Which request a task came with, where requests are traced: so that another process goes on with the trace.
CREATE TABLE task_traces (
  task_id TEXT NOT NULL PRIMARY KEY,
  -- https://www.w3.org/TR/trace-context/, without anything of the request.
  traceparent TEXT NOT NULL CHECK (length(traceparent) = 55)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER traces_removed AFTER DELETE ON tasks BEGIN
  DELETE FROM task_traces WHERE task_id = old.id; END;
