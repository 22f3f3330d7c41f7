-- Who comes first: interactive tasks before batches, and among tasks of one priority each tenant in its turn.
ALTER TABLE tasks ADD COLUMN tenant TEXT NOT NULL DEFAULT '' CHECK (length(tenant) <= 64);
-- 0: interactive, 1: batch.
ALTER TABLE tasks ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority IN (0, 1));
-- The start tag of start-time fair queueing: its tenant's tasks in this priority are numbered on from where the queue is now.
ALTER TABLE tasks ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;

DROP INDEX tasks_queued;
CREATE INDEX tasks_fresh ON tasks (priority, turn) WHERE state = 'queued' AND attempt = 0;
CREATE INDEX tasks_retry ON tasks (priority, run_at_ms) WHERE state = 'queued' AND attempt > 0;

-- What the triggers below know of each tenant: kept by the statement that changes a task, so it is right for every process.
CREATE TABLE tenants (
  priority INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  -- Tasks that are queued or leased.
  waiting INTEGER NOT NULL CHECK (waiting >= 0),
  -- The turn of the next task: one more than any that was given.
  turn INTEGER NOT NULL,
  PRIMARY KEY (priority, tenant)
) STRICT, WITHOUT ROWID;

INSERT INTO tenants (priority, tenant, waiting, turn)
SELECT priority, tenant, count(*), 1 FROM tasks WHERE state IN ('queued', 'leased') GROUP BY priority, tenant;

CREATE TRIGGER tasks_added AFTER INSERT ON tasks BEGIN
  INSERT INTO tenants (priority, tenant, waiting, turn) VALUES (new.priority, new.tenant, 1, new.turn + 1)
  ON CONFLICT DO UPDATE SET waiting = waiting + 1, turn = max(turn, excluded.turn); END;

CREATE TRIGGER tasks_started_again AFTER UPDATE OF state ON tasks
WHEN old.state IN ('done', 'dead') AND new.state IN ('queued', 'leased') BEGIN
  INSERT INTO tenants (priority, tenant, waiting, turn) VALUES (new.priority, new.tenant, 1, new.turn + 1)
  ON CONFLICT DO UPDATE SET waiting = waiting + 1, turn = max(turn, excluded.turn); END;

CREATE TRIGGER tasks_ended AFTER UPDATE OF state ON tasks
WHEN old.state IN ('queued', 'leased') AND new.state IN ('done', 'dead') BEGIN
  UPDATE tenants SET waiting = waiting - 1 WHERE priority = new.priority AND tenant = new.tenant; END;

CREATE TRIGGER tasks_removed AFTER DELETE ON tasks WHEN old.state IN ('queued', 'leased') BEGIN
  UPDATE tenants SET waiting = waiting - 1 WHERE priority = old.priority AND tenant = old.tenant; END;
