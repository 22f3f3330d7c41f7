/** Where applications are won and lost: by day, step by step, by bank, by cause. */
import type { FC } from "hono/jsx";
import type { Overview } from "../analytics/mod.ts";
import { filled, money, percent } from "../scoring/words.ts";
import { DayBars, ShareBar } from "./charts.tsx";
import { type Frame, Page, type Say, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

/** The periods that the page offers, in days. */
export const PERIODS = [30, 90, 366] as const;
export type Period = typeof PERIODS[number];

interface OverviewProps {
  readonly frame: Frame;
  readonly overview: Overview;
  readonly period: Period;
}

const STEPS = [
  ["applied", WORDS.applied],
  ["scored", WORDS.scored],
  ["recommended", WORDS.recommended],
  ["sent", WORDS.sentToBank],
  ["approved", WORDS.approvedByBank],
  ["funded", WORDS.funded],
] as const;

const MOST_SHOWN = 12;

export const OverviewPage: FC<OverviewProps> = ({ frame, overview, period }) => {
  const say = sayIn(frame.language);
  const { from, to, days, funnel, banks, losses, levers } = overview;
  const count = (number: number) => say(money(number, undefined));
  return (
    <Page frame={frame} title={say(WORDS.overview)}>
      <h1>{say(WORDS.overview)}</h1>
      <p class="lead">{say(WORDS.overviewIntro)}</p>
      <p class="no-print">
        {PERIODS.map((days) => (
          <>
            {days === period
              ? <strong aria-current="page">{say(WORDS.lastDays, { days: String(days) })}</strong>
              : <a href={`?days=${days}`}>{say(WORDS.lastDays, { days: String(days) })}</a>}
            {" "}
          </>
        ))}
      </p>
      <section aria-labelledby="by-day">
        <h2 id="by-day">{say(WORDS.byDay)}</h2>
        <div class="wide">
          <DayBars
            days={days.map(({ date, applied }) => ({ date, count: applied }))}
            {...{ from, to }}
            label={say(WORDS.byDayLabel, { count: count(funnel.applied), from, to })}
          />
        </div>
      </section>
      <section aria-labelledby="funnel">
        <h2 id="funnel">{say(WORDS.funnel)}</h2>
        <table class="plain">
          <Head say={say} texts={[WORDS.step, WORDS.clients, WORDS.ofApplied, WORDS.lostHere]} />
          <tbody>
            {STEPS.map(([name, text], at) => {
              const before = funnel[STEPS[at - 1]?.[0] ?? "applied"];
              const share = funnel.applied === 0 ? 0 : funnel[name] / funnel.applied;
              return (
                <tr id={`funnel-${name}`}>
                  <th scope="row">{say(text)}</th>
                  <td class="number">{count(funnel[name])}</td>
                  <td>
                    <ShareBar share={share} />
                    {say(percent(share))}
                  </td>
                  <td class="number">{count(Math.max(0, before - funnel[name]))}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
        <p class="small">{say(WORDS.funnelNote)}</p>
      </section>
      <section aria-labelledby="by-bank">
        <h2 id="by-bank">{say(WORDS.expectedAndRealised)}</h2>
        <table class="plain">
          <Head
            say={say}
            texts={[
              WORDS.bank,
              WORDS.sentToBank,
              WORDS.decisions,
              WORDS.expectedShare,
              WORDS.cameTrue,
            ]}
          />
          <tbody>
            {banks.map(({ bank, title, sent, decided, expected, rate }) => (
              <tr id={`overview-${bank}`}>
                <th scope="row">{say(title)}</th>
                <td class="number">{count(sent)}</td>
                <td class="number">{count(decided)}</td>
                <td class="number">{expected === undefined ? "—" : say(percent(expected))}</td>
                <td class="number">
                  {rate === undefined ? "—" : say(
                    filled(WORDS.rateWithin, {
                      rate: percent(rate.value),
                      low: percent(rate.low),
                      high: percent(rate.high),
                    }),
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section aria-labelledby="losses">
        <h2 id="losses">{say(WORDS.losses)}</h2>
        <Ranked say={say} rows={losses} texts={[WORDS.cause, WORDS.clients]} />
      </section>
      <section aria-labelledby="levers">
        <h2 id="levers">{say(WORDS.levers)}</h2>
        <p>{say(WORDS.leversHow)}</p>
        <Ranked
          say={say}
          rows={levers}
          texts={[WORDS.lever, WORDS.clients, WORDS.expectedApprovals]}
        />
      </section>
    </Page>
  );
};

const Head: FC<{ say: Say; texts: readonly { ru: string; en: string }[] }> = ({ say, texts }) => (
  <thead>
    <tr>{texts.map((text) => <th scope="col">{say(text)}</th>)}</tr>
  </thead>
);

interface RankedProps {
  readonly say: Say;
  readonly rows: readonly {
    readonly code: string;
    readonly text: { ru: string; en: string };
    readonly clients: number;
    readonly expectedApprovals?: number;
  }[];
  readonly texts: readonly { ru: string; en: string }[];
}

const Ranked: FC<RankedProps> = ({ say, rows, texts }) => {
  if (rows.length === 0) return <p>{say(WORDS.nobodyLost)}</p>;
  const most = Math.max(...rows.map(({ clients }) => clients));
  return (
    <table class="plain">
      <Head say={say} texts={texts} />
      <tbody>
        {rows.slice(0, MOST_SHOWN).map(({ code, text, clients, expectedApprovals }) => (
          <tr data-code={code}>
            <th scope="row">{say(text)}</th>
            <td>
              <ShareBar share={clients / most} />
              {say(money(clients, undefined))}
            </td>
            {expectedApprovals === undefined
              ? null
              : <td class="number">{say(money(Math.round(expectedApprovals), undefined))}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
};
