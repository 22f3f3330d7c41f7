/** What became of applications, beside what was estimated; the schemas of what is shown stand in `views.ts`. */
export { Analytics, type ClientAnalytics, type Cohort } from "./analytics.ts";
export { bankLedger, type Counts, LEAST_OUTCOMES } from "./ledger.ts";
export {
  EVENTS,
  type GivenLoan,
  type Outcome,
  type OutcomeEvent,
  OutcomeStore,
} from "./outcomes.ts";
export { binsReader, type Split, splitsOf } from "./segments.ts";
export { MOST_WEIGHT, Selection, type SelectionReport } from "./selection.ts";
export type { BandLedger, BankChanges, BankLedger, DowngradedBand } from "./views.ts";
