-- A task's payload and result are kept under its number, in the order in which tasks come: under its id, which is a hash, each was
-- written to a page of its own. VACUUM keeps numbers that a column names.
DROP TRIGGER chunks_added;

CREATE TABLE numbered_tasks (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'leased', 'done', 'dead')),
  -- What the result depends on besides the payload: the models and the banks.
  revision TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  -- Grows with every claim: a claimer whose number is no longer the task's own has lost it.
  fence INTEGER NOT NULL DEFAULT 0 CHECK (fence >= attempt),
  run_at_ms INTEGER NOT NULL,
  lease_until_ms INTEGER CHECK ((state = 'leased') = (lease_until_ms IS NOT NULL)),
  created_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER CHECK ((state IN ('done', 'dead')) = (finished_at_ms IS NOT NULL)),
  -- Why the last attempt failed.
  error TEXT CHECK (state != 'dead' OR error IS NOT NULL),
  tenant TEXT NOT NULL DEFAULT '' CHECK (length(tenant) <= 64),
  -- 0: interactive, 1: batch.
  priority INTEGER NOT NULL DEFAULT 0 CHECK (priority IN (0, 1)),
  -- The start tag of start-time fair queueing: its tenant's tasks in this priority are numbered on from where the queue is now.
  turn INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO numbered_tasks (id, state, revision, attempt, fence, run_at_ms, lease_until_ms, created_at_ms,
  finished_at_ms, error, tenant, priority, turn)
SELECT id, state, revision, attempt, fence, run_at_ms, lease_until_ms, created_at_ms,
  finished_at_ms, error, tenant, priority, turn
FROM tasks ORDER BY rowid;

CREATE TABLE numbered_payloads (
  number INTEGER PRIMARY KEY REFERENCES numbered_tasks (number),
  body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

INSERT INTO numbered_payloads (number, body)
SELECT number, body FROM numbered_tasks JOIN payloads ON task_id = id ORDER BY number;

-- One row for each task that is done, never a second: the primary key says so.
CREATE TABLE numbered_results (
  number INTEGER PRIMARY KEY REFERENCES numbered_tasks (number),
  body TEXT NOT NULL CHECK (json_valid(body)),
  fence INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

INSERT INTO numbered_results (number, body, fence, created_at_ms)
SELECT number, body, results.fence, results.created_at_ms
FROM numbered_tasks JOIN results ON task_id = id ORDER BY number;

DROP TABLE results;
DROP TABLE payloads;
DROP TABLE tasks;
ALTER TABLE numbered_tasks RENAME TO tasks;
ALTER TABLE numbered_payloads RENAME TO payloads;
ALTER TABLE numbered_results RENAME TO results;

CREATE INDEX tasks_fresh ON tasks (priority, turn) WHERE state = 'queued' AND attempt = 0;
CREATE INDEX tasks_retry ON tasks (priority, run_at_ms) WHERE state = 'queued' AND attempt > 0;
CREATE INDEX tasks_leased ON tasks (lease_until_ms) WHERE state = 'leased';

-- A tenant has a row while it has a task that is queued or leased: whoever has none is nowhere in the turns.
DELETE FROM tenants WHERE waiting = 0;

CREATE TRIGGER tenants_idle AFTER UPDATE OF waiting ON tenants WHEN new.waiting = 0 BEGIN
  DELETE FROM tenants WHERE priority = new.priority AND tenant = new.tenant; END;

CREATE TRIGGER tasks_added AFTER INSERT ON tasks BEGIN
  INSERT INTO tenants (priority, tenant, waiting, turn) VALUES (new.priority, new.tenant, 1, new.turn + 1)
  ON CONFLICT DO UPDATE SET waiting = waiting + 1, turn = max(turn, excluded.turn); END;

-- It has no result until it ends.
CREATE TRIGGER tasks_started_again AFTER UPDATE OF state ON tasks
WHEN old.state IN ('done', 'dead') AND new.state IN ('queued', 'leased') BEGIN
  DELETE FROM results WHERE number = new.number; INSERT INTO tenants (priority, tenant, waiting, turn)
  VALUES (new.priority, new.tenant, 1, new.turn + 1)
  ON CONFLICT DO UPDATE SET waiting = waiting + 1, turn = max(turn, excluded.turn); END;

CREATE TRIGGER tasks_ended AFTER UPDATE OF state ON tasks
WHEN old.state IN ('queued', 'leased') AND new.state IN ('done', 'dead') BEGIN
  UPDATE tenants SET waiting = waiting - 1 WHERE priority = new.priority AND tenant = new.tenant; END;

CREATE TRIGGER tasks_removed AFTER DELETE ON tasks WHEN old.state IN ('queued', 'leased') BEGIN
  UPDATE tenants SET waiting = waiting - 1 WHERE priority = old.priority AND tenant = old.tenant; END;

-- As migration 3 has them.
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

CREATE TRIGGER chunks_removed AFTER DELETE ON tasks WHEN old.id GLOB 'chk_*' BEGIN
  DELETE FROM batch_chunks WHERE task_id = old.id; END;

CREATE TRIGGER applications_told AFTER UPDATE OF state ON tasks
WHEN new.id GLOB 'app_*' AND old.state IN ('queued', 'leased') AND new.state IN ('done', 'dead') BEGIN
  INSERT INTO webhook_deliveries (event_id, endpoint_id, type, subject, occurred_at_ms, run_at_ms)
  SELECT 'evt_' || new.id || '_' || new.fence, id,
    iif(new.state = 'done', 'application.decided', 'application.failed'), new.id, new.finished_at_ms, new.finished_at_ms
  FROM webhook_endpoints WHERE true ON CONFLICT DO NOTHING; END;
