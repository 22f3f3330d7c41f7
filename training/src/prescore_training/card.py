"""MODEL_CARD.md: what the models are, what they were made from, and what they must not be used for.

Generated, so that the figures are those of the run; free of times, so that the same seed gives the same card.
"""

import inspect
from collections.abc import Sequence

from . import metrics, policies, table, train
from .features import APPLIED_AT, FeatureSpace
from .train import Quality, Trained


def model_card(
    version: str, space: FeatureSpace, trained: Sequence[Trained], *, applicants: int, seed: int
) -> str:
    """Return the card in Markdown."""
    fit, validation, test = (rows.stop - rows.start for rows in train.split(applicants))
    title = "Approval models of simulated lenders"
    return f"""# {title}, version {version}

**The lenders are simulated.** The banks bank_a to bank_e are five policies written down below, applied to
simulated applicants. The models show that the service works and how well the method recovers a known truth;
they say nothing about any real bank.

## What they are

One XGBoost forest per bank (`bank_*.onnx`): {len(space.names)} features of an application in, the bank's
approval probability out. Features are computed by the service (fingerprint `{space.sha256}`); a missing
answer is a missing value, an answer of an unknown category is -1.

## Quality

On {test:,} held-out applications. "Best" is the true approval probability itself on the same applications:
no model can expect to do better.

{_table([one.quality for one in trained])}

AUC: how often an approved application outranks a denied one. Log loss: in nats. ECE: mean distance between
predicted and observed approval rates over {metrics.ECE_BINS} bins of equal count; the best is what chance
leaves.

## Policies

{policies.__doc__ and inspect.cleandoc(policies.__doc__)}

{_policies(trained)}

## Data

{applicants:,} simulated applications, seed {seed}: {fit:,} to fit, {validation:,} to stop early,
{test:,} to test. Every application is made on {APPLIED_AT}. Education, employment, position, income and
expenses, age, family and loan hang together as in a plausible population of people who buy on credit
in shops. {table.SHORT_SHARE:.0%} of the questionnaires are short (half the answers left out), of the others
{table.SINGLE_MISSING_SHARE:.1%} of the answers are missing; {table.UNKNOWN_SHARE:.1%} of the categories are
unknown.
No row of a real application was used.

## Training

{_parameters(trained)}

## Limits

- Answers are missing at random, and nobody bends the truth.
- Lenders decide independently of each other, given the application; real ones share a credit bureau.
- Nothing changes with time: no seasons, no drift, no change of policy.
- Hyperparameters are fixed and probabilities are not recalibrated.
- Gender, age and family are among the features, and bank_b's policy uses age and marriage openly; law may
  forbid that of a real lender.

## Intended use

To run, test and demonstrate the service. For real decisions train on the decisions of real banks, and
check the models for evidence, calibration and fairness first.
"""


def _table(rows: Sequence[Quality]) -> str:
    header = (
        "| bank | tested | approved | AUC | best AUC | log loss | best log loss | ECE | best ECE | trees |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    )
    return header + "\n".join(
        f"| {q.bank} | {q.tested:,} | {q.approval_rate:.1%} | {q.auc:.4f} | {q.best_auc:.4f} "
        f"| {q.log_loss:.4f} | {q.best_log_loss:.4f} | {q.calibration_error:.4f} "
        f"| {q.best_calibration_error:.4f} | {q.trees} |"
        for q in rows
    )


def _policies(trained: Sequence[Trained]) -> str:
    sections = []
    for lender in (one.lender for one in trained):
        name = lender.policy.__name__.replace("_", " ")
        constraints = ", ".join(
            f"{feature} {'up' if direction > 0 else 'down'}" for feature, direction in lender.monotone.items()
        )
        sections.append(
            f"### {lender.bank}: {name}\n\n{inspect.getdoc(lender.policy)}\n\n"
            f"Noise: {lender.noise} points. Model kept monotone in: {constraints or 'nothing'}."
        )
    return "\n\n".join(sections)


def _parameters(trained: Sequence[Trained]) -> str:
    listed = "\n".join(f"- `{name}`: {value}" for name, value in train.PARAMETERS.items())
    monotone = any(one.lender.monotone for one in trained)
    return (
        f"XGBoost with these parameters, at most {train.MAX_TREES} trees, stopped after "
        f"{train.EARLY_STOPPING_TREES} without a better log loss"
        f"{', monotone where the policy is (see above)' if monotone else ''}:\n\n{listed}"
    )
