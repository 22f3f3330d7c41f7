-- Of whom a bank decided: one character for each split of the questionnaire, the application's bin in it, by analytics/segments.ts.
-- Empty where the decision was told before this was kept. The index reads a bank's latest decisions.
ALTER TABLE outcomes ADD COLUMN segments TEXT NOT NULL DEFAULT '';
CREATE INDEX outcomes_latest ON outcomes (tenant, bank, decided_at_ms);
