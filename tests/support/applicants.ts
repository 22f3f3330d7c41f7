/** Random applications to the shipped questionnaire: of all kinds of people, with answers missing here and there. */
import type { Answer, Answers } from "../../scoring/answers.ts";
import { readConfig } from "./service.ts";
import { Random } from "../queue/simulation/random.ts";

const { questionnaire } = readConfig();
const MISSING_SHARE = 0.05;
/** When they all apply. */
export const APPLIED_AT_MS = Date.UTC(2026, 10, 25, 12);

const QUANTITIES: Readonly<Record<string, (random: Random) => number>> = {
  monthprofit: (random) => 1000 * (15 + random.below(300)),
  monthexpense: (random) => 500 * random.below(250),
  childcount: (random) => random.below(4),
  merch_code: (random) => 1 + random.below(85),
  // A tenth is between two steps of the products.
  loan_amount: (random) => 1000 * (5 + random.below(300)) + (random.chance(0.1) ? 500 : 0),
  loan_term: (random) => random.pick([3, 6, 10, 12, 15, 18, 24, 36]),
};
const POSITIONS = ["менеджер", "инженер", "продавец", "директор", "водитель", "блогер", "ип"];

export function randomApplicant(random: Random, missingShare = MISSING_SHARE): Answers {
  return Object.fromEntries(questionnaire.fields.map((field): [string, Answer] => {
    if (random.chance(missingShare)) return [field.id, null];
    const { meaning } = field;
    switch (meaning.kind) {
      case "category":
        return [field.id, random.pick(meaning.values).value];
      case "text":
        return [field.id, random.pick(POSITIONS)];
      case "date": {
        const years = meaning.unit === "years" ? 17 + random.next() * 65 : random.next() * 20;
        const ms = APPLIED_AT_MS - years * 365.25 * 86_400_000;
        return [field.id, new Date(ms).toISOString().slice(0, 10)];
      }
      case "quantity":
      case "code":
        return [field.id, QUANTITIES[field.id]?.(random) ?? 0];
    }
  }));
}
