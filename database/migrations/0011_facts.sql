-- What applications came to, so that no page counts them all: a fact for each that ended, the sums of facts by day, and how far the
-- projector has come. It is filled behind the queue's back: an upload or a completion writes nothing here.
CREATE TABLE facts (
  -- The task's.
  number INTEGER NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  -- When it was made, in days since the epoch, UTC.
  day INTEGER NOT NULL,
  -- What was estimated, and what banks are known to have said, as it stands in the sums. No answer of a client.
  estimate TEXT NOT NULL CHECK (json_valid(estimate)),
  told TEXT NOT NULL CHECK (json_valid(told))
) STRICT;

CREATE TABLE fact_days (
  tenant TEXT NOT NULL,
  day INTEGER NOT NULL,
  -- Empty: of applications, whatever the bank.
  bank TEXT NOT NULL,
  applied INTEGER NOT NULL,
  scored INTEGER NOT NULL,
  recommended INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  decided INTEGER NOT NULL,
  approved INTEGER NOT NULL,
  funded INTEGER NOT NULL,
  -- Sum of the estimates of what was decided, in thousandths.
  expected_permille INTEGER NOT NULL,
  PRIMARY KEY (tenant, day, bank)
) STRICT, WITHOUT ROWID;

-- Clients that are lost, by why, and by what would have brought them over the target.
CREATE TABLE fact_losses (
  tenant TEXT NOT NULL,
  day INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('cause', 'lever')),
  code TEXT NOT NULL,
  clients INTEGER NOT NULL,
  -- Sum of the chances that the lever gives, in thousandths.
  permille INTEGER NOT NULL,
  PRIMARY KEY (tenant, day, kind, code)
) STRICT, WITHOUT ROWID;

-- Applications of which something was told that is not in the sums yet; the version grows with each telling.
CREATE TABLE fact_changes (
  number INTEGER NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE fact_progress (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  -- The last task whose fact is there.
  number INTEGER NOT NULL,
  -- Grows with every step: who read before it must read again.
  serial INTEGER NOT NULL
) STRICT;

INSERT INTO fact_progress (one, number, serial) VALUES (1, 0, 0);

INSERT INTO fact_changes (number, version)
SELECT DISTINCT tasks.number, 1 FROM outcome_events JOIN tasks ON tasks.id = application_id;

CREATE TRIGGER facts_told AFTER INSERT ON outcome_events BEGIN
  INSERT INTO fact_changes (number, version) SELECT number, 1 FROM tasks WHERE id = new.application_id
  ON CONFLICT DO UPDATE SET version = version + 1; END;

-- The sums keep what was counted. The last number is given again to the next task.
CREATE TRIGGER facts_removed AFTER DELETE ON tasks BEGIN
  DELETE FROM facts WHERE number = old.number; DELETE FROM fact_changes WHERE number = old.number; UPDATE fact_progress
  SET serial = serial + 1, number = min(number, coalesce((SELECT max(number) FROM tasks), 0)); END;
