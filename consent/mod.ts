/** To what people agreed for their applications, whose those are, and what of it is in force. */
export { ConsentRecorder } from "./recorder.ts";
export { consentCovers, termsStatements } from "./statements.ts";
export { agreementOf, ConsentStore } from "./store.ts";
export { type SubjectHash, subjectHash } from "./subject.ts";
export {
  type Agreement,
  type Consent,
  isInForce,
  PURPOSES,
  type RowTerms,
  type SentTerms,
  type Terms,
} from "./terms.ts";
