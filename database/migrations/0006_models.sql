-- Which versions of the models there are, which of them answers, and how a challenger scores beside it.
CREATE TABLE model_versions (
  -- The name of its folder.
  version TEXT NOT NULL PRIMARY KEY,
  -- Over all its files, and each file's own by its name: what is activated later must be what was registered.
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  files TEXT NOT NULL CHECK (json_valid(files)),
  registered_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row, or none as long as the configuration alone says what is served.
CREATE TABLE model_serving (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  -- Grows with every change: a process that knows a lower one looks at the rest.
  serial INTEGER NOT NULL,
  active TEXT NOT NULL REFERENCES model_versions (version),
  -- What a rollback activates.
  previous TEXT REFERENCES model_versions (version),
  challenger TEXT REFERENCES model_versions (version) CHECK (challenger != active),
  -- Thousandths of the applications that the challenger answers.
  permille INTEGER NOT NULL DEFAULT 0 CHECK (permille BETWEEN 0 AND 1000),
  -- Decides, with an application's id, who answers it.
  salt TEXT NOT NULL DEFAULT ''
) STRICT;

-- A challenger that scores, or scored, beside a champion.
CREATE TABLE model_trials (
  id INTEGER NOT NULL PRIMARY KEY,
  champion TEXT NOT NULL,
  challenger TEXT NOT NULL,
  -- JSON array of bank ids: the order of the scores.
  banks TEXT NOT NULL CHECK (json_valid(banks)),
  started_at_ms INTEGER NOT NULL,
  scored INTEGER NOT NULL DEFAULT 0,
  dropped INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  UNIQUE (champion, challenger, banks)
) STRICT;

CREATE TABLE model_trial_scores (
  application_id TEXT NOT NULL,
  trial_id INTEGER NOT NULL REFERENCES model_trials (id),
  at_ms INTEGER NOT NULL,
  -- Who answered: 0 the champion, 1 the challenger.
  served INTEGER NOT NULL CHECK (served IN (0, 1)),
  -- Float32, little-endian, NaN where there is none: the champion's of each bank, then the challenger's.
  scores BLOB NOT NULL,
  PRIMARY KEY (application_id, trial_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX model_trial_scores_latest ON model_trial_scores (trial_id, at_ms);

-- What is known of a client goes with his application.
CREATE TRIGGER trial_scores_removed AFTER DELETE ON tasks BEGIN
  DELETE FROM model_trial_scores WHERE application_id = old.id; END;
