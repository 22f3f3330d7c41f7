"""The exploration report: what a table of applications holds, before anything is trained; one HTML file.

Every table says how sure its figures are: approval rates have 95 % intervals, and information value is set beside what
chance alone gives. What looks like a leak, a duplicate or a shift is listed first.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
import numpy.typing as npt

from . import metrics
from .charts import Series, bars, curves, heat, page, table
from .configuration import CATEGORICAL, Bank, Feature
from .dataset import NO_ANSWER, Dataset, read_table
from .drift import decile_edges, population_stability, shares_in

BINS: Final = 10
MAX_VALUES: Final = 12
LEAK_AUC: Final = 0.95
"""One answer that tells a decision this well was probably written down after it."""
LEAK_MISSING: Final = 0.25
"""A difference of approval rates between answered and missing that is this large is suspicious, too."""

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Bin:
    """Applications with one kind of answer."""

    label: str
    rows: Mask


def exploration_report(name: str, data: Dataset, raw: bytes) -> str:
    """Return the report on the applications, whose table was `raw`, as HTML."""
    findings = [*data.warnings, *_duplicates(data, raw), *_leaks(data), *_shifts(data)]
    listed = "".join(f"<li>{escape(finding)}</li>" for finding in findings) or "<li>nothing doubtful</li>"
    parts = [
        f"<p>{data.matrix.shape[0]:,} applications, {len(set(data.applicants.tolist())):,} applicants, "
        f"{len(data.configuration.features)} features, {len(data.configuration.banks)} banks.</p>",
        f"<h2>To look at first</h2><ul>{listed}</ul>",
        "<h2>Banks</h2>",
        _banks(data),
        "<h2>Missing answers</h2>",
        _missing(data),
        "<h2>Which answers go with the decisions</h2>",
        _information(data),
        "<h2>Over time</h2>" if data.days is not None else "",
        _time(data),
        "<h2>Answers</h2>",
        *(_feature(data, column) for column in range(len(data.configuration.features))),
    ]
    return page(f"Exploration: {name}", "\n".join(parts))


def information_value(labels: npt.NDArray[np.int8], bins: Sequence[Mask]) -> float:
    """Return the information value of a binned feature: sum of (yes share - no share) * ln of their ratio.

    Half an application is added to each bin and class, so that an empty one counts.
    """
    yes = np.array([np.sum(labels[rows] == 1) for rows in bins], float) + 0.5
    no = np.array([np.sum(labels[rows] == 0) for rows in bins], float) + 0.5
    a, b = yes / yes.sum(), no / no.sum()
    return float(np.sum((a - b) * np.log(a / b)))


def bins_of(feature: Feature, values: Floats) -> list[Bin]:
    """Return the feature's bins: categories (the rarer ones together), deciles of numbers, and missing."""
    missing = np.isnan(values)
    found = []
    if feature.kind in CATEGORICAL or feature.kind == "code":
        codes, counts = np.unique(values[~missing], return_counts=True)
        often = np.sort(codes[np.argsort(-counts, kind="stable")[:MAX_VALUES]])
        for code in often:
            known = 0 <= code < len(feature.labels)
            label = feature.labels[int(code)] if known else "unknown" if code == -1 else f"{code:g}"
            found.append(Bin(label, values == code))
        found.append(Bin("others", ~missing & ~np.isin(values, often)))
    else:
        edges = [-np.inf, *decile_edges(values), np.inf]
        for low, high in itertools.pairwise(edges):
            label = f"< {high:.4g}" if low == -np.inf else f"{low:.4g} …"
            found.append(Bin(label, (values >= low) & (values < high)))
    found.append(Bin("missing", missing))
    return [one for one in found if one.rows.any()]


def _banks(data: Dataset) -> str:
    rows = []
    for bank in data.configuration.banks:
        labels = data.decisions[bank.id]
        known = labels != NO_ANSWER
        low, high = metrics.wilson(int((labels == 1).sum()), int(known.sum()))
        rate = float(labels[known].mean()) if known.any() else float("nan")
        rows.append(
            (
                bank.id,
                f"{known.sum():,}",
                f"{(~known).sum():,}",
                f"{rate:.1%}",
                f"{low:.1%} to {high:.1%}",
            )
        )
    names = [bank.id for bank in data.configuration.banks]
    values = [[_correlation(data, a, b) for b in names] for a in names]
    header = ("bank", "decisions", "no answer", "approved", "95 % interval")
    return (
        table(header, rows)
        + f'<div class="charts">{heat("Correlation of decisions between banks (phi)", names, values)}</div>'
    )


def _correlation(data: Dataset, first: str, second: str) -> float:
    a, b = data.decisions[first], data.decisions[second]
    both = (a != NO_ANSWER) & (b != NO_ANSWER)
    if both.sum() < 2 or a[both].std() == 0 or b[both].std() == 0:
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])


def _missing(data: Dataset) -> str:
    shares = np.isnan(data.matrix).mean(axis=0)
    order = np.argsort(-shares, kind="stable")
    names = [data.configuration.names[at] for at in order]
    per_row = np.isnan(data.matrix).sum(axis=1)
    counts = np.bincount(per_row)
    return (
        '<div class="charts">'
        + bars("Share of missing answers", names, [float(shares[at]) for at in order])
        + bars(
            "Applications by number of missing features",
            [str(number) for number in range(counts.size)],
            [float(count) for count in counts],
        )
        + "</div>"
    )


def _information(data: Dataset) -> str:
    rows = []
    for column, feature in enumerate(data.configuration.features):
        values = data.matrix[:, column].astype(float)
        bins = bins_of(feature, values)
        cells = []
        for bank in data.configuration.banks:
            labels, known = data.decisions[bank.id], data.decisions[bank.id] != NO_ANSWER
            yes = int((labels == 1).sum())
            no = int((labels == 0).sum())
            masks = [one.rows & known for one in bins]
            # Under no relation 1/(1/yes + 1/no) * IV is near chi-squared with bins - 1 degrees of freedom.
            chance = (len(bins) - 1) * (1 / max(1, yes) + 1 / max(1, no))
            cells.append(f"{information_value(labels, masks):.4f} ({chance:.4f})")
        rows.append((feature.name, *cells))
    return (
        '<p class="note">Information value; in parentheses what chance alone gives on average. Under 0.02 is nothing, '
        "0.1 to 0.3 medium, above 0.5 suspiciously strong.</p>"
        + table(("feature", *(bank.id for bank in data.configuration.banks)), rows)
    )


def _time(data: Dataset) -> str:
    if data.days is None:
        return ""
    months = (np.datetime64("1970-01-01") + data.days).astype("datetime64[M]")
    names, index = np.unique(months, return_inverse=True)
    places = [float(at) for at in range(names.size)]
    shown = [str(name) for name in names]
    series = []
    for bank in data.configuration.banks:
        labels = data.decisions[bank.id]
        known = labels != NO_ANSWER
        answered = np.maximum(1, np.bincount(index[known], minlength=names.size))
        approved = np.bincount(index[known], weights=labels[known], minlength=names.size)
        series.append(Series(bank.id, places, (approved / answered).tolist()))
    counts = [float(count) for count in np.bincount(index, minlength=names.size)]
    return (
        '<div class="charts">'
        + curves("Approval rate by month", series, x_names=shown)
        + bars("Applications by month", shown, counts)
        + "</div>"
    )


def _feature(data: Dataset, column: int) -> str:
    feature = data.configuration.features[column]
    bins = bins_of(feature, data.matrix[:, column].astype(float))
    names = [one.label for one in bins]
    charts = [bars("Applications", names, [float(one.rows.sum()) for one in bins])]
    for bank in data.configuration.banks:
        rates, intervals = _rates(data, bank, bins)
        charts.append(bars(f"Approval rate of {bank.id}, 95 % intervals", names, rates, intervals=intervals))
    return f'<h3>{escape(feature.label)} ({feature.name})</h3><div class="charts">{"".join(charts)}</div>'


def _rates(data: Dataset, bank: Bank, bins: Sequence[Bin]) -> tuple[list[float], list[tuple[float, float]]]:
    labels = data.decisions[bank.id]
    rates, intervals = [], []
    for one in bins:
        own = labels[one.rows & (labels != NO_ANSWER)]
        rates.append(float(own.mean()) if own.size else 0.0)
        intervals.append(metrics.wilson(int((own == 1).sum()), own.size))
    return rates, intervals


def _duplicates(data: Dataset, raw: bytes) -> list[str]:
    rows = read_table(raw).rows
    configuration = data.configuration
    findings = []
    first: dict[tuple[object, ...], int] = {}
    repeats, disagreements = [], []
    for number, key in enumerate(zip(data.applicants.tolist(), map(bytes, data.matrix), strict=True)):
        earlier = first.setdefault(key, number)
        if earlier == number:
            continue
        repeats.append((earlier + 1, number + 1))
        for bank in configuration.banks:
            pair = data.decisions[bank.id][earlier], data.decisions[bank.id][number]
            if NO_ANSWER not in pair and pair[0] != pair[1]:
                disagreements.append((earlier + 1, number + 1, bank.id))
    if repeats:
        a, b = repeats[0]
        findings.append(f"{len(repeats)} of {len(rows)} rows repeat an earlier application (such as {a} and {b})")
    if disagreements:
        a, b, bank_id = disagreements[0]
        findings.append(
            f"{len(disagreements)} times a bank decided otherwise on the same application (such as {bank_id} on "
            f"rows {a} and {b})"
        )
    return findings


def _leaks(data: Dataset) -> list[str]:
    findings = []
    for column, feature in enumerate(data.configuration.features):
        values = data.matrix[:, column].astype(float)
        missing = np.isnan(values)
        for bank in data.configuration.banks:
            labels = data.decisions[bank.id]
            known = labels != NO_ANSWER
            own = known & ~missing
            if 0 < labels[own].sum() < own.sum():
                auc = metrics.auc(labels[own], values[own])
                if max(auc, 1 - auc) > LEAK_AUC:
                    findings.append(
                        f"{feature.name} alone tells the decisions of {bank.id} (AUC {max(auc, 1 - auc):.3f}): was "
                        "it known before the decision?"
                    )
            counts = int((known & missing).sum()), int(own.sum())
            if min(counts) < 100:
                continue
            gap = float(labels[known & missing].mean() - labels[own].mean())
            if abs(gap) > LEAK_MISSING:
                findings.append(
                    f"where {feature.name} is missing {bank.id} approves {gap:+.0%} more than elsewhere: is it filled "
                    "in after the decision?"
                )
    return findings


def _shifts(data: Dataset) -> list[str]:
    if data.days is None:
        return []
    early = data.days < int((int(data.days.min()) + int(data.days.max())) / 2)
    findings = []
    for column, feature in enumerate(data.configuration.features):
        values = data.matrix[:, column].astype(float)
        edges = decile_edges(values[early])
        psi = population_stability(shares_in(values[early], edges), shares_in(values[~early], edges))
        if psi > 0.1:
            findings.append(f"{feature.name} shifted between the halves of the time: PSI {psi:.2f}")
    for bank in data.configuration.banks:
        labels = data.decisions[bank.id]
        known = labels != NO_ANSWER
        halves = [labels[known & half] for half in (early, ~early)]
        if min(half.size for half in halves) < 100:
            continue
        rates = [float(half.mean()) for half in halves]
        error = np.sqrt(sum(r * (1 - r) / h.size for r, h in zip(rates, halves, strict=True)))
        if abs(rates[1] - rates[0]) > 4 * error:
            findings.append(
                f"{bank.id} approved {rates[0]:.1%} in the earlier half of the time and {rates[1]:.1%} in the later: "
                "has its policy changed?"
            )
    return findings
