-- The loan that a bank really gave, where that was told: of an event as it was told, of an outcome that of its latest event before
-- or with the decision that counts, and none of a refusal.
ALTER TABLE outcome_events ADD COLUMN amount REAL CHECK (amount > 0);
ALTER TABLE outcome_events ADD COLUMN term_months INTEGER CHECK (term_months > 0);
ALTER TABLE outcomes ADD COLUMN amount REAL CHECK (amount > 0);
ALTER TABLE outcomes ADD COLUMN term_months INTEGER CHECK (term_months > 0);
