"""MODEL_CARD.md: what the models are, what they were made from, how good they are, and what they are not for.

Generated, so that the figures are those of the run; free of times, so that the same data and seed give the same
card.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from . import metrics
from .band import LEVEL
from .dataset import Dataset
from .dependence import LEVEL as DEPENDENCE_LEVEL
from .dependence import Dependence
from .evidence import THRESHOLD
from .models import Model


def model_card(
    version: str,
    data: Dataset,
    models: Sequence[Model],
    dependence: Dependence | None,
    *,
    title: str,
    origin: str,
    seed: int,
) -> str:
    """Return the card in Markdown."""
    later = models[0].measured_later
    names = data.configuration.names
    return f"""# {title}, version {version}

{_warning(models)}One model per bank: {len(names)} features of an application in, the bank's approval probability out.
Features are computed by the service (fingerprint `{data.configuration.sha256}`); a missing answer is a missing
value, an answer of an unknown category is -1. Each `.onnx` holds the model and its calibration.

## Evidence

Could the bank's decisions be predicted better than by chance? Yes where the 95 % interval of the out-of-fold AUC
begins above {THRESHOLD} and a permutation test agrees. A bank without evidence is not served unless `banks.json`
records an override.

{_evidence(models)}

## Quality

{"On the latest applications, which no choice has touched." if later else "Out of fold, in nested cross-validation."}
{_best_text(models)}

{_quality(models)}

AUC: how often an approved application outranks a denied one. Log loss in nats. ECE: mean distance between predicted
and observed approval rates over {metrics.ECE_BINS} bins of equal count. In parentheses: 95 % bootstrap intervals.

## How they were chosen

Nested cross-validation, grouped by applicant. Log loss above the best family, with its standard error; the winner is
the simplest family within one standard error.

{_families(models)}

{_parameters(models)}

## Bands

Around each probability `manifest.json` gives a band for the approval probability at level {LEVEL:.0%}: the spread
between models on halves of the applicants, and the calibration gap, by bin of the probability.
{_coverage(models)}

## Dependence

{_dependence(dependence)}

## Fairness

{_fairness(data, models)}

Gap: approval rate minus that of everybody else. Calibration: mean predicted minus observed. Groups under
{data.configuration.min_group} applications are not reported. What a model loses without a feature:

{_prices(models)}

## Data

{_dates(data)}
{origin}

## Limits

- The models tell which answers a lender's past decisions went with; they do not tell why, nor what is right.
- Approval is not repayment: nothing here speaks of whether a loan is paid back.
- Outside the plausible ranges of the questionnaire an answer counts as missing.
- A lender that changes its policy makes its model wrong until it is trained anew: watch drift and outcomes.
{_left_out(data)}
## Intended use

To show a client, before applying, how likely each bank is to approve. Not to decide in a bank's place, not to refuse
anybody a service, and not where the law forbids the features in use. Seed {seed}.
"""


def _warning(models: Sequence[Model]) -> str:
    without = [model.bank.id for model in models if not model.evidence.signal]
    return f"**No evidence of signal: {', '.join(without)}.** " if without else ""


def _evidence(models: Sequence[Model]) -> str:
    return markdown(
        ("bank", "verdict", "AUC", "95 % interval", "permutation p", "applications"),
        [
            (
                model.bank.id,
                "signal" if found.signal else "**no evidence of signal**",
                f"{found.auc:.4f}",
                f"{found.low:.4f} to {found.high:.4f}",
                f"{found.p_value:.3f}",
                f"{found.applications:,}",
            )
            for model in models
            for found in [model.evidence]
        ],
    )


def _quality(models: Sequence[Model]) -> str:
    known = all(model.best for model in models)
    header = ["bank", "model", "tested", "approved", "AUC", "log loss", "Brier", "ECE"]
    rows = []
    for model in models:
        m = model.measured
        row = [
            model.bank.id,
            model.family.title,
            f"{m.rows:,}",
            f"{m.rate:.1%}",
            f"{m.auc:.4f}",
            f"{m.log_loss:.4f}",
            f"{m.brier:.4f} ({m.brier_interval[0]:.4f} to {m.brier_interval[1]:.4f})",
            f"{m.ece:.4f} ({m.ece_interval[0]:.4f} to {m.ece_interval[1]:.4f})",
        ]
        if known and model.best:
            row[5:5] = [f"{model.best.auc:.4f}"]
            row[7:7] = [f"{model.best.log_loss:.4f}"]
            row.append(f"{model.best.ece:.4f}")
        rows.append(row)
    if known:
        header[5:5] = ["best AUC"]
        header[7:7] = ["best log loss"]
        header.append("best ECE")
    return markdown(header, rows)


def _best_text(models: Sequence[Model]) -> str:
    if not all(model.best for model in models):
        return ""
    return (
        '"Best" is the true approval probability given the answers, on the same applications: no model can '
        "expect to do better."
    )


def _families(models: Sequence[Model]) -> str:
    rows = [
        (
            model.bank.id,
            *(
                f"{'**' if one is model.comparison.winner else ''}+{one.excess:.4f} (se {one.excess_error:.4f})"
                f"{'**' if one is model.comparison.winner else ''}"
                for one in model.comparison.candidates
            ),
        )
        for model in models
    ]
    return markdown(("bank", *(one.family.title for one in models[0].comparison.candidates)), rows)


def _parameters(models: Sequence[Model]) -> str:
    lines = []
    for model in models:
        found = ", ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in model.parameters.items()
        )
        directions = ", ".join(f"{name} {'up' if way > 0 else 'down'}" for name, way in model.directions.items())
        window = f" Learned from the latest {model.window.share:.0%} of the time." if model.window else ""
        lines.append(
            f"- {model.bank.id}: {model.family.title} on {model.learned:,} applications; {found}. Calibration: "
            f"slope {model.calibration.slope:.4g}, shift {model.calibration.shift:.4g}.{window}"
            f"{f' Monotone: {directions}.' if directions else ''}"
        )
    return "\n".join(lines)


def _coverage(models: Sequence[Model]) -> str:
    known = [f"{model.bank.id} {model.best.covered:.0%}" for model in models if model.best]
    return f"Share of true probabilities inside: {', '.join(known)}." if known else ""


def _dependence(dependence: Dependence | None) -> str:
    if dependence is None:
        return "One bank only: there is nothing to depend on."
    return f"""Refusals of different banks hang together beyond what the answers explain. A hidden standard normal
factor, seen by all banks and told by no answer, stands for that; a bank's loading is its weight, and the product of
two loadings the correlation of the two banks given the answers.

{_loadings(dependence)}

Loadings of the greatest likelihood, from the decisions and the out-of-fold probabilities of the same applications; in
parentheses {DEPENDENCE_LEVEL:.0%} bootstrap intervals.{_best_loadings(dependence)}
{_notes(dependence)}
Share of the applications decided by both that both refuse:

{_pairs(dependence)}"""


def _loadings(dependence: Dependence) -> str:
    return markdown(
        ("bank", "loading", "best loading", "applications"),
        [
            (
                bank,
                "not estimated" if one.note else f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})",
                "" if one.best is None else f"{one.best:.3f}",
                f"{one.applications:,}",
            )
            for bank, one in dependence.loadings.items()
        ],
    )


def _best_loadings(dependence: Dependence) -> str:
    known = any(one.best is not None for one in dependence.loadings.values())
    return ' "Best" are those that the true probabilities give.' if known else ""


def _notes(dependence: Dependence) -> str:
    return "".join(f"\n- {bank} {one.note}.\n" for bank, one in dependence.loadings.items() if one.note)


def _pairs(dependence: Dependence) -> str:
    return markdown(
        ("banks", "applications", "both refuse", "if independent", "by the loadings"),
        [
            (
                " and ".join(pair.banks),
                f"{pair.applications:,}",
                f"{pair.observed:.1%}",
                f"{pair.independent:.1%}",
                f"{pair.expected:.1%}",
            )
            for pair in dependence.pairs
        ],
    )


def _fairness(data: Dataset, models: Sequence[Model]) -> str:
    rows = [
        (
            model.bank.id,
            group.feature,
            group.label,
            f"{group.rows:,}",
            f"{group.approved:.1%}",
            f"{group.gap:+.1%} ({group.gap_interval[0]:+.1%} to {group.gap_interval[1]:+.1%})",
            f"{group.calibration:+.1%} ({group.calibration_interval[0]:+.1%} to {group.calibration_interval[1]:+.1%})",
        )
        for model in models
        for group in model.groups
    ]
    if not data.configuration.protected:
        return "`training.json` names no protected feature."
    return markdown(("bank", "feature", "group", "rows", "approved", "gap", "calibration"), rows)


def _prices(models: Sequence[Model]) -> str:
    return markdown(
        ("bank", "without", "log loss", "AUC"),
        [
            (
                model.bank.id,
                ", ".join(price.without),
                f"{price.log_loss:+.4f} (se {price.error:.4f})",
                f"{-price.auc:+.4f}",
            )
            for model in models
            for price in model.prices
        ],
    )


def _dates(data: Dataset) -> str:
    text = f"{data.matrix.shape[0]:,} applications of {len(set(data.applicants.tolist())):,} applicants"
    if data.days is None:
        return f"{text}, without dates."
    first, last = (date(1970, 1, 1) + timedelta(days=int(day)) for day in (data.days.min(), data.days.max()))
    return f"{text}, from {first} to {last}."


def _left_out(data: Dataset) -> str:
    names = data.configuration.leave_out
    return f"- Left out on purpose: {', '.join(names)}.\n" if names else ""


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are aligned right."""
    if not rows:
        return "Nothing to report."
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
