/** Rows of a batch's results as CSV: a column for each bank, and what is wrong with a row in the last. */
import { csvLine as line } from "../../csv.ts";
import type { BatchRow } from "./batch_view.ts";

export function csvHeader(banks: readonly string[]): string {
  return line(["row", "status", ...banks, "problem"]);
}

/** A probability is an empty cell where its bank gave none. */
export function csvLine(row: BatchRow, banks: readonly string[]): string {
  return line([row.row, row.status, ...probabilities(row, banks), problemOf(row)]);
}

function probabilities(row: BatchRow, banks: readonly string[]): (number | string)[] {
  if (row.status === "scored") return banks.map((bank) => row.probabilities[bank] ?? "");
  if (row.status !== "decided") return banks.map(() => "");
  const found = new Map(row.decision.banks.map((bank) => [bank.bank, bank]));
  return banks.map((id) => {
    const bank = found.get(id);
    return bank?.status === "decided" ? bank.probability : "";
  });
}

function problemOf(row: BatchRow): string {
  switch (row.status) {
    case "scored":
      return Object.entries(row.failed ?? {}).map(([bank, cause]) => `${bank}: ${cause}`).join(
        "; ",
      );
    case "failed":
      return row.failure;
    case "refused":
      return row.errors.map(({ pointer = "", detail }) => `${pointer} ${detail}`.trim()).join("; ");
    case "decided":
      return row.decision.banks
        .flatMap((bank) => bank.status === "failed" ? [`${bank.bank}: ${bank.cause}`] : [])
        .join("; ");
  }
}
