/**
 * The form in which categories and texts are compared: harmless variants of a value (case, spaces, the escaped slash of a
 * doubly encoded JSON, ё for е, kinds of dashes) become the same text.
 */
export function normalise(text: string): string {
  return text.normalize("NFKC").toLowerCase()
    .replaceAll("\\/", "/")
    .replaceAll("ё", "е")
    .replaceAll(/[\u2010-\u2015\u2212]/g, "-")
    .replaceAll(/\s*([-/])\s*/g, "$1")
    .replaceAll(/\s+/g, " ")
    .trim();
}
