/**
 * Charts as SVG, drawn on the server: plain shapes whose colours the style sheet gives, so that they follow the dark mode and
 * the printer. Each says in words what it shows.
 */
import type { FC } from "hono/jsx";
import type { Curve, Interval } from "../scoring/decision.ts";
import { DAY_MS } from "../scoring/features.ts";

type Piece = Curve["pieces"][number];

const SCALE = { width: 400, height: 30, bar: 10 } as const;

interface ScaleProps {
  /** From 0 to 1, as the interval. */
  readonly probability: number;
  readonly interval: Interval | undefined;
  /** What an offer should reach. */
  readonly target: number;
  readonly label: string;
}

/** A probability on a scale from 0 to 1, with its interval and the target. */
export const ChanceScale: FC<ScaleProps> = ({ probability, interval, target, label }) => {
  const { width, height, bar } = SCALE;
  const x = (share: number) => round(8 + share * (width - 16));
  const top = (height - bar) / 2;
  return (
    <svg class="scale" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <rect class="track" x={x(0)} y={top} width={x(1) - x(0)} height={bar} rx={bar / 2} />
      {interval
        ? (
          <rect
            class="interval"
            x={x(interval.low)}
            y={top}
            width={Math.max(2, round(x(interval.high) - x(interval.low)))}
            height={bar}
            rx={bar / 2}
          />
        )
        : null}
      <line class="target" x1={x(target)} x2={x(target)} y1={3} y2={height - 3} />
      <circle class="dot" cx={x(probability)} cy={height / 2} r="7" />
    </svg>
  );
};

const CURVE = { width: 640, height: 220, left: 44, right: 14, top: 12, bottom: 30 } as const;

interface CurveProps {
  readonly pieces: readonly Piece[];
  readonly asked: { readonly amount: number; readonly probability: number } | undefined;
  readonly turns: readonly Turn[];
  readonly label: string;
  readonly money: (amount: number) => string;
  readonly percent: (share: number) => string;
}

/** The chance over the amount, exact: a step wherever it changes. */
export const CurveChart: FC<CurveProps> = (
  { pieces, asked, turns, label, money, percent },
) => {
  const [first, last] = [pieces[0], pieces.at(-1)];
  if (first === undefined || last === undefined) return null;
  const { width, height, left, right, top, bottom } = CURVE;
  const span = Math.max(1, last.to - first.from);
  const x = (amount: number) =>
    round(
      left +
        (Math.min(Math.max(amount, first.from), last.to) - first.from) / span *
          (width - left - right),
    );
  const y = (share: number) => round(top + (1 - share) * (height - top - bottom));
  const steps = pieces.map(({ to, probability }, at) => {
    const next = pieces[at + 1];
    return `V${y(probability)}H${x(next?.from ?? to)}`;
  });
  const path = `M${x(first.from)} ${y(first.probability)}${steps.join("")}`;
  const area = `${path}V${y(0)}H${x(first.from)}Z`;
  return (
    <svg class="curve" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {[0, 0.25, 0.5, 0.75, 1].map((share) => (
        <>
          <line
            class={share === 0.5 ? "grid half" : "grid"}
            x1={left}
            x2={width - right}
            y1={y(share)}
            y2={y(share)}
          />
          <text class="axis" x={left - 6} y={y(share) + 4} text-anchor="end">{percent(share)}</text>
        </>
      ))}
      <text class="axis" x={left} y={height - 10} text-anchor="start">{money(first.from)}</text>
      <text class="axis" x={width - right} y={height - 10} text-anchor="end">{money(last.to)}</text>
      <path class="area" d={area} />
      <path class="line" d={path} />
      {turns.map(({ from }) => <line class="turn" x1={x(from)} x2={x(from)} y1={y(1)} y2={y(0)} />)}
      {asked
        ? (
          <>
            <line class="asked" x1={x(asked.amount)} x2={x(asked.amount)} y1={y(1)} y2={y(0)} />
            <circle class="dot" cx={x(asked.amount)} cy={y(asked.probability)} r="6" />
          </>
        )
        : null}
    </svg>
  );
};

/** Where approval turns from likelier than refusal to less likely, or back: the last amount before, and the first after. */
export interface Turn {
  readonly to: number;
  readonly from: number;
  readonly before: number;
  readonly after: number;
}

const EVEN = 0.5;

/** All turns of a curve, in the order of their amounts. */
export function turnsOf(pieces: readonly Piece[]): readonly Turn[] {
  return pieces.flatMap(({ to, probability: before }, at) => {
    const next = pieces[at + 1];
    if (next === undefined || (before >= EVEN) === (next.probability >= EVEN)) return [];
    return [{ to, from: next.from, before, after: next.probability }];
  });
}

const FALL = { width: 240, height: 16 } as const;

interface StepProps {
  readonly from: number;
  readonly to: number;
  /** The least and the greatest log-odds of the waterfall. */
  readonly bounds: readonly [number, number];
  readonly kind: "sum" | "for" | "against";
}

/** One step of a waterfall; the row's text says what it is. */
export const FallStep: FC<StepProps> = ({ from, to, bounds: [low, high], kind }) => {
  const { width, height } = FALL;
  const x = (logOdds: number) => round((logOdds - low) / Math.max(high - low, 1e-9) * width);
  const [left, right] = [x(Math.min(from, to)), x(Math.max(from, to))];
  return (
    <svg
      class="fall"
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden="true"
      preserveAspectRatio="none"
    >
      <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2={height} />
      <rect
        class={kind}
        x={left}
        y="2"
        width={Math.max(1.5, round(right - left))}
        height={height - 4}
        rx="2"
      />
    </svg>
  );
};

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const BARS = { width: 640, height: 110, gap: 2, axis: 18 } as const;

interface HistogramProps {
  /** Counts of two things over the same bins of a probability from 0 to 1. */
  readonly series: readonly [readonly number[], readonly number[]];
  readonly label: string;
}

/** Two distributions over the same bins: the first filled, the second as an outline before it. */
export const Histogram: FC<HistogramProps> = ({ series, label }) => {
  const { width, height, gap, axis } = BARS;
  const [first] = series;
  const bin = width / Math.max(1, first.length);
  const shares = series.map((counts) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => all === 0 ? 0 : count / all);
  });
  const most = Math.max(...shares.flat(), 1e-9);
  const tall = (share: number) => round(share / most * (height - axis - 4));
  return (
    <svg class="histogram" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {shares.map((counts, at) =>
        counts.map((share, index) => (
          <rect
            class={at === 0 ? "first" : "second"}
            x={round(index * bin + gap)}
            y={height - axis - tall(share)}
            width={round(bin - 2 * gap)}
            height={tall(share)}
          />
        ))
      )}
      <line class="grid" x1="0" x2={width} y1={height - axis} y2={height - axis} />
      {[0, 0.25, 0.5, 0.75, 1].map((share) => (
        <text
          class="axis"
          x={round(share * width)}
          y={height - 4}
          text-anchor={share === 0 ? "start" : share === 1 ? "end" : "middle"}
        >
          {`${share * 100} %`}
        </text>
      ))}
    </svg>
  );
};

const SQUARE = { size: 240, left: 46, bottom: 24, top: 8 } as const;

interface CalibrationProps {
  readonly points: readonly {
    readonly expected: number;
    readonly rate: { readonly value: number; readonly low: number; readonly high: number };
    readonly doubtful: boolean;
  }[];
  readonly label: string;
}

/** What came true over what was expected: on the diagonal the estimates are honest. */
export const Calibration: FC<CalibrationProps> = ({ points, label }) => {
  const { size, left, bottom, top } = SQUARE;
  const x = (share: number) => round(left + share * (size - left - top));
  const y = (share: number) => round(top + (1 - share) * (size - top - bottom));
  return (
    <svg class="calibration" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      {[0, 0.5, 1].map((share) => (
        <>
          <line class="grid" x1={x(0)} x2={x(1)} y1={y(share)} y2={y(share)} />
          <text class="axis" x={left - 5} y={y(share) + 4} text-anchor="end">
            {`${share * 100} %`}
          </text>
          <text class="axis" x={x(share)} y={size - 6} text-anchor={share === 1 ? "end" : "middle"}>
            {`${share * 100} %`}
          </text>
        </>
      ))}
      <line class="half" x1={x(0)} x2={x(1)} y1={y(0)} y2={y(1)} />
      {points.map(({ expected, rate, doubtful }) => (
        <>
          <line
            class="whisker"
            x1={x(expected)}
            x2={x(expected)}
            y1={y(rate.low)}
            y2={y(rate.high)}
          />
          <circle
            class={doubtful ? "dot doubtful" : "dot"}
            cx={x(expected)}
            cy={y(rate.value)}
            r="5"
          />
        </>
      ))}
    </svg>
  );
};

const DAYS = { width: 640, height: 130, top: 14, axis: 18, most: 92 } as const;

interface DayBarsProps {
  /** Rising; days without any may be absent. */
  readonly days: readonly { readonly date: string; readonly count: number }[];
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** How many there were each day; over a long time, several days to a bar. */
export const DayBars: FC<DayBarsProps> = ({ days, from, to, label }) => {
  const { width, height, top, axis, most } = DAYS;
  const first = Date.parse(from);
  const dayOf = (date: string) => Math.round((Date.parse(date) - first) / DAY_MS);
  const span = dayOf(to) + 1;
  const each = Math.ceil(span / most);
  const bars = new Array<number>(Math.ceil(span / each)).fill(0);
  for (const { date, count } of days) {
    const at = Math.floor(dayOf(date) / each);
    bars[at] = (bars[at] ?? 0) + count;
  }
  const highest = Math.max(...bars, 1);
  const step = width / bars.length;
  const tall = (count: number) => round(count / highest * (height - axis - top));
  return (
    <svg class="days" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {bars.map((count, at) => (
        <rect
          class="bar"
          x={round(at * step + step * 0.1)}
          y={height - axis - tall(count)}
          width={round(step * 0.8)}
          height={tall(count)}
        />
      ))}
      <line class="grid" x1="0" x2={width} y1={height - axis} y2={height - axis} />
      <text class="axis" x="0" y="10">{String(highest)}</text>
      <text class="axis" x="0" y={height - 4}>{from}</text>
      <text class="axis" x={width} y={height - 4} text-anchor="end">{to}</text>
    </svg>
  );
};

/** A share of the whole as a bar; the text beside it says the number. */
export const ShareBar: FC<{ share: number }> = ({ share }) => (
  <svg class="share" viewBox="0 0 120 10" aria-hidden="true" preserveAspectRatio="none">
    <rect class="track" x="0" y="0" width="120" height="10" />
    <rect class="bar" x="0" y="0" width={round(120 * Math.min(1, share))} height="10" />
  </svg>
);
