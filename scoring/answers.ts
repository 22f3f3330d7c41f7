/**
 * An application's answers, as the rest of the domain reads them: one value per field of the questionnaire, `null` where the
 * client gave none. Integers past 2^53 are bigint, so that the task id stays exact; features read them as numbers.
 */
export type Answer = string | number | bigint | null;

/** Answers by field id. A field that is absent is missing, as `null` is. */
export type Answers = Readonly<Record<string, Answer>>;
