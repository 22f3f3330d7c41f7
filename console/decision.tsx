/** What is said of one application: advice, the banks with their reasons and curves, offers, the plan. */
import type { FC } from "hono/jsx";
import type { DowngradedBand } from "../analytics/mod.ts";
import type { Field, Questionnaire } from "../configs/mod.ts";
import type { Answers } from "../scoring/answers.ts";
import type {
  BankDecision,
  Curve,
  DecidedBank,
  Decision,
  Explanation,
  Interval,
  Offer,
} from "../scoring/decision.ts";
import { duration, longDate, money, percent } from "../scoring/words.ts";
import { ChanceScale, CurveChart, FallStep, type Turn, turnsOf } from "./charts.tsx";
import { FormToken, type Frame, Page, type Say, sayIn } from "./page.tsx";
import { WORDS } from "./words.ts";

/** The loans that the banks give at all: what the sliders range over. */
export interface LoanRange {
  readonly amount: { readonly min: number; readonly max: number; readonly step: number };
  readonly terms: readonly number[];
}

interface DecisionProps {
  readonly frame: Frame;
  /** The path of the application. */
  readonly path: string;
  readonly questionnaire: Questionnaire;
  readonly answers: Answers;
  /** Of the application, or of the other loan that is looked at. */
  readonly decision: Decision;
  /** Absent for who has asked too often; the decision itself is stored. */
  readonly curves: readonly Curve[] | undefined;
  /** The loan of the application itself, where another one is looked at. */
  readonly applied: Decision["loan"];
  readonly range: LoanRange | undefined;
  readonly downgraded: readonly DowngradedBand[];
}

/** How each part of the page writes. */
interface Writing {
  readonly say: Say;
  readonly currency: string | undefined;
}

export const DecisionPage: FC<DecisionProps> = (props) => {
  const { frame, decision, path, applied, range } = props;
  const say = sayIn(frame.language);
  const writing = { say, currency: decision.currency };
  const date = longDate(Date.parse(decision.asOf));
  const title = say(WORDS.decisionOf, { date });
  const { loan } = decision;
  return (
    <Page frame={frame} title={title}>
      <h1>{title}</h1>
      {loan && range
        ? <LoanForm frame={frame} path={path} loan={loan} range={range} applied={applied} />
        : null}
      <div id="decision">
        {applied && loan
          ? (
            <p class="note">
              {say(WORDS.whatIf, {
                amount: money(loan.amount, decision.currency),
                term: duration(loan.term, "months"),
                asked: say(WORDS.forTerm, {
                  amount: money(applied.amount, decision.currency),
                  term: duration(applied.term, "months"),
                }),
              })}
            </p>
          )
          : null}
        <Advice decision={decision} writing={writing} />
        <Offers {...props} writing={writing} />
        <Banks {...props} writing={writing} />
        <PlanOf decision={decision} writing={writing} />
      </div>
      <AnswerSheet {...props} writing={writing} />
      <p class="receipt">
        {say(WORDS.receipt, {
          model: decision.receipt.model.version,
          policy: decision.receipt.policy.version,
          sha256: decision.receipt.inputSha256.slice(0, 12),
        })}
      </p>
    </Page>
  );
};

const LoanForm: FC<
  Pick<DecisionProps, "frame" | "path" | "applied"> & {
    loan: NonNullable<Decision["loan"]>;
    range: LoanRange;
  }
> = ({ frame, path, loan, range, applied }) => {
  const say = sayIn(frame.language);
  const { amount, terms } = range;
  return (
    <section class="loan no-print" aria-labelledby="try">
      <h2 id="try">{say(WORDS.tryLoan)}</h2>
      <form method="get" action={path} class="sliders" data-live>
        <div class="slider">
          <label for="amount">{say(WORDS.amount)}</label>
          <input
            id="amount"
            name="amount"
            type="number"
            min={amount.min}
            max={amount.max}
            step="any"
            required
            value={loan.amount}
          />
          <input
            type="range"
            data-for="amount"
            aria-label={say(WORDS.amount)}
            hidden
            min={amount.min}
            max={amount.max}
            step={amount.step}
            value={loan.amount}
          />
        </div>
        <div class="slider">
          <label for="term">{say(WORDS.term)}</label>
          <input
            id="term"
            name="term"
            type="number"
            min={terms[0]}
            max={terms.at(-1)}
            step="1"
            required
            value={loan.term}
          />
          <input
            type="range"
            data-for="term"
            aria-label={say(WORDS.term)}
            hidden
            min={terms[0]}
            max={terms.at(-1)}
            step="1"
            value={loan.term}
          />
        </div>
        <div class="actions">
          <button type="submit" class="secondary">{say(WORDS.recalculate)}</button>
          <a href={path}>{say(WORDS.asAsked)}</a>
        </div>
      </form>
      {applied
        ? <TakeForm frame={frame} path={path} loan={loan} text={say(WORDS.applyWithThis)} />
        : null}
      <p id="live" role="status" class="sr" data-failed={say(WORDS.notRecalculated)}></p>
    </section>
  );
};

/** A button that applies again with another loan. */
const TakeForm: FC<
  Pick<DecisionProps, "frame" | "path"> & {
    loan: { readonly amount: number; readonly term: number };
    text: string;
  }
> = ({ frame, path, loan, text }) => (
  <form method="post" action={`${path}/take`} class="no-print">
    <FormToken viewer={frame.viewer} />
    <input type="hidden" name="amount" value={String(loan.amount)} />
    <input type="hidden" name="term" value={String(loan.term)} />
    <button type="submit">{text}</button>
  </form>
);

const Advice: FC<{ decision: Decision; writing: Writing }> = (
  { decision: { recommendation, rules }, writing: { say } },
) => (
  <section
    class={recommendation.recommended ? "advice good" : "advice bad"}
    aria-label={say(recommendation.text)}
  >
    <p class="verdict" data-summary>
      <span aria-hidden="true">{recommendation.recommended ? "✓" : "✕"}</span>{" "}
      {say(recommendation.text)}
    </p>
    {recommendation.causes.length > 0
      ? <ul>{recommendation.causes.map(({ text }) => <li>{say(text)}</li>)}</ul>
      : null}
    {recommendation.wayBack
      ? <p>{say(WORDS.wayBack, { text: recommendation.wayBack.text })}</p>
      : null}
    {recommendation.recheckOn
      ? <p>{say(WORDS.recheck, { date: longDate(Date.parse(recommendation.recheckOn)) })}</p>
      : null}
    {rules.length > 0
      ? (
        <>
          <h3>{say(WORDS.rules)}</h3>
          <ul>{rules.map(({ text }) => <li>{say(text)}</li>)}</ul>
        </>
      )
      : null}
  </section>
);

type Parts = DecisionProps & { readonly writing: Writing };

const Offers: FC<Parts> = ({ frame, path, decision, writing }) => {
  const { say } = writing;
  const { banks, ranking: { banks: ranked, target } } = decision;
  const offers = ranked.flatMap((id) => {
    const bank = decided(banks).find((bank) => bank.bank === id);
    const offer = bank?.offers.found[0];
    return bank && offer ? [{ bank, offer }] : [];
  });
  return (
    <section aria-labelledby="offers">
      <h2 id="offers">{say(WORDS.offers)}</h2>
      {offers.length === 0
        ? <p>{say(WORDS.noOffers, { target: percent(target) })}</p>
        : (
          <ol class="cards">
            {offers.map(({ bank, offer }) => (
              <li class="card">
                <h3>{say(bank.title)}</h3>
                <OfferText offer={offer} writing={writing} />
                <TakeForm frame={frame} path={path} loan={offer} text={say(WORDS.takeOffer)} />
              </li>
            ))}
          </ol>
        )}
    </section>
  );
};

const OfferText: FC<{ offer: Offer; writing: Writing }> = (
  { offer, writing: { say, currency } },
) => {
  const minor = (amount: number) => money(amount / 100, currency);
  return (
    <>
      <p class="figure">
        {say(WORDS.forTerm, {
          amount: money(offer.amount, currency),
          term: duration(offer.term, "months"),
        })}
      </p>
      <p>
        {say(WORDS.offerChance, {
          chance: percent(offer.probability),
          interval: intervalText(offer.interval, say),
        })}
      </p>
      <p class="small">
        {[
          say(WORDS.aMonth, { payment: minor(offer.monthlyPaymentMinor) }),
          say(WORDS.overpayment, { overpayment: minor(offer.overpaymentMinor) }),
          ...offer.downPayment > 0
            ? [say(WORDS.downPayment, { amount: money(offer.downPayment, currency) })]
            : [],
        ].join(", ")}
      </p>
    </>
  );
};

const Banks: FC<Parts> = ({ decision, curves, downgraded, writing }) => {
  const { say } = writing;
  return (
    <section aria-labelledby="banks">
      <h2 id="banks">{say(WORDS.banks)}</h2>
      {curves === undefined ? <p class="note">{say(WORDS.noCurves)}</p> : null}
      {decision.banks.map((bank) => (
        <article class="bank">
          {bank.status === "decided"
            ? (
              <Bank
                bank={bank}
                decision={decision}
                curve={curves?.find((curve) => curve.bank === bank.bank)}
                downgraded={downgraded.find((one) =>
                  one.bank === bank.bank && one.band === bank.odds.band
                )}
                writing={writing}
              />
            )
            : (
              <>
                <h3>{say(bank.title)}</h3>
                <p>{say(WORDS.bankFailed, { cause: bank.cause })}</p>
              </>
            )}
        </article>
      ))}
    </section>
  );
};

interface BankProps {
  readonly bank: DecidedBank;
  readonly decision: Decision;
  readonly curve: Curve | undefined;
  /** Where the chance's band comes true less often than it says. */
  readonly downgraded: DowngradedBand | undefined;
  readonly writing: Writing;
}

const Bank: FC<BankProps> = ({ bank, decision, curve, downgraded, writing }) => {
  const { say } = writing;
  const { title, probability, interval, odds, explanation, recourse } = bank;
  const range = interval ? intervalText(interval, say) : "";
  const spoken = `${say(title)}: ${say(percent(probability))}${range && `, ${range}`}`;
  return (
    <>
      <div class="bank-head">
        <h3>{say(title)}</h3>
        <p class="figure">{say(percent(probability))}</p>
        <div>
          <p class={`band ${odds.insufficient ? "unsure" : ""}`}>{say(odds.title)}</p>
          <p class="small">{range}</p>
        </div>
        <ChanceScale
          probability={probability}
          interval={interval}
          target={decision.ranking.target}
          label={spoken}
        />
      </div>
      {downgraded
        ? (
          <p class="note">
            {say(WORDS.downgraded, {
              outcomes: money(downgraded.outcomes, undefined),
              rate: percent(downgraded.rate.value),
              band: downgraded.standingTitle,
            })}
          </p>
        )
        : null}
      {bank.withoutEvidence ? <p class="note">{say(WORDS.noEvidence)}</p> : null}
      {bank.offers.none ? <p class="small">{say(bank.offers.none.text)}</p> : null}
      {explanation
        ? (
          <details id={`why-${bank.bank}`} open={bank === decided(decision.banks)[0]}>
            <summary>{say(WORDS.why)}</summary>
            <Waterfall explanation={explanation} say={say} />
            {recourse.length > 0
              ? (
                <>
                  <h4>{say(WORDS.recourse)}</h4>
                  <ul>{recourse.map(({ text }) => <li>{say(text)}</li>)}</ul>
                </>
              )
              : null}
          </details>
        )
        : null}
      {curve
        ? <AmountCurve bank={bank} decision={decision} curve={curve} writing={writing} />
        : null}
    </>
  );
};

/** From knowing nothing to the estimate, reason by reason; the strongest first. */
const Waterfall: FC<{ explanation: Explanation; say: Say }> = ({ explanation, say }) => {
  const { base, leftOut, logOdds, approximate } = explanation;
  const reasons = [...explanation.for, ...explanation.against]
    .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const parts = [
    ...reasons.map(({ text, contribution }) => ({ text: say(text), contribution })),
    {
      text: say(WORDS.leftOut, { count: String(leftOut.answers) }),
      contribution: leftOut.contribution,
    },
  ];
  let sum = base;
  const steps = parts.map(({ text, contribution }) => {
    const from = sum;
    sum += contribution;
    return { text, contribution, from, to: sum };
  });
  const seen = [0, base, logOdds, ...steps.map(({ to }) => to)];
  const bounds = [Math.min(...seen), Math.max(...seen)] as const;
  const share = (odds: number) => say(percent(1 / (1 + Math.exp(-odds))));
  return (
    <>
      <table class="waterfall">
        <thead class="sr">
          <tr>
            <th scope="col">{say(WORDS.reason)}</th>
            <th scope="col">{say(WORDS.contribution)}</th>
            <th scope="col">{say(WORDS.chance)}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{say(WORDS.start)}</th>
            <td>
              <FallStep from={0} to={base} bounds={bounds} kind="sum" />
            </td>
            <td class="number">{share(base)}</td>
          </tr>
          {steps.map(({ text, contribution, from, to }) => (
            <tr>
              <th scope="row">{text}</th>
              <td>
                <FallStep
                  from={from}
                  to={to}
                  bounds={bounds}
                  kind={contribution < 0 ? "against" : "for"}
                />
              </td>
              <td class="number">{signed(contribution)}</td>
            </tr>
          ))}
          <tr class="sum">
            <th scope="row">{say(WORDS.total)}</th>
            <td>
              <FallStep from={0} to={logOdds} bounds={bounds} kind="sum" />
            </td>
            <td class="number">{share(logOdds)}</td>
          </tr>
        </tbody>
      </table>
      {approximate ? <p class="small">{say(WORDS.approximate)}</p> : null}
    </>
  );
};

const MOST_TURNS = 3;

const AmountCurve: FC<
  { bank: DecidedBank; decision: Decision; curve: Curve; writing: Writing }
> = ({ bank, decision, curve: { pieces, term }, writing: { say, currency } }) => {
  const all = turnsOf(pieces);
  const asked = decision.loan?.amount;
  const turns = nearest(all, asked ?? 0);
  const amount = (value: number) => say(money(value, currency));
  return (
    <details id={`curve-${bank.bank}`} open={bank === decided(decision.banks)[0]}>
      <summary>{say(WORDS.curve)}: {turnText(turns[0], { pieces, amount, say })}</summary>
      <CurveChart
        pieces={pieces}
        asked={asked === undefined ? undefined : { amount: asked, probability: bank.probability }}
        turns={turns}
        label={say(WORDS.curveOf, { bank: bank.title, term: duration(term, "months") })}
        money={amount}
        percent={(share) => say(percent(share))}
      />
      {all.length > MOST_TURNS
        ? <p class="small">{say(WORDS.moreTurns, { count: String(all.length) })}</p>
        : null}
      <ul class="small">
        {turns.slice(1).map((turn) => <li>{turnText(turn, { pieces, amount, say })}</li>)}
      </ul>
    </details>
  );
};

/** The turns nearest to an amount, the nearest first. */
function nearest(turns: readonly Turn[], amount: number): readonly Turn[] {
  const away = ({ to, from }: Turn) => Math.min(Math.abs(to - amount), Math.abs(from - amount));
  return turns.toSorted((a, b) => away(a) - away(b)).slice(0, MOST_TURNS);
}

function turnText(
  turn: Turn | undefined,
  { pieces, amount, say }: {
    readonly pieces: Curve["pieces"];
    readonly amount: (value: number) => string;
    readonly say: Say;
  },
): string {
  if (turn === undefined) {
    return say((pieces[0]?.probability ?? 0) >= 0.5 ? WORDS.alwaysLikely : WORDS.neverLikely);
  }
  return say(turn.before >= turn.after ? WORDS.turnsDown : WORDS.turnsUp, {
    to: amount(turn.to),
    from: amount(turn.from),
    before: percent(turn.before),
    after: percent(turn.after),
  });
}

const PlanOf: FC<{ decision: Decision; writing: Writing }> = (
  { decision: { plan, banks }, writing: { say } },
) => {
  const title = (id: string) => {
    const found = banks.find(({ bank }) => bank === id);
    return found ? say(found.title) : id;
  };
  const { comparisons: { bestSingle, allAtOnce } } = plan;
  return (
    <section aria-labelledby="plan">
      <h2 id="plan">{say(WORDS.plan)}</h2>
      {plan.banks.length === 0 ? <p>{say(WORDS.noPlan)}</p> : (
        <>
          <ol class="plan">{plan.banks.map((bank) => <li>{title(bank)}</li>)}</ol>
          <p>{say(WORDS.planOrder)}</p>
          <p>
            {say(WORDS.anyApproves, {
              chance: percent(plan.probabilityOfAny),
              inquiries: plan.expectedInquiries.toFixed(1),
            })}
          </p>
          <p class="small">
            {say(WORDS.againstBest, {
              single: percent(bestSingle.probabilityOfAny),
              all: percent(allAtOnce.probabilityOfAny),
            })}
          </p>
        </>
      )}
    </section>
  );
};

const AnswerSheet: FC<Parts> = ({ questionnaire, answers, writing: { say } }) => (
  <details class="answers" id="answers">
    <summary>{say(WORDS.answers)}</summary>
    <dl>
      {questionnaire.fields.map((field) => (
        <div>
          <dt>{say(field.label)}</dt>
          <dd>{answerShown(field, { answers, say })}</dd>
        </div>
      ))}
    </dl>
  </details>
);

function answerShown(
  { id, meaning }: Field,
  { answers, say }: { readonly answers: Answers; readonly say: Say },
): string {
  const answer = answers[id] ?? null;
  if (answer === null) return say(WORDS.notStated);
  if (meaning.kind === "category") {
    const found = meaning.values.find(({ value }) => String(value) === String(answer));
    if (found) return say(found.label);
  }
  return meaning.kind === "quantity" && typeof answer === "number"
    ? say(money(answer, meaning.unit))
    : String(answer);
}

function decided(banks: readonly BankDecision[]): readonly DecidedBank[] {
  return banks.filter((bank) => bank.status === "decided");
}

function intervalText({ low, high, level }: Interval, say: Say): string {
  return say(WORDS.interval, { low: percent(low), high: percent(high), level: percent(level) });
}

function signed(contribution: number): string {
  return `${contribution < 0 ? "−" : "+"}${Math.abs(contribution).toFixed(2)}`;
}
