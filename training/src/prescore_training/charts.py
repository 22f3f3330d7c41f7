"""Charts as inline SVG for the reports: a page with them is one file that needs nothing else.

Plain marks with axes and a title; the figures themselves are in the tables beside them. A chart that gets no data
says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 460
HEIGHT: Final = 250
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 30, 44
COLOURS: Final = ("#2864a8", "#c2571a", "#3b8a4c", "#8a4fa8", "#7d7d1e", "#a83253")

PAGE_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1d2430; margin: 2rem auto; max-width: 1060px; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { margin-top: 2.2rem; border-bottom: 1px solid #d5dae2 } h3 { margin: 1.3rem 0 .4rem }
table { border-collapse: collapse; margin: .6rem 0; font-size: 13.5px }
th, td { padding: .22rem .6rem; border-bottom: 1px solid #e4e8ee; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left } th { background: #f4f6f9 }
.charts { display: flex; flex-wrap: wrap; gap: .8rem } svg { background: #fff; border: 1px solid #e4e8ee }
.bad { color: #a01818; font-weight: 600 } .good { color: #1c6b33; font-weight: 600 } .note { color: #5b6675 }
"""


@dataclass(frozen=True)
class Series:
    """Points of one colour; with `low` and `high` each has an interval."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    line: bool = True


def page(title: str, body: str) -> str:
    """Return a whole HTML page."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{PAGE_STYLE}</style></head>\n'
        f"<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table; cells are text, or HTML when they begin with `<`."""
    if not rows:
        return '<p class="note">Nothing to show.</p>'

    def line(cells: Sequence[str], tag: str) -> str:
        shown = (cell if cell.startswith("<") else escape(cell) for cell in cells)
        return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in shown) + "</tr>"

    return "<table>" + line(header, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def bars(
    title: str,
    labels: Sequence[str],
    values: Sequence[float],
    *,
    intervals: Sequence[tuple[float, float]] = (),
    unit: str = "",
) -> str:
    """Return a chart of upright bars from 0, with whiskers where intervals are given."""
    if not values:
        return _empty(title)
    top = max([*values, *(high for _, high in intervals), 1e-9]) * 1.05
    step = (WIDTH - LEFT - RIGHT) / len(values)
    marks = []
    for at, (label, value) in enumerate(zip(labels, values, strict=True)):
        x, y = LEFT + at * step, _y(value, 0, top)
        marks.append(
            f'<rect x="{x + step * 0.12:.1f}" y="{y:.1f}" width="{step * 0.76:.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}" fill="{COLOURS[0]}"><title>{escape(label)}: {value:.4g}</title></rect>'
        )
        if intervals:
            marks.append(_whisker(x + step / 2, *intervals[at], 0, top))
        if len(values) <= 14 or at % (len(values) // 10 + 1) == 0:
            short = label if len(label) <= 12 else f"{label[:11]}…"
            marks.append(
                f'<text x="{x + step / 2:.1f}" y="{HEIGHT - BOTTOM + 12}" font-size="9" text-anchor="end" '
                f'transform="rotate(-28 {x + step / 2:.1f} {HEIGHT - BOTTOM + 12})">{escape(short)}</text>'
            )
    return _frame(title, "".join(marks), _ticks(0, top, unit))


def curves(
    title: str,
    series: Sequence[Series],
    *,
    x_label: str = "",
    y_label: str = "",
    x_names: Sequence[str] = (),
    diagonal: bool = False,
) -> str:
    """Return a chart of lines or points; `x_names` label the whole numbers of x."""
    xs = [x for one in series for x in one.x]
    ys = [y for one in series for y in (*one.y, *one.low, *one.high)]
    if not xs:
        return _empty(title)
    x0, x1 = (min([*xs, 0.0]), max([*xs, 1.0])) if diagonal else (min(xs), max(xs))
    y0, y1 = (x0, x1) if diagonal else (min(ys), max(ys))
    pad = (y1 - y0) * 0.06 or 0.05
    y0, y1 = (y0, y1) if diagonal else (y0 - pad, y1 + pad)
    marks = []
    if diagonal:
        ends = [(_x(v, x0, x1), _y(v, y0, y1)) for v in (x0, x1)]
        marks.append(_path(ends, "#9aa4b2", dashed=True))
    for at, one in enumerate(series):
        colour = COLOURS[at % len(COLOURS)]
        points = [(_x(x, x0, x1), _y(y, y0, y1)) for x, y in zip(one.x, one.y, strict=True)]
        if one.line:
            marks.append(_path(points, colour))
        for place, (x, y) in enumerate(points):
            if one.low:
                marks.append(_whisker(x, one.low[place], one.high[place], y0, y1))
            marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>')
        if len(series) > 1:
            marks.append(
                f'<text x="{WIDTH - RIGHT - 4}" y="{TOP + 12 + 13 * at}" font-size="11" text-anchor="end" '
                f'fill="{colour}">{escape(one.name)}</text>'
            )
    marks.append(_x_axis(x0, x1, x_names))
    marks.append(
        f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" font-size="11" text-anchor="middle">{escape(x_label)}</text>'
    )
    return _frame(f"{title}{f' ({y_label})' if y_label else ''}", "".join(marks), _ticks(y0, y1, ""))


def heat(title: str, names: Sequence[str], values: Sequence[Sequence[float]]) -> str:
    """Return a square of correlations, -1 red, 0 white, +1 blue."""
    if not names:
        return _empty(title)
    cell = min(46.0, (WIDTH - 110) / len(names))
    height = int(TOP + 26 + cell * len(names))
    marks = []
    for row, line in enumerate(values):
        y = TOP + row * cell
        marks.append(
            f'<text x="92" y="{y + cell / 2 + 4:.1f}" font-size="11" text-anchor="end">{escape(names[row])}</text>'
        )
        for column, value in enumerate(line):
            x, strength = 98 + column * cell, int(255 - 190 * min(1.0, abs(value)))
            colour = f"rgb({strength},{strength},255)" if value >= 0 else f"rgb(255,{strength},{strength})"
            marks.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" height="{cell - 1:.1f}" fill="{colour}"/>'
                f'<text x="{x + cell / 2:.1f}" y="{y + cell / 2 + 4:.1f}" font-size="10" text-anchor="middle">'
                f"{value:.2f}</text>"
            )
    return _svg(title, "".join(marks), height)


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (value - low) / ((high - low) or 1.0) * (WIDTH - LEFT - RIGHT)


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - BOTTOM - (value - low) / ((high - low) or 1.0) * (HEIGHT - TOP - BOTTOM)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _whisker(x: float, low: float, high: float, y0: float, y1: float) -> str:
    a, b = _y(low, y0, y1), _y(high, y0, y1)
    return f'<path d="M{x:.1f} {a:.1f}V{b:.1f}M{x - 3:.1f} {a:.1f}h6M{x - 3:.1f} {b:.1f}h6" stroke="#333"/>'


def _path(points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False) -> str:
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<path d="M{steps}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>'


def _ticks(low: float, high: float, unit: str) -> str:
    marks = []
    for at in range(5):
        value = low + (high - low) * at / 4
        y = _y(value, low, high)
        marks.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#eceff3"/>'
            f'<text x="{LEFT - 5}" y="{y + 3.5:.1f}" font-size="10" text-anchor="end">{_number(value)}{unit}</text>'
        )
    return "".join(marks)


def _x_axis(low: float, high: float, names: Sequence[str]) -> str:
    marks = []
    if names:
        every = len(names) // 8 + 1
        places = [(float(at), name) for at, name in enumerate(names) if at % every == 0]
    else:
        places = [(v, _number(v)) for v in (low + (high - low) * at / 5 for at in range(6))]
    for value, name in places:
        marks.append(
            f'<text x="{_x(value, low, high):.1f}" y="{HEIGHT - BOTTOM + 14}" font-size="10" '
            f'text-anchor="middle">{escape(name)}</text>'
        )
    return "".join(marks)


def _frame(title: str, marks: str, grid: str) -> str:
    axes = f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="#7b8494"/>'
    return _svg(title, grid + marks + axes, HEIGHT)


def _svg(title: str, marks: str, height: int) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'font-family="system-ui, sans-serif"><title>{escape(title)}</title>'
        f'<text x="10" y="18" font-size="12.5" font-weight="600">{escape(title)}</text>{marks}</svg>'
    )


def _empty(title: str) -> str:
    return _svg(title, f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">no data</text>', HEIGHT)
