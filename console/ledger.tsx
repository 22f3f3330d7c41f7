/** The honesty ledger: what was estimated beside what banks then decided, and the form that tells what they decided. */
import type { FC } from "hono/jsx";
import type { BandLedger, BankLedger } from "../analytics/mod.ts";
import { money, percent } from "../scoring/words.ts";
import { Calibration } from "./charts.tsx";
import { FormToken, type Frame, Page, type Say, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

/** What became of a table that was sent. */
export interface SentTable {
  readonly received: number;
  readonly recorded: number;
  readonly rejected: readonly { readonly row: number; readonly detail: string }[];
}

interface LedgerProps {
  readonly frame: Frame;
  readonly banks: readonly BankLedger[];
  readonly sent?: SentTable;
  /** Why nothing of the table could be read. */
  readonly refusal?: string;
}

const MOST_SHOWN = 20;

export const LedgerPage: FC<LedgerProps> = ({ frame, banks, sent, refusal }) => {
  const say = sayIn(frame.language);
  return (
    <Page frame={frame} title={say(WORDS.ledger)}>
      <h1>{say(WORDS.ledger)}</h1>
      <p class="lead">{say(WORDS.ledgerIntro)}</p>
      {refusal === undefined ? null : <p class="alert" role="alert">{refusal}</p>}
      {sent ? <Sent sent={sent} say={say} /> : null}
      {banks.map((bank) => <BankOf bank={bank} say={say} />)}
      <section class="loan no-print" aria-labelledby="tell">
        <h2 id="tell">{say(WORDS.tell)}</h2>
        <p>{say(WORDS.tellHow)}</p>
        <form method="post" action="/console/ledger" enctype="multipart/form-data">
          <FormToken viewer={frame.viewer} />
          <div class="field">
            <label for="table">{say(WORDS.table)}</label>
            <input id="table" name="table" type="file" accept=".csv,text/csv" required />
          </div>
          <div class="actions steps">
            <button type="submit">{say(WORDS.send)}</button>
          </div>
        </form>
      </section>
    </Page>
  );
};

const Sent: FC<{ sent: SentTable; say: Say }> = (
  { sent: { received, recorded, rejected }, say },
) => (
  <div class="note" role="status">
    <p>
      {say(WORDS.sentTable, {
        received: String(received),
        recorded: String(recorded),
        rejected: String(rejected.length),
      })}
    </p>
    {rejected.length === 0 ? null : (
      <ul>
        {rejected.slice(0, MOST_SHOWN).map(({ row, detail }) => (
          <li>{say(WORDS.rejectedRow, { row: String(row), detail })}</li>
        ))}
      </ul>
    )}
  </div>
);

const STATES = {
  too_few: WORDS.tooFew,
  holds: WORDS.holds,
  overstated: WORDS.overstated,
  understated: WORDS.understated,
} as const;

const BankOf: FC<{ bank: BankLedger; say: Say }> = ({ bank, say }) => {
  const { title, outcomes, approved, expected, rate, auc, brier, bands } = bank;
  const count = (number: number) => say(money(number, undefined));
  return (
    <article class="bank" id={`ledger-${bank.bank}`}>
      <h2>{say(title)}</h2>
      {expected === undefined || rate === undefined ? <p>{say(WORDS.nothingKnown)}</p> : (
        <>
          <p>
            {say(WORDS.ledgerSum, {
              outcomes: count(outcomes),
              approved: count(approved),
              expected: percent(expected),
              rate: percent(rate.value),
              low: percent(rate.low),
              high: percent(rate.high),
            })}
          </p>
          <p class="small">
            {[
              auc &&
              say(WORDS.auc, {
                auc: auc.value.toFixed(3),
                low: auc.low.toFixed(3),
                high: auc.high.toFixed(3),
              }),
              brier !== undefined && say(WORDS.brier, { brier: brier.toFixed(3) }),
            ].filter(Boolean).join("; ")}
          </p>
          <div class="beside">
            <Calibration
              points={bands.map(({ expected, rate, state }) => ({
                ...{ expected, rate, doubtful: state === "overstated" || state === "understated" },
              }))}
              label={say(WORDS.calibrationOf, { bank: title })}
            />
            <BandTable bands={bands} say={say} />
          </div>
        </>
      )}
    </article>
  );
};

const BandTable: FC<{ bands: readonly BandLedger[]; say: Say }> = ({ bands, say }) => (
  <table class="plain">
    <thead>
      <tr>
        {[WORDS.band, WORDS.decisions, WORDS.expectedShare, WORDS.cameTrue, WORDS.verdict].map((
          text,
        ) => <th scope="col">{say(text)}</th>)}
      </tr>
    </thead>
    <tbody>
      {bands.map(({ band, title, outcomes, expected, rate, state, standing, standingTitle }) => (
        <tr>
          <th scope="row">{say(title)}</th>
          <td class="number">{outcomes}</td>
          <td class="number">{say(percent(expected))}</td>
          <td class="number">
            {`${say(percent(rate.value))} (${say(percent(rate.low))}–${say(percent(rate.high))})`}
          </td>
          <td class={state === "overstated" ? "error" : ""}>
            {state === "overstated" && standing !== band
              ? say(WORDS.readAs, { band: standingTitle })
              : say(STATES[state])}
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);
