/**
 * Values as people write them, in Russian and English: money, durations, dates, the labels of categories.
 *
 * Known limit: a unit that is no currency, month or year is not printed; the sentence around the value names it.
 */
import type { Field } from "../configs/mod.ts";
import type { Answer } from "./answers.ts";
import { UNKNOWN } from "./features.ts";

export type Localized = { ru: string; en: string };

const LANGUAGES = ["ru", "en"] as const;
type Language = typeof LANGUAGES[number];

const LOCALES = { ru: "ru-RU", en: "en-US" } as const;
const DURATIONS: Readonly<Record<string, string>> = { months: "month", years: "year" };
const MONTHS_PER_YEAR = 12;
/** From two years on a number of months is easier to grasp in years. */
const IN_YEARS_FROM_MONTHS = 24;

/** One text in each language. */
function inEach(write: (language: Language) => string): Localized {
  return { ru: write("ru"), en: write("en") };
}

/** Fills `{name}` in a text. */
export function filled(
  text: Localized,
  values: Readonly<Record<string, Localized | string>>,
): Localized {
  return inEach((language) =>
    text[language].replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      return typeof value === "object" ? value[language] : value ?? placeholder;
    })
  );
}

const formats = new Map<string, Intl.NumberFormat>();

/** A number format is costly to make and cheap to use. */
function format(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language}${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.NumberFormat(LOCALES[language], options);
    formats.set(key, found);
  }
  return found;
}

/** An amount of money; the fraction is shown where there is one. `unit` is an ISO 4217 code or another word. */
export function money(amount: number, unit: string | undefined): Localized {
  const digits = Number.isInteger(amount) ? 0 : 2;
  const options: Intl.NumberFormatOptions = isCurrency(unit)
    ? { style: "currency", currency: unit, currencyDisplay: "narrowSymbol" }
    : {};
  return inEach((language) =>
    format(language, {
      ...options,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(amount)
  );
}

/** How a currency is written beside a number; nothing for a unit that is none. */
export function currencySign(unit: string): Localized {
  if (!isCurrency(unit)) return { ru: "", en: "" };
  return inEach((language) =>
    format(language, { style: "currency", currency: unit, currencyDisplay: "narrowSymbol" })
      .formatToParts(0).find(({ type }) => type === "currency")?.value ?? unit
  );
}

function isCurrency(unit: string | undefined): unit is string {
  return unit !== undefined && /^[A-Z]{3}$/.test(unit);
}

/** A whole number of months or years with its unit in the right form. */
export function duration(count: number, unit: "months" | "years"): Localized {
  return inEach((language) =>
    format(language, { style: "unit", unit: DURATIONS[unit], unitDisplay: "long" }).format(count)
  );
}

/** Months as people say them: 18 months, 9 years 2 months. */
function tenure(months: number): Localized {
  if (months < IN_YEARS_FROM_MONTHS) return duration(months, "months");
  const [years, rest] = [Math.floor(months / MONTHS_PER_YEAR), months % MONTHS_PER_YEAR];
  const whole = duration(years, "years");
  if (rest === 0) return whole;
  const part = duration(rest, "months");
  return inEach((language) => `${whole[language]} ${part[language]}`);
}

export function percent(share: number): Localized {
  return inEach((language) =>
    format(language, { style: "percent", maximumFractionDigits: 0 }).format(share)
  );
}

const dateFormats = new Map<Language, Intl.DateTimeFormat>();

/** As costly to make: a start that needs none makes none. */
function dateFormat(language: Language): Intl.DateTimeFormat {
  const found = dateFormats.get(language) ??
    new Intl.DateTimeFormat(LOCALES[language], { timeZone: "UTC", dateStyle: "long" });
  dateFormats.set(language, found);
  return found;
}

export function longDate(atMs: number): Localized {
  return inEach((language) => dateFormat(language).format(atMs));
}

/** A feature of a field as its answer is spoken of; for what no feature tells, the client's own words. */
export function answerText(
  { meaning }: Field,
  { feature, answer }: { feature: number; answer: Answer },
): Localized {
  const own = String(answer ?? "").trim();
  const words = { ru: own, en: own };
  switch (meaning.kind) {
    case "quantity":
      if (meaning.unit === "months" || meaning.unit === "years") {
        return duration(feature, meaning.unit);
      }
      return money(feature, meaning.unit);
    case "code":
      return words;
    case "date":
      return meaning.unit === "years"
        ? duration(Math.floor(feature), "years")
        : tenure(Math.floor(feature));
    case "category":
      return feature === UNKNOWN ? words : meaning.values[feature]?.label ?? words;
    case "text":
      return words;
  }
}
