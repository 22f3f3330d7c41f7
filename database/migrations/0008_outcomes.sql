-- What banks decided. Events are all that was told, in whatever order it came; outcomes hold the latest decision of a bank on an
-- application, with the probability that was given for it, in thousandths; counts add them up, so that no reader counts them all.
CREATE TABLE outcome_events (
  application_id TEXT NOT NULL,
  bank TEXT NOT NULL,
  decided_at_ms INTEGER NOT NULL,
  event TEXT NOT NULL CHECK (event IN ('sent', 'approved', 'refused', 'funded')),
  recorded_at_ms INTEGER NOT NULL,
  PRIMARY KEY (application_id, bank, decided_at_ms, event)
) STRICT, WITHOUT ROWID;

CREATE TABLE outcomes (
  application_id TEXT NOT NULL,
  bank TEXT NOT NULL,
  tenant TEXT NOT NULL,
  permille INTEGER NOT NULL CHECK (permille BETWEEN 0 AND 1000),
  approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
  decided_at_ms INTEGER NOT NULL,
  -- Of decisions at one time the later step counts: refused, approved, funded.
  step INTEGER NOT NULL,
  PRIMARY KEY (application_id, bank)
) STRICT, WITHOUT ROWID;

CREATE TABLE outcome_counts (
  tenant TEXT NOT NULL,
  bank TEXT NOT NULL,
  permille INTEGER NOT NULL,
  approved INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  PRIMARY KEY (tenant, bank, permille)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER outcomes_added AFTER INSERT ON outcomes BEGIN
  INSERT INTO outcome_counts (tenant, bank, permille, approved, refused)
  VALUES (new.tenant, new.bank, new.permille, new.approved, 1 - new.approved)
  ON CONFLICT DO UPDATE SET approved = approved + excluded.approved, refused = refused + excluded.refused; END;

CREATE TRIGGER outcomes_reversed AFTER UPDATE OF approved ON outcomes WHEN old.approved <> new.approved BEGIN
  UPDATE outcome_counts
  SET approved = approved + new.approved - old.approved, refused = refused + old.approved - new.approved
  WHERE tenant = old.tenant AND bank = old.bank AND permille = old.permille; END;

CREATE TRIGGER outcomes_removed AFTER DELETE ON outcomes BEGIN
  UPDATE outcome_counts SET approved = approved - old.approved, refused = refused - (1 - old.approved)
  WHERE tenant = old.tenant AND bank = old.bank AND permille = old.permille; END;
