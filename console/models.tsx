/** The versions of the models: which answers, which could, what a trial has shown, and who did what. */
import type { FC } from "hono/jsx";
import type {
  AuditEntryView,
  ComparedBank,
  Comparison,
  ModelsView,
  VersionView,
} from "../lifecycle/mod.ts";
import { money, percent } from "../scoring/words.ts";
import { AuditTable } from "./audit.tsx";
import { Histogram } from "./charts.tsx";
import { FormToken, type Frame, Page, type Say, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

interface ModelsProps {
  readonly frame: Frame;
  readonly models: ModelsView;
  readonly comparison: Comparison | undefined;
  /** Absent for who may not see it. */
  readonly audit: readonly AuditEntryView[] | undefined;
  /** Bank titles by id. */
  readonly titles: ReadonlyMap<string, string>;
  /** Whether the viewer may change anything. */
  readonly operates: boolean;
  /** Why the last step was refused. */
  readonly refusal?: string;
}

export const ModelsPage: FC<ModelsProps> = (props) => {
  const { frame, models: { versions }, comparison, audit, refusal } = props;
  const say = sayIn(frame.language);
  return (
    <Page frame={frame} title={say(WORDS.models)}>
      <h1>{say(WORDS.models)}</h1>
      <p class="lead">{say(WORDS.modelsIntro)}</p>
      {refusal === undefined ? null : <p class="alert" role="alert">{refusal}</p>}
      {versions.map((version) => <Version {...props} version={version} say={say} />)}
      {comparison ? <Trial comparison={comparison} titles={props.titles} say={say} /> : null}
      {audit === undefined ? null : <Record audit={audit} say={say} />}
    </Page>
  );
};

const Record: FC<{ audit: readonly AuditEntryView[]; say: Say }> = ({ audit, say }) => (
  <section aria-labelledby="record">
    <h2 id="record">{say(WORDS.record)}</h2>
    <AuditTable entries={audit} say={say} />
    <p>
      <a href="/console/audit">{say(WORDS.audit)}</a>
    </p>
  </section>
);

const STATES = {
  active: WORDS.stateActive,
  challenger: WORDS.stateChallenger,
  previous: WORDS.statePrevious,
  registered: WORDS.stateRegistered,
  unregistered: WORDS.stateUnregistered,
} as const;

const Version: FC<ModelsProps & { version: VersionView; say: Say }> = (
  { frame, models: { serving }, titles, operates, version: shown, say },
) => {
  const { version, state, sha256, problem, card, banks } = shown;
  const path = `/console/models/${encodeURIComponent(version)}`;
  return (
    <article class="bank" id={`version-${version}`}>
      <div class="version-head">
        <h2>{say(WORDS.version, { version })}</h2>
        <p class={state === "active" ? "badge good" : "badge"}>{say(STATES[state])}</p>
        <p class="small">{sha256 ? `SHA-256 ${sha256.slice(0, 16)}…` : ""}</p>
      </div>
      {card ? <p>{card.split("\n\n")[0]}</p> : null}
      {card
        ? (
          <p>
            <a href={`${path}/card`}>{say(WORDS.modelCard)}</a>
          </p>
        )
        : null}
      {problem ? <p class="note">{problem}</p> : null}
      <ul class="small">
        {banks.map(({ bank, family, evidence, override }) => (
          <li>
            {[
              titles.get(bank) ?? bank,
              family,
              evidence &&
              say(WORDS.auc, {
                auc: evidence.auc.toFixed(3),
                low: evidence.low.toFixed(3),
                high: evidence.high.toFixed(3),
              }),
              evidence?.signal === false && say(WORDS.noEvidence),
              override && say(WORDS.overridden, override),
            ].filter(Boolean).join(", ")}
          </li>
        ))}
      </ul>
      {operates && state !== "active"
        ? (
          <div class="actions steps">
            {state === "unregistered"
              ? <Step frame={frame} action={`${path}/register`} text={say(WORDS.register)} />
              : <Step frame={frame} action={`${path}/activate`} text={say(WORDS.activate)} />}
            {state === "previous"
              ? (
                <Step
                  frame={frame}
                  action="/console/models/rollback"
                  text={say(WORDS.rollback)}
                  quiet
                />
              )
              : null}
            {state === "challenger"
              ? (
                <Step
                  frame={frame}
                  action="/console/models/end-trial"
                  text={say(WORDS.endTrial)}
                  quiet
                />
              )
              : null}
            {state === "registered" || state === "previous"
              ? <ChallengeForm frame={frame} path={path} version={version} say={say} />
              : null}
          </div>
        )
        : null}
      {serving.challenger?.version === version
        ? (
          <p class="small">
            {say(WORDS.answersShare, { share: percent(serving.challenger.share) })}
          </p>
        )
        : null}
    </article>
  );
};

const ChallengeForm: FC<{ frame: Frame; path: string; version: string; say: Say }> = (
  { frame, path, version, say },
) => (
  <form method="post" action={`${path}/challenge`} class="inline">
    <FormToken viewer={frame.viewer} />
    <label for={`share-${version}`}>{say(WORDS.share)}</label>
    <input
      id={`share-${version}`}
      name="share"
      type="number"
      min="0"
      max="100"
      step="1"
      value="0"
    />
    <button type="submit" class="secondary">{say(WORDS.challenge)}</button>
  </form>
);

const Step: FC<{ frame: Frame; action: string; text: string; quiet?: boolean }> = (
  { frame, action, text, quiet = false },
) => (
  <form method="post" action={action}>
    <FormToken viewer={frame.viewer} />
    <button type="submit" class={quiet ? "secondary" : ""}>{text}</button>
  </form>
);

const Trial: FC<{ comparison: Comparison; titles: ReadonlyMap<string, string>; say: Say }> = (
  { comparison, titles, say },
) => {
  const { champion, challenger, applications, scored, dropped, failed, banks } = comparison;
  const count = (number: number) => say(money(number, undefined));
  return (
    <section aria-labelledby="trial">
      <h2 id="trial">{say(WORDS.trial, { champion, challenger })}</h2>
      <p>
        {say(WORDS.trialCounts, {
          applications: count(applications),
          scored: count(scored),
          dropped: count(dropped),
          failed: count(failed),
        })}
      </p>
      {banks.map((bank) => (
        <TriedBank bank={bank} title={titles.get(bank.bank) ?? bank.bank} say={say} />
      ))}
    </section>
  );
};

const TriedBank: FC<{ bank: ComparedBank; title: string; say: Say }> = ({ bank, title, say }) => {
  const { champion, challenger, psi, agreement, raised, lowered, target } = bank;
  return (
    <article class="bank">
      <h3>{title}</h3>
      <p>
        {say(WORDS.triedBank, {
          champion: percent(champion.mean),
          challenger: percent(challenger.mean),
          psi: psi.toFixed(3),
          agreement: percent(agreement),
          target: percent(target),
          raised: String(raised),
          lowered: String(lowered),
        })}
      </p>
      <Histogram
        series={[champion.counts, challenger.counts]}
        label={say(WORDS.scoresOf, { bank: title })}
      />
    </article>
  );
};

export const CardPage: FC<{ frame: Frame; version: string; card: string }> = (
  { frame, version, card },
) => {
  const say = sayIn(frame.language);
  return (
    <Page frame={frame} title={say(WORDS.modelCard)}>
      <h1>{say(WORDS.version, { version })}</h1>
      <p>
        <a href="/console/models">{say(WORDS.models)}</a>
      </p>
      <pre class="wide" tabindex={0} lang="en">{card}</pre>
    </Page>
  );
};
