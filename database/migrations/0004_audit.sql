-- Who did what, in an order that nobody can change unnoticed: each entry holds the hash of the one before it. The triggers are
-- against accidents, the hashes against those who can drop triggers.
CREATE TABLE audit (
  -- From 1, without gaps.
  sequence INTEGER NOT NULL PRIMARY KEY CHECK (sequence >= 1),
  -- Random: no two entries are alike, and whoever lost the answer to a commit can tell that it was his.
  id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- Canonical JSON, without a client's answers.
  details TEXT NOT NULL CHECK (json_valid(details)),
  previous_hash TEXT NOT NULL CHECK (length(previous_hash) = 64),
  hash TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

-- What was done to one thing, the latest first.
CREATE INDEX audit_subject ON audit (subject, sequence);

-- Compare and append: whoever read an older head is refused with all of his transaction, and reads again.
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
WHEN new.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM audit)
  OR new.previous_hash IS NOT coalesce(
    (SELECT hash FROM audit ORDER BY sequence DESC LIMIT 1), printf('%064d', 0)) BEGIN
  SELECT raise(ABORT, 'the audit log has moved on'); END;

CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN
  SELECT raise(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN
  SELECT raise(ABORT, 'the audit log is append-only'); END;
