-- The hot table is small: what a task carries and what it gave stand beside it. Times are integer milliseconds since the epoch.
CREATE TABLE tasks (
  id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
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
  error TEXT CHECK (state != 'dead' OR error IS NOT NULL)
) STRICT;

CREATE INDEX tasks_queued ON tasks (attempt > 0, run_at_ms) WHERE state = 'queued';
CREATE INDEX tasks_leased ON tasks (lease_until_ms) WHERE state = 'leased';

CREATE TABLE payloads (
  task_id TEXT NOT NULL PRIMARY KEY REFERENCES tasks (id),
  body TEXT NOT NULL CHECK (json_valid(body))
) STRICT, WITHOUT ROWID;

-- One row for each task that is done, never a second: the primary key says so.
CREATE TABLE results (
  task_id TEXT NOT NULL PRIMARY KEY REFERENCES tasks (id),
  body TEXT NOT NULL CHECK (json_valid(body)),
  fence INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
