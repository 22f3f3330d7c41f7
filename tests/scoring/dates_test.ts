import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDateMs } from "../../scoring/dates.ts";

const DAY_MS = 86_400_000;
const dates = fc.date({
  min: new Date("0000-01-01T00:00:00Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});

Deno.test("parseDateMs reads every moment in each of its forms", () => {
  fc.assert(fc.property(dates, (date) => {
    const text = date.toISOString();
    const [day = "", time = ""] = text.split("T");
    const ms = date.getTime();
    const midnightMs = Math.floor(ms / DAY_MS) * DAY_MS;
    assert.equal(parseDateMs(text), ms);
    assert.equal(parseDateMs(`${day} ${time.slice(0, -1)}0000`), ms);
    assert.equal(parseDateMs(` ${day}\n`), midnightMs);
    assert.equal(parseDateMs(day.split("-").toReversed().join(".")), midnightMs);
  }));
});

Deno.test("parseDateMs counts an offset from UTC", () => {
  const offsets = fc.integer({ min: -14 * 60 + 1, max: 14 * 60 - 1 });
  fc.assert(fc.property(dates, offsets, (date, minutes) => {
    const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
      .map((part) => String(part).padStart(2, "0"));
    const text = date.toISOString().replace("Z", `${minutes < 0 ? "-" : "+"}${hours}:${rest}`);
    assert.equal(parseDateMs(text), date.getTime() - minutes * 60_000);
  }));
});

Deno.test("parseDateMs gives a whole number of milliseconds, or nothing, for any text", () => {
  const pieces = fc.constantFrom(..."0123456789-.:,TZ+ ".split(""), "31", "02", "2000", "24", "60");
  const texts = fc.array(pieces, { maxLength: 30 }).map((list) => list.join(""));
  fc.assert(fc.property(fc.oneof(texts, fc.string({ unit: "binary" })), (text) => {
    const ms = parseDateMs(text);
    assert.ok(ms === undefined || Number.isInteger(ms), `${text}: ${ms}`);
  }));
});

Deno.test("parseDateMs refuses a day that its month does not have", () => {
  const days = fc.record({
    year: fc.integer({ min: 1, max: 9999 }),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 29, max: 99 }),
  });
  fc.assert(fc.property(days, ({ year, month, day }) => {
    const last = new Date(0);
    last.setUTCFullYear(year, month, 0);
    const text = [
      String(year).padStart(4, "0"),
      ...[month, day].map((part) => String(part).padStart(2, "0")),
    ].join("-");
    assert.equal(parseDateMs(text) !== undefined, day <= last.getUTCDate(), text);
  }));
});
