/**
 * `deno task bench-change-points`: how often `findChanges` alarms while nothing changes, and how soon it finds what does, over many
 * simulated banks; writes bench/results/change_points.json. `--banks N` sets how many there are of each kind.
 */
import { findChanges, REFERENCE, THRESHOLDS } from "../../analytics/change_points.ts";
import { wilson } from "../../lifecycle/mod.ts";
import { main, readOptions } from "../../tasks/main.ts";
import { type Errors, makeBank, seeded, type Shares, type Shift } from "./world.ts";

const FIELDS = [
  "employment_status",
  "education",
  "value",
  "gender",
  "family_status",
  "snils",
  "goods_category",
];
/** Applications of a bank that are watched where nothing changes. */
const WATCHED = 10_000;
/** Within so many of its applications a change should be found. */
const WITHIN = 300;
/** Where none is found after so many, it counts as not found. */
const PATIENCE = 3000;
/** A change comes after the reference and so many more. */
const BEFORE = [200, 3000] as const;

const ERRORS: Readonly<Record<string, Errors>> = {
  none: { bank: 0, segment: 0, client: 0 },
  usual: { bank: 0.2, segment: 0.1, client: 0.3 },
  bad: { bank: 0.4, segment: 0.2, client: 0.5 },
};

/** Bins of the employment status: no answer, not listed, then as the questionnaire has them. */
const FULL_TIME = { split: 0, bin: 7 };
const SELF_EMPLOYED = { split: 0, bin: 8 };

const CHANGES: Readonly<Record<string, Shift>> = {
  ...Object.fromEntries(
    [-5, -10, -15, -20, -30, 10, 15].map((points) => [`all ${points}`, { points: points / 100 }]),
  ),
  ...Object.fromEntries(
    [-20, -30, -40, -50].map((points) => [
      `self-employed ${points}`,
      { points: points / 100, segment: SELF_EMPLOYED },
    ]),
  ),
  "self-employed all refused": { points: -1, segment: SELF_EMPLOYED },
  "full-time -20": { points: -0.2, segment: FULL_TIME },
};

await main(async () => {
  const { values } = readOptions({ options: { banks: { type: "string", default: "500" } } });
  const banks = Number(values.banks);
  const shares = await readShares();
  const result = {
    ...{ banks, thresholds: THRESHOLDS, reference: REFERENCE, errors: ERRORS },
    falseAlarms: Object.fromEntries(
      Object.entries(ERRORS).map(([name, errors]) => [name, quiet({ banks, shares, errors })]),
    ),
    changes: Object.fromEntries(
      Object.entries(CHANGES).map(([name, shift]) => [name, changed({ banks, shares, shift })]),
    ),
  };
  console.log(JSON.stringify(result, null, 2));
  const file = new URL("../results/change_points.json", import.meta.url);
  await Deno.writeTextFile(file, `${JSON.stringify(result, null, 2)}\n`);
});

/** The shares of the answers in the shipped models' training. */
async function readShares(): Promise<Shares> {
  const url = new URL("../../models/1/drift.json", import.meta.url);
  const { features } = JSON.parse(await Deno.readTextFile(url));
  return FIELDS.map((field) => [features[field].missing, ...features[field].shares]);
}

function quiet(
  { banks, ...world }: { readonly banks: number; readonly shares: Shares; readonly errors: Errors },
) {
  const alarms = Array.from({ length: banks }, (_, seed) => {
    const bank = makeBank({ ...world, random: seeded(seed) });
    return findChanges(Array.from({ length: REFERENCE + WATCHED }, () => bank.decide(false)));
  });
  const all = alarms.flat().length;
  const half = 1.96 * Math.sqrt(
    alarms.reduce((sum, { length }) => sum + (length - all / banks) ** 2, 0) / (banks - 1) / banks,
  );
  return {
    per10000: rounded({ value: all / banks, low: all / banks - half, high: all / banks + half }),
    onSegments: all === 0 ? 0 : alarms.flat().filter(({ segment }) => segment).length / all,
    banksWithAny: rounded(wilson(alarms.filter(({ length }) => length > 0).length, banks)),
  };
}

function changed(
  { banks, shares, shift }: {
    readonly banks: number;
    readonly shares: Shares;
    readonly shift: Shift;
  },
) {
  const { usual: errors = { bank: 0, segment: 0, client: 0 } } = ERRORS;
  const runs = Array.from({ length: banks }, (_, seed) => {
    const random = seeded(1_000_000 + seed);
    const bank = makeBank({ random, shares, errors, shift });
    const at = REFERENCE + Math.floor(BEFORE[0] + (BEFORE[1] - BEFORE[0]) * random());
    const decisions = Array.from(
      { length: at + PATIENCE },
      (_, position) => bank.decide(position >= at),
    );
    const found = findChanges(decisions).find((change) => change.found >= at);
    return found && { ...found, delay: found.found - at + 1, dateError: found.since - at };
  });
  const found = runs.filter((run) => run !== undefined);
  const soon = found.filter(({ delay }) => delay <= WITHIN);
  const named = soon.filter(({ segment, direction }) =>
    segment?.split === shift.segment?.split && segment?.bin === shift.segment?.bin &&
    (direction === "tightened") === shift.points < 0
  );
  const delays = runs.map((run) => run?.delay ?? Infinity).sort((a, b) => a - b);
  const errorsOfDate = found.map(({ dateError }) => dateError).sort((a, b) => a - b);
  const quantile = (of: readonly number[], share: number) => {
    const value = of[Math.floor(share * (of.length - 1))];
    return value === undefined || value === Infinity ? null : value;
  };
  return {
    within300: rounded(wilson(soon.length, banks)),
    delay: Object.fromEntries([0.1, 0.5, 0.9].map((share) => [share, quantile(delays, share)])),
    namedRight: rounded(wilson(named.length, soon.length)),
    dateError: Object.fromEntries(
      [0.1, 0.5, 0.9].map((share) => [share, quantile(errorsOfDate, share)]),
    ),
  };
}

function rounded(estimate: ReturnType<typeof wilson>) {
  return estimate &&
    Object.fromEntries(
      Object.entries(estimate).map(([name, value]) => [name, Math.round(value * 1000) / 1000]),
    );
}
