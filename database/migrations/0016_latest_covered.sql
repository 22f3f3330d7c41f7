-- What pages read of the latest decisions and of a trial stands in the index itself: each row beside it would be a page of its own,
-- for decisions come in another order than their tables have.
DROP INDEX outcomes_latest;
CREATE INDEX outcomes_latest ON outcomes (tenant, bank, decided_at_ms, permille, approved, segments);
DROP INDEX model_trial_scores_latest;
CREATE INDEX model_trial_scores_latest ON model_trial_scores (trial_id, at_ms, served, scores);
