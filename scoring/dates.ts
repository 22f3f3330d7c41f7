/**
 * Dates as applications write them. Three forms are read: the reference's `1988-07-21 00:00:00.0000000`, ISO 8601
 * (`1988-07-21`, `1988-07-21T10:00:00+03:00`) and the Russian `21.07.1988`. Without an offset a time is taken as UTC.
 */

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}:?\d{2})?)?$/i;
const RUSSIAN = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/;

/** Milliseconds since the epoch, or `undefined` where the text is no date of the calendar. */
export function parseDateMs(text: string): number | undefined {
  const trimmed = text.trim();
  const russian = RUSSIAN.exec(trimmed);
  if (russian) {
    const [, day, month, year] = russian;
    return utcMs([Number(year), Number(month), Number(day), 0, 0, 0], 0);
  }
  const iso = ISO.exec(trimmed);
  if (!iso) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = iso.slice(1, 7)
    .map((part) => Number(part ?? 0));
  const offset = offsetMinutes(iso[8]);
  if (offset === undefined) return undefined;
  const fractionMs = iso[7] === undefined ? 0 : Number(`0.${iso[7]}`) * 1000;
  const ms = utcMs([year, month, day, hour, minute, second], fractionMs);
  return ms === undefined ? undefined : ms - offset * 60_000;
}

type Parts = readonly [
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
];

/** `undefined` where a part is outside the calendar, such as 30 February or 25 o'clock. */
function utcMs(parts: Parts, fractionMs: number): number | undefined {
  const [year, month, day, hour, minute, second] = parts;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const same = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day && date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute && date.getUTCSeconds() === second;
  return same ? date.getTime() + Math.floor(fractionMs) : undefined;
}

function offsetMinutes(text: string | undefined): number | undefined {
  if (text === undefined || text.toUpperCase() === "Z") return 0;
  const sign = text.startsWith("-") ? -1 : 1;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(-2));
  return hours <= 14 && minutes < 60 ? sign * (hours * 60 + minutes) : undefined;
}

/** The day of a time, in UTC. */
export function isoDay(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
