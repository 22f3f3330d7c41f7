/** What became of applications, beside what was estimated; the schemas of what is shown stand in `views.ts`. */
export { Analytics, type ClientAnalytics } from "./analytics.ts";
export { type Condition, findCohorts, type FoundCohort, type Population } from "./cohort_search.ts";
export {
  type DayRow,
  type Estimate,
  estimateOf,
  type Fact,
  type LossRow,
  Sums,
  type Told,
  toldBy,
} from "./fact.ts";
export { FactStore, READ_STATEMENTS } from "./facts.ts";
export type { FoundCohorts, Overview } from "./views.ts";
export { bankLedger, type Counts, LEAST_OUTCOMES } from "./ledger.ts";
export { COHORT_MEASURES, type CohortMeasure, Cohorts, cohortsOf } from "./cohorts.ts";
export { EVENTS, type OutcomeEvent, STEPS } from "./events.ts";
export { type GivenLoan, type Outcome, OutcomeStore } from "./outcomes.ts";
export { Projector } from "./projector.ts";
export { binsReader, type Cohort, cohortTest, type Split, splitsOf } from "./segments.ts";
export { MOST_WEIGHT, Selection, type SelectionReport } from "./selection.ts";
export type { BandLedger, BankChanges, BankLedger, DowngradedBand } from "./views.ts";
