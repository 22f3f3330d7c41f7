/** Rows of a batch's results as CSV (RFC 4180): a column for each bank, and what is wrong with a row in the last. */
import type { BatchRow } from "./batch_view.ts";

const LINE_END = "\r\n";

export function csvHeader(banks: readonly string[]): string {
  return ["row", "status", ...banks, "problem"].map(cell).join(",") + LINE_END;
}

/** A probability is an empty cell where its bank gave none. */
export function csvLine(row: BatchRow, banks: readonly string[]): string {
  const cells = [row.row, row.status, ...probabilities(row, banks), problemOf(row)];
  return cells.map(cell).join(",") + LINE_END;
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

function cell(value: number | string): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
