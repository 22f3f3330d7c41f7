/** The cohorts that banks approve less, or more, than the others. */
import type { FC } from "hono/jsx";
import type { CohortMeasure, FoundCohorts } from "../analytics/mod.ts";
import { money, percent } from "../scoring/words.ts";
import { type Frame, Page, type Say, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

const MEASURES = [
  ["decided", WORDS.byDecisions],
  ["estimated", WORDS.byEstimates],
] as const satisfies readonly (readonly [CohortMeasure, unknown])[];

/** What a page is asked for; what is none is the decisions. */
export function measureOf(asked: string | undefined): CohortMeasure {
  return asked === "estimated" ? asked : "decided";
}

export const CohortsPage: FC<{ frame: Frame; cohorts: FoundCohorts }> = ({ frame, cohorts }) => {
  const say = sayIn(frame.language);
  const { measure, clients, mean, fields, split, lower, higher } = cohorts;
  return (
    <Page frame={frame} title={say(WORDS.cohorts)}>
      <h1>{say(WORDS.cohorts)}</h1>
      <p class="lead">{say(WORDS.cohortsIntro)}</p>
      <p class="no-print">
        {MEASURES.map(([by, text]) => (
          <>
            {by === measure
              ? <strong aria-current="page">{say(text)}</strong>
              : <a href={`?by=${by}`}>{say(text)}</a>}
            {" "}
          </>
        ))}
      </p>
      <p>
        {mean === undefined
          ? say(WORDS.nobodyToTellApart)
          : say(WORDS.cohortsOf, { clients: money(clients, undefined), mean: percent(mean) })}
      </p>
      <Table id="lower" title={say(WORDS.approvedLess)} cohorts={lower} say={say} />
      <Table id="higher" title={say(WORDS.approvedMore)} cohorts={higher} say={say} />
      <h2 id="apart">{say(WORDS.toldApart)}</h2>
      <form method="get" action="/console/cohorts#apart" class="questionnaire no-print">
        <input type="hidden" name="by" value={measure} />
        <div class="fields">
          <p class="field">
            <label for="split">{say(WORDS.question)}</label>
            <select id="split" name="split">
              {fields.map(({ field, title }) => (
                <option value={field} selected={field === split?.field}>{say(title)}</option>
              ))}
            </select>
          </p>
          <p class="actions">
            <button type="submit">{say(WORDS.show)}</button>
          </p>
        </div>
      </form>
      {split === undefined
        ? null
        : <Table id="split-by" title={say(split.title)} cohorts={split.cells} say={say} />}
      <p class="no-print">
        <a
          href={`/console/cohorts.csv?${new URLSearchParams({
            ...{ by: measure },
            ...split && { split: split.field },
          })}`}
          download
        >
          {say(WORDS.asTable)}
        </a>
      </p>
      <p class="small">{say(WORDS.cohortsNote)}</p>
    </Page>
  );
};

interface TableProps {
  readonly id: string;
  readonly title: string;
  readonly cohorts: FoundCohorts["lower"];
  readonly say: Say;
}

const Table: FC<TableProps> = ({ id, title, cohorts, say }) => (
  <>
    <h2 id={id}>{title}</h2>
    {cohorts.length === 0
      ? <p>{say(WORDS.noCohort)}</p>
      : (
        <div class="wide" tabindex={0} role="region" aria-labelledby={id}>
          <table class="plain">
            <thead>
              <tr>
                {[
                  WORDS.cohort,
                  WORDS.clients,
                  WORDS.itsShare,
                  WORDS.othersShare,
                  WORDS.expectedShare,
                  WORDS.cameTrue,
                  WORDS.upliftByOffers,
                ].map((text) => <th scope="col">{say(text)}</th>)}
              </tr>
            </thead>
            <tbody>
              {cohorts.map(({ conditions, clients, value, others, expected, rate, uplift }) => (
                <tr>
                  <th scope="row">{conditions.map(({ text }) => <div>{say(text)}</div>)}</th>
                  <td class="number">{say(money(clients, undefined))}</td>
                  <td class="number">{say(percent(value))}</td>
                  <td class="number">{say(percent(others))}</td>
                  <td class="number">{say(percent(expected))}</td>
                  <td class="number">
                    {rate === undefined ? "—" : say(WORDS.rateWithin, {
                      rate: percent(rate.value),
                      low: percent(rate.low),
                      high: percent(rate.high),
                    })}
                  </td>
                  <td class="number">{`+${uplift.toFixed(1)}`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
  </>
);
