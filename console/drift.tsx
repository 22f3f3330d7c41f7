/** When banks began to decide otherwise, and on whom. */
import type { FC } from "hono/jsx";
import type { BankChanges } from "../analytics/mod.ts";
import { longDate, money, percent } from "../scoring/words.ts";
import { type Frame, Page, type Say, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

export const DriftPage: FC<{ frame: Frame; banks: readonly BankChanges[] }> = (
  { frame, banks },
) => {
  const say = sayIn(frame.language);
  return (
    <Page frame={frame} title={say(WORDS.drift)}>
      <h1>{say(WORDS.drift)}</h1>
      <p class="lead">{say(WORDS.driftIntro)}</p>
      {banks.map((bank) => <BankOf bank={bank} say={say} />)}
    </Page>
  );
};

const BankOf: FC<{ bank: BankChanges; say: Say }> = (
  { bank: { bank, title, decisions, watched, changes }, say },
) => (
  <article class="bank" id={`drift-${bank}`}>
    <h2>{say(title)}</h2>
    <p class="small">
      {say(watched === 0 ? WORDS.notWatched : WORDS.watched, {
        decisions: money(decisions, undefined),
        watched: money(watched, undefined),
      })}
    </p>
    {watched > 0 && changes.length === 0 ? <p>{say(WORDS.noChange)}</p> : null}
    {changes.length === 0 ? null : (
      <ul>
        {changes.toReversed().map((change) => (
          <li>
            <strong>{say(change.text)}</strong>
            <br />
            {say(WORDS.changeDetail, {
              found: longDate(Date.parse(change.foundAt)),
              decisions: money(change.decisions, undefined),
              expected: percent(change.expected),
              approved: percent(change.approved),
            })}
          </li>
        ))}
      </ul>
    )}
  </article>
);
