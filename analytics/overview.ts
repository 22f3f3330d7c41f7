/** Where applications are won and lost, from the sums of facts. Pure. */
import type { Banks, Policy, Questionnaire } from "../configs/mod.ts";
import { wilson } from "../lifecycle/mod.ts";
import { DAY_MS } from "../scoring/features.ts";
import { isoDay } from "../scoring/dates.ts";
import type { Localized } from "../scoring/words.ts";
import type { DayRow, LossRow } from "./fact.ts";
import type { DayRange } from "./facts.ts";
import type { Overview } from "./views.ts";

export interface OverviewOptions {
  readonly banks: Banks;
  readonly policy: Policy;
  readonly questionnaire: Questionnaire;
}

const CAUSES: Readonly<Record<string, Localized>> = {
  refused: { ru: "Отказали банки", en: "Refused by the banks" },
  not_scored: { ru: "Заявку не удалось оценить", en: "The application could not be scored" },
  low_chances: { ru: "Низкие шансы во всех банках", en: "Low chances at every bank" },
  outside_products: { ru: "Ни один банк не даёт такой кредит", en: "No bank gives such a loan" },
  no_estimate: { ru: "Оценки нет", en: "No estimate" },
};

const OFFERS: Readonly<Record<string, Localized>> = {
  as_asked: { ru: "Другой банк, тот же кредит", en: "Another bank, the same loan" },
  amount: { ru: "Другая сумма", en: "Another amount" },
  term: { ru: "Другой срок", en: "Another term" },
  down_payment: { ru: "Первый взнос", en: "A down payment" },
};

/** `days` of the range, by day; those without an application may be absent. */
export function overviewOf(
  { days, losses, range }: {
    readonly days: readonly DayRow[];
    readonly losses: readonly LossRow[];
    readonly range: DayRange;
  },
  options: OverviewOptions,
): Overview {
  const all = days.filter(({ bank }) => bank === "");
  return {
    from: isoDay(range.from * DAY_MS),
    to: isoDay(range.to * DAY_MS),
    days: all.map(({ day, ...counts }) => ({ date: isoDay(day * DAY_MS), ...funnelOf([counts]) })),
    funnel: funnelOf(all),
    banks: options.banks.banks.map(({ id, title }) => {
      const own = days.filter(({ bank }) => bank === id);
      const decided = sum(own, "decided");
      const rate = wilson(sum(own, "approved"), decided);
      return {
        ...{ bank: id, title, ...funnelOf(own), decided },
        ...rate && { expected: sum(own, "expectedPermille") / 1000 / decided, rate },
      };
    }),
    losses: byCode(losses, "cause").map(({ code, clients }) => ({
      ...{ code, clients, text: causeText(code, options) },
    })),
    levers: byCode(losses, "lever").map(({ code, clients, permille }) => ({
      ...{ code, clients, text: leverText(code, options), expectedApprovals: permille / 1000 },
    })),
  };
}

type Counts = Omit<DayRow, "tenant" | "day" | "bank">;
type Counted = Pick<Counts, "applied" | "scored" | "recommended" | "sent" | "approved" | "funded">;

function funnelOf(rows: readonly Counted[]): Counted {
  return {
    applied: sum(rows, "applied"),
    scored: sum(rows, "scored"),
    recommended: sum(rows, "recommended"),
    sent: sum(rows, "sent"),
    approved: sum(rows, "approved"),
    funded: sum(rows, "funded"),
  };
}

function sum<Name extends string>(rows: readonly Readonly<Record<Name, number>>[], name: Name) {
  return rows.reduce((total, row) => total + row[name], 0);
}

/** The most clients first. */
function byCode(losses: readonly LossRow[], kind: LossRow["kind"]) {
  const groups = Map.groupBy(losses.filter((loss) => loss.kind === kind), ({ code }) => code);
  return [...groups].map(([code, rows]) => ({
    ...{ code, clients: sum(rows, "clients"), permille: sum(rows, "permille") },
  })).filter(({ clients }) => clients > 0)
    .sort((a, b) => b.clients - a.clients || (a.code < b.code ? -1 : 1));
}

function causeText(code: string, { policy }: OverviewOptions): Localized {
  return CAUSES[code] ?? policy.rules.find(({ id }) => id === code)?.reason ??
    { ru: code, en: code };
}

function leverText(code: string, { questionnaire }: OverviewOptions): Localized {
  const [kind, name = ""] = code.split(".");
  if (kind === "answer") {
    return questionnaire.fields.find(({ id }) => id === name)?.label ?? { ru: name, en: name };
  }
  const texts = name.split("+").map((change) => OFFERS[change] ?? { ru: change, en: change });
  return {
    ru: texts.map(({ ru }) => ru).join(", "),
    en: texts.map(({ en }) => en).join(", "),
  };
}
