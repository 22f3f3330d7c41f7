/** What a bank can be told to have done with an application, and which of it decides. */

export const EVENTS = ["sent", "approved", "refused", "funded"] as const;
export type OutcomeEvent = typeof EVENTS[number];

/** Of decisions at one time the later step counts; `sent` decides nothing, and every step but the first is an approval. */
export const STEPS: Readonly<Partial<Record<OutcomeEvent, number>>> = {
  refused: 0,
  approved: 1,
  funded: 2,
};
