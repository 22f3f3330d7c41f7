/** What pages show, as tables for a spreadsheet, in the page's language. */
import type { FoundCohorts } from "../analytics/mod.ts";
import type { Campaign } from "../campaigns/mod.ts";
import { csvLine } from "../csv.ts";
import type { Say } from "./page.tsx";
import { WORDS } from "./words.ts";

/** The cohorts that were found, and the cells of the split that was asked for. */
export function cohortsTable({ lower, higher, split }: FoundCohorts, say: Say): string {
  const header = [
    ...[WORDS.cohorts, WORDS.cohort, WORDS.clients, WORDS.itsShare, WORDS.othersShare],
    ...[WORDS.expectedShare, WORDS.decisions, WORDS.cameTrue, WORDS.upliftByOffers],
  ];
  const lists = [
    [WORDS.approvedLess, lower],
    [WORDS.approvedMore, higher],
    ...split ? [[split.title, split.cells] as const] : [],
  ] as const;
  return csvLine(header.map((text) => say(text))) +
    lists.flatMap(([title, cohorts]) =>
      cohorts.map(({ conditions, clients, value, others, expected, decided, rate, uplift }) =>
        csvLine([
          say(title),
          conditions.map(({ text }) => say(text)).join("; "),
          ...[clients, rounded(value), rounded(others), rounded(expected)],
          ...[decided ?? null, rate ? rounded(rate.value) : null, rounded(uplift)],
        ])
      )
    ).join("");
}

export function campaignTable({ clients }: Campaign, say: Say): string {
  const header = [
    ...[WORDS.application, WORDS.appliedOn, WORDS.whyCalled, WORDS.bank, WORDS.amountOffered],
    ...[WORDS.monthsOffered, WORDS.chance],
  ];
  return csvLine(header.map((text) => say(text))) +
    clients.map(({ application, appliedOn, why, title, amount, term, probability }) =>
      csvLine([
        ...[application, appliedOn, say(why === "refused" ? WORDS.wasRefused : WORDS.hasLapsed)],
        ...[say(title), amount, term, rounded(probability)],
      ])
    ).join("");
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
