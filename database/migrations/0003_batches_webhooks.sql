-- Batches of applications, cut into chunks that are a task each, and what is to be told to others when something has ended. Triggers
-- keep the counts and write the deliveries in the transaction that ends a task, whoever ends it, so neither can be forgotten.
CREATE TABLE batches (
  id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
  -- What a row gets.
  detail TEXT NOT NULL CHECK (detail IN ('probabilities', 'decisions')),
  created_at_ms INTEGER NOT NULL,
  -- When the whole of it was there; until then the upload goes on, or broke off.
  received_at_ms INTEGER,
  finished_at_ms INTEGER,
  -- Why the upload broke off, where that is known.
  broken TEXT,
  -- Chunks that are stored, and those of them that have not ended.
  chunks INTEGER NOT NULL DEFAULT 0,
  open_chunks INTEGER NOT NULL DEFAULT 0 CHECK (open_chunks BETWEEN 0 AND chunks),
  -- Rows in these chunks, those of them that are no application, and those whose chunk has ended.
  rows INTEGER NOT NULL DEFAULT 0,
  refused_rows INTEGER NOT NULL DEFAULT 0,
  ended_rows INTEGER NOT NULL DEFAULT 0,
  changed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE batch_chunks (
  batch_id TEXT NOT NULL REFERENCES batches (id),
  -- From 0, without gaps.
  position INTEGER NOT NULL,
  task_id TEXT NOT NULL UNIQUE,
  -- The number of its first row, from 1.
  first_row INTEGER NOT NULL,
  rows INTEGER NOT NULL CHECK (rows >= 1),
  refused_rows INTEGER NOT NULL CHECK (refused_rows BETWEEN 0 AND rows),
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (batch_id, position)
) STRICT, WITHOUT ROWID;

-- The addresses that are configured now, by their ids.
CREATE TABLE webhook_endpoints (
  id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What each of them is still to be told; a delivery that was taken is removed.
CREATE TABLE webhook_deliveries (
  event_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('application.decided', 'application.failed', 'batch.finished')),
  -- The application's or the batch's id.
  subject TEXT NOT NULL,
  occurred_at_ms INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  -- When it may be tried, or tried again where its sender never came back; null where it was given up.
  run_at_ms INTEGER,
  error TEXT CHECK (run_at_ms IS NOT NULL OR error IS NOT NULL),
  PRIMARY KEY (event_id, endpoint_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (run_at_ms) WHERE run_at_ms IS NOT NULL;

-- Its task may have ended before it was added.
CREATE TRIGGER chunks_added AFTER INSERT ON batch_chunks BEGIN
  UPDATE batches SET chunks = chunks + 1, open_chunks = open_chunks + (tasks.state IN ('queued', 'leased')),
    rows = rows + new.rows, refused_rows = refused_rows + new.refused_rows,
    ended_rows = ended_rows + iif(tasks.state IN ('done', 'dead'), new.rows, 0),
    changed_at_ms = new.created_at_ms, broken = NULL
  FROM tasks WHERE tasks.id = new.task_id AND batches.id = new.batch_id; END;

CREATE TRIGGER chunks_ended AFTER UPDATE OF state ON tasks
WHEN new.id GLOB 'chk_*' AND old.state IN ('queued', 'leased') AND new.state IN ('done', 'dead') BEGIN
  UPDATE batches SET open_chunks = open_chunks - 1, ended_rows = ended_rows + chunk.rows,
    changed_at_ms = new.finished_at_ms
  FROM batch_chunks AS chunk WHERE chunk.task_id = new.id AND batches.id = chunk.batch_id; END;

CREATE TRIGGER chunks_started_again AFTER UPDATE OF state ON tasks
WHEN new.id GLOB 'chk_*' AND old.state IN ('done', 'dead') AND new.state IN ('queued', 'leased') BEGIN
  UPDATE batches SET open_chunks = open_chunks + 1, ended_rows = ended_rows - chunk.rows, finished_at_ms = NULL
  FROM batch_chunks AS chunk WHERE chunk.task_id = new.id AND batches.id = chunk.batch_id; END;

-- A batch goes with the last of its tasks, but not while its upload goes on.
CREATE TRIGGER chunks_removed AFTER DELETE ON tasks WHEN old.id GLOB 'chk_*' BEGIN
  DELETE FROM batch_chunks WHERE task_id = old.id; END;

CREATE TRIGGER batches_removed AFTER DELETE ON batch_chunks BEGIN
  DELETE FROM batches WHERE id = old.batch_id AND open_chunks = 0
    AND (received_at_ms IS NOT NULL OR broken IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM batch_chunks WHERE batch_id = old.batch_id); END;

CREATE TRIGGER batches_finished AFTER UPDATE OF open_chunks, received_at_ms ON batches
WHEN new.open_chunks = 0 AND new.received_at_ms IS NOT NULL AND new.finished_at_ms IS NULL BEGIN
  UPDATE batches SET finished_at_ms = new.changed_at_ms WHERE id = new.id; END;

CREATE TRIGGER batches_told AFTER UPDATE OF finished_at_ms ON batches
WHEN new.finished_at_ms IS NOT NULL AND old.finished_at_ms IS NULL BEGIN
  INSERT INTO webhook_deliveries (event_id, endpoint_id, type, subject, occurred_at_ms, run_at_ms)
  SELECT 'evt_' || new.id || '_' || new.finished_at_ms, id, 'batch.finished', new.id, new.finished_at_ms, new.finished_at_ms
  FROM webhook_endpoints WHERE true ON CONFLICT DO NOTHING; END;

CREATE TRIGGER applications_told AFTER UPDATE OF state ON tasks
WHEN new.id GLOB 'app_*' AND old.state IN ('queued', 'leased') AND new.state IN ('done', 'dead') BEGIN
  INSERT INTO webhook_deliveries (event_id, endpoint_id, type, subject, occurred_at_ms, run_at_ms)
  SELECT 'evt_' || new.id || '_' || new.fence, id,
    iif(new.state = 'done', 'application.decided', 'application.failed'), new.id, new.finished_at_ms, new.finished_at_ms
  FROM webhook_endpoints WHERE true ON CONFLICT DO NOTHING; END;
