/**
 * A database as it stands after a year of so many applications, through the stores that the service has: payloads, results, facts and
 * their sums, outcomes, persons, consents, the audit log, keys and a trial of models.
 *
 * Known limit: results are scored of a few hundred clients and repeated, one in ten of them a whole decision (14 KB, 5 ms to make), the
 * others probabilities; ids are as random as the real ones.
 */
import { createHash } from "node:crypto";
import { newKey } from "../../access/mod.ts";
import { type Outcome, Projector } from "../../analytics/mod.ts";
import { systemClock } from "../../clock.ts";
import { TrialStore } from "../../lifecycle/mod.ts";
import type { NewTask } from "../../queue/store.ts";
import { storedId } from "../../queue/tenant.ts";
import { decodeProbabilities, encodePayload } from "../../scoring/handler.ts";
import { openStores, type Stores } from "../../stores.ts";
import { subjectHashOf } from "../../subject_key.ts";
import { readConfig } from "../../tests/support/service.ts";
import { startScoring } from "../../workers.ts";
import { applicant } from "../api/support.ts";

const DAY_MS = 24 * 3_600_000;
const YEAR_MS = 365 * DAY_MS;
const GROUP = 500;
/** Clients that are really scored. */
const CLIENTS = 500;

/** One in so many applications has it. */
const ONE_IN = { decision: 10, outcome: 5, person: 10, trial: 20 } as const;
const APPLICATIONS_OF_FIRST_PERSON = 200;
/** In a hundred applications. */
const TENANTS = [["", 80], ["north", 15], ["south", 5]] as const;
const KEYS = 200;
/** Of a probability. */
const SPREAD = 0.15;

/** Whose applications fill several parts of a report. */
export const PERSON = "person-0";

const config = readConfig();

export async function fill(databaseUrl: string, rows: number): Promise<void> {
  const stores = await openStores({ ...config.service, databaseUrl }, systemClock.now());
  try {
    const samples = await scoreSamples();
    const hash = subjectHashOf({ databaseUrl });
    const endMs = systemClock.now();
    for (let from = 0; from < rows; from += GROUP) {
      const group = Array.from({ length: Math.min(GROUP, rows - from) }, (_, at) => {
        const index = from + at;
        const tenant = tenantOf(index);
        const sample = samples[index % samples.length];
        if (sample === undefined) throw new Error("nothing was scored");
        const subject = index % ONE_IN.person === 0
          ? hash?.(tenant, personOf(index, rows))
          : undefined;
        return {
          ...{ index, tenant, sample, subject },
          id: storedId(tenant, applicationId(index)),
        };
      });
      await store(group, { stores, atMs: endMs - YEAR_MS + Math.floor(YEAR_MS * from / rows) });
    }
    const report = (error: unknown) => {
      throw error;
    };
    await new Projector({
      ...{ facts: stores.facts, clock: systemClock, report, rows: GROUP },
      resultsOf: (ids) => stores.store.findEach(ids),
      ...config.policy.recommendation,
    }).drain();
    while (await stores.consents.record());
    for (let key = 0; key < KEYS; key++) {
      await stores.keys.create(
        newKey((bytes) => crypto.getRandomValues(bytes)),
        { name: `shop ${key}`, role: "submit", tenant: "" },
        { actor: "bench", nowMs: endMs },
      );
    }
  } finally {
    stores.store.close();
  }
}

interface Sample {
  readonly payload: string;
  readonly result: string;
  readonly probabilities: readonly (readonly [bank: string, probability: number])[];
}

interface Filled {
  readonly index: number;
  readonly id: string;
  readonly tenant: string;
  readonly subject: string | undefined;
  readonly sample: Sample;
}

/** Every tenth wants a whole decision. */
async function scoreSamples(): Promise<Sample[]> {
  const scoring = await startScoring({ ...config, service: { ...config.service, workers: 0 } });
  const tasks = Array.from({ length: CLIENTS }, (_, client) => ({
    id: `app_${client}`,
    payload: encodePayload(applicant(client * 37), wantedOf(client)),
    ...{ createdAtMs: systemClock.now(), attempt: 1, fence: 1 },
  }));
  const outcomes = await scoring.handler(tasks);
  await scoring[Symbol.asyncDispose]();
  return tasks.map(({ payload }, at) => {
    const outcome = outcomes[at];
    if (outcome === undefined || !("result" in outcome)) throw new Error(JSON.stringify(outcome));
    const { result } = outcome;
    return { payload, result, probabilities: [...decodeProbabilities(result).probabilities] };
  });
}

async function store(
  group: readonly Filled[],
  { stores, atMs }: { readonly stores: Stores; readonly atMs: number },
): Promise<void> {
  const tasks = group.map(({ id, tenant, subject, sample: { payload } }): NewTask => ({
    ...{ id, tenant, payload, revision: "1" },
    ...subject !== undefined && {
      terms: {
        ...{ actor: "key:bench", subject },
        consent: { purposes: ["scoring", "marketing"] as const, document: "notice/1" },
      },
    },
  }));
  await stores.store.enqueue(tasks, atMs);
  const claim = { leaseMs: 60_000, limit: GROUP, retryHorizonMs: DAY_MS };
  const { claimed } = await stores.store.settle({ nowMs: atMs, claim });
  const results = new Map(group.map(({ id, sample: { result } }) => [id, result]));
  const completed = claimed.map(({ id, fence }) => ({ id, fence, result: results.get(id) ?? "" }));
  await stores.store.settle({ nowMs: atMs, completed });
  const decided = group.filter(({ index }) => index % ONE_IN.outcome === 0);
  await stores.outcomes.record(decided.map((each) => outcomeOf(each, atMs)), atMs + DAY_MS);
  const tried = group.filter(({ index }) => index % ONE_IN.trial === 0);
  const banks = config.banks.banks.map(({ id }) => id);
  await new TrialStore(stores.database).record({ champion: "1", challenger: "2", banks }, {
    ...{ dropped: 0, failed: 0, nowMs: atMs },
    rows: tried.map(({ id, sample: { probabilities } }) => {
      const given = new Map(probabilities);
      const champion = banks.map((bank) => given.get(bank) ?? NaN);
      return { ...{ id, atMs, servedBy: "champion" as const, champion }, challenger: champion };
    }),
  });
}

/** A bank that answers as was estimated; the estimates lie as wide apart as those of so many clients. */
function outcomeOf({ id, index, tenant, sample }: Filled, atMs: number): Outcome {
  const [bank = "", estimate = 0] = sample.probabilities[
    index / ONE_IN.outcome %
    sample.probabilities.length
  ] ?? [];
  const digest = digestOf(index);
  const probability = Math.min(
    1,
    Math.max(0, estimate + SPREAD * (digest.readUInt8(12) / 128 - 1)),
  );
  const approved = digest.readUInt32BE(0) / 2 ** 32 < probability;
  return {
    ...{ applicationId: id, tenant, bank, probability },
    event: approved ? "approved" : "refused",
    decidedAtMs: atMs + index % GROUP,
    bins: Uint8Array.from({ length: 8 }, (_, split) => digest.readUInt8(4 + split) % 6),
    ...approved && { amount: 100_000, term: 12 },
  };
}

function wantedOf(index: number) {
  return index % ONE_IN.decision === 0 ? "decision" : "probabilities";
}

function tenantOf(index: number): string {
  let upTo = 0;
  const place = digestOf(index).readUInt32BE(16) % 100;
  return TENANTS.find(([, share]) => place < (upTo += share))?.[0] ?? "";
}

/** Its tenant's name for it: of the v1 API where it wants a decision, else as the reference's. */
function applicationId(index: number): string {
  const hex = digestOf(index).toString("hex");
  return wantedOf(index) === "decision" ? `app_${hex.slice(0, 32)}` : hex;
}

function personOf(index: number, rows: number): string {
  const stride = Math.max(1, Math.floor(rows / ONE_IN.person / APPLICATIONS_OF_FIRST_PERSON));
  const place = index / ONE_IN.person;
  return place % stride === 0 ? PERSON : `person-${place % (rows / 20)}`;
}

function digestOf(index: number) {
  return createHash("sha1").update(String(index)).digest();
}

/** Of the default tenant, with a decision, from the middle of the year. */
export function someApplication(rows: number): string {
  let index = Math.floor(rows / 2 / ONE_IN.decision) * ONE_IN.decision;
  while (tenantOf(index) !== "") index += ONE_IN.decision;
  return applicationId(index);
}
