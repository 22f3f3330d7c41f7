/** What became of applications, beside what was estimated; the schemas of what is shown stand in `views.ts`. */
export { Analytics } from "./analytics.ts";
export { bankLedger, type Counts, LEAST_OUTCOMES } from "./ledger.ts";
export {
  EVENTS,
  type GivenLoan,
  type Outcome,
  type OutcomeEvent,
  OutcomeStore,
} from "./outcomes.ts";
export { MOST_WEIGHT, Selection, type SelectionReport } from "./selection.ts";
export type { BandLedger, BankLedger } from "./views.ts";
