/**
 * Kills a service under load, again and again, at random moments: a worker, the process, or both; while it starts, while it
 * commits, while it scores. Then looks whether every acknowledged task got its one result, in time.
 *
 * Each service lives until the process is killed. Now and then one is left in peace until all is done: that should take no longer
 * than the lease that the dead one held, and a second. It is then stopped in the ordinary way, and its file is checked.
 */
import assert from "node:assert/strict";
import { Connection } from "../../database/connection.ts";
import { Random } from "../queue/simulation/random.ts";
import { PERMISSIONS, type ServiceProcess, startProcess, writeImpatientConfig } from "./process.ts";
import { EXAMPLE } from "./service.ts";
import { temporaryFolder } from "./store.ts";

const CLIENTS = 8;
const LEASE_MS = 1000;
const LATE_AFTER_MS = LEASE_MS + 1000;
const STUCK_AFTER_MS = 120_000;
/** Kills between two looks. */
const KILLS_UNTIL_CALM = 40;
/** The longest between two kills, in milliseconds. */
const LONGEST_PAUSE_MS = 150;

export interface KillReport {
  readonly kills: { worker: number; process: number; both: number; starting: number };
  acknowledged: number;
  /** Longest wait of an acknowledged task after the restart that was left in peace, in milliseconds. */
  longestWaitMs: number;
  /** How often all was not done a second after the lease. */
  late: number;
}

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
}

/** Throws where a law is broken: a task lost, a result changed, a task stuck, a file damaged. */
export async function killRandomly({ kills, seed }: KillOptions): Promise<KillReport> {
  await using folder = await temporaryFolder();
  writeImpatientConfig(folder.path, { leaseMs: LEASE_MS, maxAttempts: 100 });
  return await new Harness(folder.path, new Random(seed)).run(kills);
}

class Harness {
  readonly #folder: string;
  readonly #random: Random;
  /** Acknowledged tasks, with the result where it has been seen. */
  readonly #tasks = new Map<string, string | undefined>();
  readonly #report: KillReport = {
    kills: { worker: 0, process: 0, both: 0, starting: 0 },
    acknowledged: 0,
    longestWaitMs: 0,
    late: 0,
  };
  #next = 0;

  constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.#random = random;
  }

  async run(kills: number): Promise<KillReport> {
    for (let calmAt = KILLS_UNTIL_CALM; this.#kills < kills; calmAt += KILLS_UNTIL_CALM) {
      while (this.#kills < Math.min(calmAt, kills)) await this.#liveUntilKilled();
      await this.#liveInPeace();
    }
    this.#report.acknowledged = this.#tasks.size;
    return this.#report;
  }

  get #kills(): number {
    const { worker, process, both, starting } = this.#report.kills;
    return worker + process + both + starting;
  }

  async #liveUntilKilled(): Promise<void> {
    const { kills } = this.#report;
    const starting = this.#start();
    if (this.#random.chance(0.1)) {
      await this.#pause();
      starting.child.kill("SIGKILL");
      await starting.service.catch(() => {});
      kills.starting++;
      return;
    }
    const service = await starting.service;
    const uploads = this.#upload(service.url);
    for (;;) {
      await this.#pause();
      const dice = this.#random.next();
      if (dice < 0.55 && await service.ask("kill a worker") === "a worker was killed") {
        kills.worker++;
        continue;
      }
      if (dice >= 0.8) {
        void service.ask("kill a worker").catch(() => {});
        kills.both++;
      } else kills.process++;
      break;
    }
    assert.equal(await service.end("SIGKILL"), "SIGKILL");
    await uploads;
  }

  async #liveInPeace(): Promise<void> {
    const service = await this.#start().service;
    const startedMs = performance.now();
    for (const [id, known] of this.#tasks) {
      if (known !== undefined) continue;
      while (await answer(`${service.url}/check_task?task_id=${id}`) !== "true") {
        const waitedMs = performance.now() - startedMs;
        assert.ok(
          waitedMs <= STUCK_AFTER_MS,
          `task ${id} is stuck: no result after ${waitedMs} ms`,
        );
      }
      this.#tasks.set(id, await answer(`${service.url}/get_result?task_id=${id}`));
    }
    const waitedMs = performance.now() - startedMs;
    this.#report.longestWaitMs = Math.max(this.#report.longestWaitMs, Math.ceil(waitedMs));
    if (waitedMs > LATE_AFTER_MS) this.#report.late++;
    // What was seen before is seen again, and is the same.
    for (let look = 0; look < 20; look++) {
      const [id, result] = this.#random.pick([...this.#tasks]);
      assert.equal(await answer(`${service.url}/get_result?task_id=${id}`), result);
    }
    assert.equal(await service.end("SIGTERM"), 0);
    await this.#checkFile();
  }

  async #checkFile(): Promise<void> {
    const connection = await Connection.open(this.#url);
    try {
      const { rows: integrity } = await connection.read("PRAGMA integrity_check");
      assert.deepEqual(integrity, [{ integrity_check: "ok" }]);
      const { rows: counts } = await connection.read(`
        SELECT (SELECT count(*) FROM tasks WHERE state = 'dead') AS dead,
          (SELECT count(*) FROM tasks WHERE state = 'done') - (SELECT count(*) FROM results) AS without,
          (SELECT count(*) FROM tasks WHERE state IN ('queued', 'leased'))
            - (SELECT coalesce(sum(waiting), 0) FROM tenants) AS miscounted`);
      assert.deepEqual(counts, [{ dead: 0, without: 0, miscounted: 0 }]);
      const { rows } = await connection.read(
        "SELECT id AS task_id FROM tasks JOIN results USING (number)",
      );
      const stored = new Set(rows.map(({ task_id }) => task_id));
      for (const id of this.#tasks.keys()) assert.ok(stored.has(id), `task ${id} was lost`);
    } finally {
      connection.close();
    }
  }

  /** Uploads different questionnaires until the service dies. */
  async #upload(url: string): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
      for (;;) {
        const body = JSON.stringify({ ...EXAMPLE, monthprofit: 50_000 + this.#next++ / 100 });
        try {
          const response = await fetch(`${url}/upload_features`, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body,
          });
          assert.equal(response.status, 201);
          this.#tasks.set((await response.json()).task_id, undefined);
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          return;
        }
      }
    }));
  }

  #pause(): Promise<void> {
    const ms = this.#random.below(LONGEST_PAUSE_MS);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  get #url(): string {
    return `file:${this.#folder}/prescore.db`;
  }

  #start(): { child: Deno.ChildProcess; service: Promise<ServiceProcess> } {
    return startProcess({
      PRESCORE_CONFIG: this.#folder,
      PRESCORE_DATABASE_URL: this.#url,
      PRESCORE_PORT: "0",
    }, [...PERMISSIONS, "tests/support/victim.ts"]);
  }
}

async function answer(url: string): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}
