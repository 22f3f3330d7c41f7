"""The training report: one HTML file that says, bank by bank, whether there was anything to learn and how well."""

import itertools
from collections.abc import Sequence
from html import escape

from .charts import Series, curves, page, table
from .dataset import Dataset
from .dependence import Dependence
from .drift import decile_edges, population_stability, shares_in
from .evidence import THRESHOLD
from .models import Model


def training_report(
    version: str, data: Dataset, models: Sequence[Model], dependence: Dependence | None, *, title: str
) -> str:
    """Return the report as HTML."""
    warnings = "".join(f"<li>{escape(warning)}</li>" for warning in data.warnings)
    body = [
        f"<p>{data.matrix.shape[0]:,} applications, {len(models)} banks. {_tested(models)}</p>",
        f"<ul>{warnings}</ul>" if warnings else "",
        "<h2>Was there anything to learn?</h2>",
        _verdicts(models),
        *(_bank(model) for model in models),
        _dependence(dependence) if dependence else "",
        "<h2>Stability of the answers over time</h2>" if data.days is not None else "",
        _stability(data),
    ]
    return page(f"Training report: {title}, version {version}", "\n".join(body))


def _tested(models: Sequence[Model]) -> str:
    if models[0].measured_later:
        return "Quality is measured on the latest applications, held out from every choice."
    return "Quality is measured out of fold, in nested cross-validation."


def _verdicts(models: Sequence[Model]) -> str:
    rows = [
        (
            model.bank.id,
            f'<span class="{"good" if found.signal else "bad"}">'
            f"{'signal' if found.signal else 'no evidence of signal'}</span>",
            f"{found.auc:.3f}",
            f"{found.low:.3f} to {found.high:.3f}",
            f"{found.p_value:.3f}",
            f"{found.applications:,}",
        )
        for model in models
        for found in [model.evidence]
    ]
    points = Series(
        "AUC",
        list(range(len(models))),
        [model.evidence.auc for model in models],
        [model.evidence.low for model in models],
        [model.evidence.high for model in models],
        line=False,
    )
    ends = [-0.5, len(models) - 0.5]
    gate = Series(f"gate {THRESHOLD}", ends, [THRESHOLD, THRESHOLD])
    header = ("bank", "verdict", "AUC out of fold", "95 % interval", "permutation p", "decisions")
    names = [model.bank.id for model in models]
    return (
        table(header, rows)
        + '<div class="charts">'
        + curves("AUC with 95 % interval, and the gate", [points, gate], x_names=names)
        + "</div>"
    )


def _bank(model: Model) -> str:
    m = model.measured
    bins = m.bins
    reliability = Series(
        "observed",
        [one.predicted for one in bins],
        [one.observed for one in bins],
        [one.low for one in bins],
        [one.high for one in bins],
        line=False,
    )
    charts = [
        curves(
            "Reliability: observed over predicted, 95 % intervals",
            [reliability],
            x_label="predicted",
            diagonal=True,
        ),
        _families_chart(model),
        _band_chart(model),
    ]
    if model.months:
        places = list(range(len(model.months)))
        charts.append(
            curves(
                "Approval rate by month",
                [
                    Series("observed", places, [one.approved for one in model.months]),
                    Series("predicted", places, [one.predicted for one in model.months]),
                ],
                x_names=[one.month for one in model.months],
            )
        )
    best = model.best
    figures = [
        ("model", model.family.title),
        ("applications learned from", f"{model.learned:,}"),
        ("applications tested on", f"{m.rows:,}"),
        ("AUC", f"{m.auc:.4f}" + (f" (best possible {best.auc:.4f})" if best else "")),
        ("log loss", f"{m.log_loss:.4f}" + (f" (best possible {best.log_loss:.4f})" if best else "")),
        ("Brier", f"{m.brier:.4f} ({m.brier_interval[0]:.4f} to {m.brier_interval[1]:.4f})"),
        ("ECE", f"{m.ece:.4f} ({m.ece_interval[0]:.4f} to {m.ece_interval[1]:.4f})"),
    ]
    if best:
        figures.append(("true probabilities inside the band", f"{best.covered:.1%}"))
    if model.window:
        tried = ", ".join(f"{share:.0%}: {loss:.4f}" for share, loss in model.window.log_losses.items())
        figures.append(("history used", f"latest {model.window.share:.0%} (log loss by window: {tried})"))
    return (
        f"<h2>{escape(model.bank.title)} ({escape(model.bank.id)})</h2>"
        f'<p class="{"good" if model.evidence.signal else "bad"}">{escape(model.evidence.sentence())}</p>'
        + table(("figure", "value"), figures)
        + f'<div class="charts">{"".join(charts)}</div>'
        + _families(model)
        + _fairness(model)
    )


def _families_chart(model: Model) -> str:
    candidates = model.comparison.candidates
    points = Series(
        "excess",
        list(range(len(candidates))),
        [one.excess for one in candidates],
        [one.excess - one.excess_error for one in candidates],
        [one.excess + one.excess_error for one in candidates],
        line=False,
    )
    names = [one.family.title for one in candidates]
    return curves("Log loss above the best family's, with one standard error", [points], x_names=names)


def _band_chart(model: Model) -> str:
    inner = [0.0, *model.band.edges, 1.0]
    middles = [(low + high) / 2 for low, high in itertools.pairwise(inner)]
    series = [
        Series("above", middles, list(model.band.above)),
        Series("below", middles, [-value for value in model.band.below]),
    ]
    return curves("Band around the probability", series, x_label="probability")


def _families(model: Model) -> str:
    rows = [
        (
            f"<strong>{one.family.title}</strong>" if one is model.comparison.winner else one.family.title,
            f"{one.log_loss:.4f}",
            f"+{one.excess:.4f} (se {one.excess_error:.4f})",
            f"{one.auc:.4f}",
        )
        for one in model.comparison.candidates
    ]
    return "<h3>Families, out of fold</h3>" + table(("family", "log loss", "above the best", "AUC"), rows)


def _fairness(model: Model) -> str:
    rows = [
        (
            f"{group.feature}: {group.label}",
            f"{group.rows:,}",
            f"{group.approved:.1%}",
            f"{group.gap:+.1%} ({group.gap_interval[0]:+.1%} to {group.gap_interval[1]:+.1%})",
            f"{group.calibration:+.1%} ({group.calibration_interval[0]:+.1%} to {group.calibration_interval[1]:+.1%})",
        )
        for group in model.groups
    ]
    prices = [
        (", ".join(one.without), f"{one.log_loss:+.4f} (se {one.error:.4f})", f"{-one.auc:+.4f}")
        for one in model.prices
    ]
    header = ("group", "rows", "approved", "gap to the others", "predicted minus observed")
    return (
        "<h3>Fairness</h3>"
        + table(header, rows)
        + "<h3>Price of leaving a protected feature out</h3>"
        + table(("without", "log loss", "AUC"), prices)
    )


def _dependence(dependence: Dependence) -> str:
    banks = list(dependence.loadings)
    found = list(dependence.loadings.values())
    loadings = Series(
        "loading",
        list(range(len(banks))),
        [one.value for one in found],
        [one.low for one in found],
        [one.high for one in found],
        line=False,
    )
    pairs = [
        (
            " and ".join(pair.banks),
            f"{pair.applications:,}",
            f"{pair.observed:.1%}",
            f"{pair.independent:.1%}",
            f"{pair.expected:.1%}",
        )
        for pair in dependence.pairs
    ]
    header = ("banks", "applications", "both refuse", "if independent", "by the loadings")
    notes = "".join(
        f"<li>{escape(bank)} {escape(one.note)}</li>" for bank, one in dependence.loadings.items() if one.note
    )
    return (
        "<h2>Do refusals hang together beyond the answers?</h2>"
        + (f"<ul>{notes}</ul>" if notes else "")
        + '<div class="charts">'
        + curves("Loading on the hidden factor, 95 % interval", [loadings], x_names=banks)
        + "</div>"
        + table(header, pairs)
    )


def _stability(data: Dataset) -> str:
    if data.days is None:
        return ""
    half = data.days < int((data.days.min() + data.days.max()) / 2)
    rows = []
    for column, feature in enumerate(data.configuration.features):
        values = data.matrix[:, column].astype(float)
        edges = decile_edges(values[half])
        psi = population_stability(shares_in(values[half], edges), shares_in(values[~half], edges))
        rows.append((feature.name, f"{psi:.4f}"))
    rows.sort(key=lambda row: -float(row[1]))
    return "<p>PSI of the later half of the time against the earlier; above 0.1 is a shift.</p>" + table(
        ("feature", "PSI"), rows
    )
