/** Whom to call back, and with which offer. */
import type { FC } from "hono/jsx";
import type { Split } from "../analytics/mod.ts";
import type { Campaign, CampaignQuery } from "../campaigns/mod.ts";
import { filled, money, percent } from "../scoring/words.ts";
import { type Frame, Page, type Say, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

/** What the form asks. */
export type CampaignForm = Pick<CampaignQuery, "cohort" | "lapsedAfterDays" | "limit" | "before">;

interface CampaignProps {
  readonly frame: Frame;
  readonly splits: readonly Split[];
  readonly query: CampaignForm;
  readonly campaign: Campaign;
}

const LIMIT = 100;
const LAPSED_DAYS = { least: 0, usual: 30, most: 366 } as const;
/** Between the question and the answer, in the form's one field. */
const BETWEEN = ":";

/** What is not a form's is read as if it had not been said. */
export function readCampaignForm(
  { cohort = "", days, before }: Readonly<Record<string, string | undefined>>,
): CampaignForm {
  const [split = "", bin = ""] = cohort.split(BETWEEN);
  return {
    ...split !== "" && { cohort: { split, bin } },
    lapsedAfterDays: wholeNumber(days, LAPSED_DAYS.least, LAPSED_DAYS.most) ?? LAPSED_DAYS.usual,
    limit: LIMIT,
    before: wholeNumber(before, 1, Number.MAX_SAFE_INTEGER),
  };
}

function wholeNumber(text: string | undefined, least: number, most: number): number | undefined {
  const number = text === undefined || text.trim() === "" ? NaN : Number(text);
  return Number.isInteger(number) && number >= least && number <= most ? number : undefined;
}

export const CampaignPage: FC<CampaignProps> = ({ frame, splits, query, campaign }) => {
  const say = sayIn(frame.language);
  const { clients, expectedApprovals, next } = campaign;
  return (
    <Page frame={frame} title={say(WORDS.campaign)}>
      <h1>{say(WORDS.campaign)}</h1>
      <p class="lead">{say(WORDS.campaignIntro)}</p>
      <Asked splits={splits} query={query} say={say} />
      <p role="status" id="sum">
        <strong>
          {clients.length === 0 ? say(WORDS.nobodyToCall) : say(WORDS.campaignSum, {
            clients: money(clients.length, undefined),
            expected: expectedApprovals.toFixed(1),
          })}
        </strong>
      </p>
      {clients.length === 0 ? null : <Clients clients={clients} say={say} />}
      {clients.length === 0 ? null : (
        <p class="no-print">
          <a href={pathOf("campaign.csv", query)} download>{say(WORDS.asTable)}</a>
        </p>
      )}
      {next === undefined ? null : (
        <p class="no-print">
          <a rel="next" href={pathOf("campaign", { ...query, before: next })}>
            {say(WORDS.earlierClients)}
          </a>
        </p>
      )}
      <p class="small">{say(WORDS.campaignCaveat)}</p>
    </Page>
  );
};

function pathOf(page: string, { cohort, lapsedAfterDays, before }: CampaignForm): string {
  const query = new URLSearchParams({
    ...cohort && { cohort: cohort.split + BETWEEN + cohort.bin },
    days: String(lapsedAfterDays),
    ...before !== undefined && { before: String(before) },
  });
  return `/console/${page}?${query}`;
}

const Asked: FC<{ splits: readonly Split[]; query: CampaignForm; say: Say }> = (
  { splits, query: { cohort, lapsedAfterDays }, say },
) => (
  <form method="get" action="/console/campaign" class="questionnaire no-print">
    <div class="fields">
      <p class="field">
        <label for="cohort">{say(WORDS.whichClients)}</label>
        <select id="cohort" name="cohort">
          <option value="">{say(WORDS.allClients)}</option>
          {splits.map(({ id, title, bins }) => (
            <optgroup label={say(title)}>
              {bins.map((bin) => (
                <option
                  value={id + BETWEEN + bin.id}
                  selected={cohort?.split === id && cohort.bin === bin.id}
                >
                  {say(bin.title)}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </p>
      <p class="field">
        <label for="days">{say(WORDS.lapsedAfter)}</label>
        <input
          {...{ id: "days", name: "days", type: "number", value: lapsedAfterDays }}
          {...{ min: LAPSED_DAYS.least, max: LAPSED_DAYS.most }}
        />
      </p>
      <p class="actions">
        <button type="submit">{say(WORDS.show)}</button>
      </p>
    </div>
  </form>
);

const Clients: FC<{ clients: Campaign["clients"]; say: Say }> = ({ clients, say }) => (
  <div class="wide" tabindex={0} role="region" aria-label={say(WORDS.clients)}>
    <table class="plain">
      <thead>
        <tr>
          {[
            WORDS.application,
            WORDS.appliedOn,
            WORDS.whyCalled,
            WORDS.bank,
            WORDS.offeredLoan,
            WORDS.chance,
          ].map((text) => <th scope="col">{say(text)}</th>)}
        </tr>
      </thead>
      <tbody>
        {clients.map(({ application, appliedOn, why, title, amount, term, ...client }) => (
          <tr>
            <td>
              <a href={`/console/applications/${application}`}>
                <code>{application}</code>
              </a>
            </td>
            <td class="number">{appliedOn}</td>
            <td>{say(why === "refused" ? WORDS.wasRefused : WORDS.hasLapsed)}</td>
            <td>{say(title)}</td>
            <td>
              {say(WORDS.offeredTerms, { amount: money(amount, undefined), term: String(term) })}
            </td>
            <td class="number">
              {say(filled(WORDS.rateWithin, {
                rate: percent(client.probability),
                low: percent(client.interval.low),
                high: percent(client.interval.high),
              }))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
