-- To what people have agreed, a row for each purpose. An application without rows came without a word about it.
CREATE TABLE consents (
  -- The task's.
  number INTEGER NOT NULL,
  -- Of a batch: the row in it, from 1; else 0.
  row INTEGER NOT NULL CHECK (row >= 0),
  purpose TEXT NOT NULL,
  -- What was agreed to, and in which version.
  document TEXT NOT NULL,
  given_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  withdrawn_at_ms INTEGER,
  -- Who sent it, until the audit log says so.
  unrecorded_actor TEXT,
  PRIMARY KEY (number, row, purpose)
) STRICT, WITHOUT ROWID;

CREATE INDEX consents_unrecorded ON consents (number) WHERE unrecorded_actor IS NOT NULL;

-- Whose applications are whose: a keyed hash of what the client's system calls the person, never that itself.
CREATE TABLE application_subjects (
  number INTEGER NOT NULL,
  row INTEGER NOT NULL CHECK (row >= 0),
  subject TEXT NOT NULL CHECK (length(subject) = 64),
  PRIMARY KEY (number, row)
) STRICT, WITHOUT ROWID;

CREATE INDEX application_subjects_found ON application_subjects (subject);

CREATE TRIGGER terms_removed AFTER DELETE ON tasks BEGIN
  DELETE FROM consents WHERE number = old.number; DELETE FROM application_subjects WHERE number = old.number; END;
