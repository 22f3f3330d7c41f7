/** A line of CSV (RFC 4180). A text that a spreadsheet would take for a formula is made one by an apostrophe before it. */
export function csvLine(
  cells: readonly (string | number | bigint | boolean | null)[],
  separator = ",",
): string {
  return `${cells.map((value) => cell(value, separator)).join(separator)}\r\n`;
}

function cell(value: string | number | bigint | boolean | null, separator: string): string {
  if (typeof value !== "string") return value === null ? "" : String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return text.includes(separator) || /["\r\n]/.test(text)
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}
