/** What became of applications, beside what was estimated of them. */
export { Analytics } from "./analytics.ts";
export {
  type BandLedger,
  type BankLedger,
  bankLedger,
  bankLedgerSchema,
  type Counts,
  LEAST_OUTCOMES,
  wilson,
} from "./ledger.ts";
export { EVENTS, type Outcome, type OutcomeEvent, OutcomeStore } from "./outcomes.ts";
