/**
 * Tells the configured addresses what has ended: claims the deliveries that are due, posts each, and tries again later, with
 * exponential backoff, what was not taken. An event says what ended and where to read it, and nothing about the client: what is
 * personal stays behind the API.
 */
import type { Service } from "../configs/mod.ts";
import { Alarm } from "./alarm.ts";
import type { Clock } from "../clock.ts";
import { backoffMs } from "./retry.ts";
import { visibleId } from "./tenant.ts";
import { signedHeaders } from "./webhook_signature.ts";
import type { Delivery, FailedDelivery, WebhookEventType, WebhookStore } from "./webhook_store.ts";

/** Posted at the same time. */
const AT_ONCE = 16;
/** No answer that anybody sends is taken for longer than this after its timeout. */
const LEASE_MARGIN_MS = 5000;
/** The receiver wants no more of this (Standard Webhooks, and RFC 9110). */
const GONE = 410;

export interface Endpoint {
  readonly id: string;
  readonly tenant: string;
  readonly url: string;
  readonly keys: readonly Uint8Array[];
}

export interface WebhookSenderOptions {
  readonly store: WebhookStore;
  readonly endpoints: readonly Endpoint[];
  readonly policy: Omit<Service["webhooks"], "endpoints">;
  /** How often deliveries that another process wrote are looked for. */
  readonly pollEveryMs: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly fetch: typeof fetch;
  /** Told of every failure of the store; the sender goes on. */
  readonly report: (error: unknown) => void;
}

/** What a receiver reads. */
export interface WebhookEvent {
  readonly type: WebhookEventType;
  readonly timestamp: string;
  readonly data: { readonly id: string; readonly path: string };
}

export function webhookEvent(
  { type, subject, occurredAtMs }: Pick<Delivery, "type" | "subject" | "occurredAtMs">,
): WebhookEvent {
  const collection = type === "batch.finished" ? "batches" : "applications";
  const id = visibleId(subject);
  return {
    type,
    timestamp: new Date(occurredAtMs).toISOString(),
    data: { id, path: `/v1/${collection}/${id}` },
  };
}

export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #alarm: Alarm;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Says that there may be something to send. */
  wake(): void {
    this.#alarm.ring();
  }

  /** Sends no more; what is under way is cut off, and sent again by whoever comes next. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#loop;
  }

  /** Sends what is due now; resolves with whether there was anything. Rejects where the store fails. */
  async sendDue(): Promise<boolean> {
    const { store, clock, policy } = this.#options;
    const deliveries = await store.claim({
      nowMs: clock.now(),
      leaseMs: policy.timeoutMs + LEASE_MARGIN_MS,
      limit: AT_ONCE,
    });
    if (deliveries.length === 0) return false;
    const failures = await Promise.all(deliveries.map((delivery) => this.#send(delivery)));
    await store.settle(
      deliveries.filter((_, index) => failures[index] === undefined),
      failures.filter((failure) => failure !== undefined),
    );
    return true;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#alarm.reset();
      const { pollEveryMs, report } = this.#options;
      let waitMs = pollEveryMs;
      try {
        if (await this.sendDue()) continue;
        waitMs = await this.#idleMs();
      } catch (error) {
        report(error);
      }
      await this.#alarm.sleep(waitMs);
    }
  }

  async #idleMs(): Promise<number> {
    const { store, clock, pollEveryMs } = this.#options;
    const dueMs = await store.nextDueMs();
    return dueMs === undefined
      ? pollEveryMs
      : Math.min(pollEveryMs, Math.max(0, dueMs - clock.now()));
  }

  /** Posts one delivery; why it was not taken, or `undefined`. */
  async #send(delivery: Delivery): Promise<FailedDelivery | undefined> {
    const { endpoints, policy, clock, random } = this.#options;
    const endpoint = endpoints.find(({ id }) => id === delivery.endpointId);
    const { eventId, endpointId, attempt } = delivery;
    const answer = endpoint
      ? await this.#post(delivery, endpoint)
      : "no such address is configured";
    if (typeof answer === "number" && answer >= 200 && answer < 300) return undefined;
    const givenUp = answer === GONE || attempt >= policy.maxAttempts;
    return {
      ...{ eventId, endpointId, attempt },
      error: typeof answer === "number" ? `answered ${answer}` : answer,
      retryAtMs: givenUp
        ? null
        : clock.now() + backoffMs(attempt, { ...policy.backoffMs, random: random() }),
    };
  }

  /** The status of the answer, or why there was none. */
  async #post(delivery: Delivery, { url, keys }: Endpoint): Promise<number | string> {
    const { policy, clock, fetch } = this.#options;
    const body = JSON.stringify(webhookEvent(delivery));
    const timestampS = Math.floor(clock.now() / 1000);
    const timeout = new AbortController();
    const cancel = clock.after(
      policy.timeoutMs,
      () => timeout.abort(new Error("no answer in time")),
    );
    try {
      const response = await fetch(url, {
        method: "POST",
        body,
        headers: {
          "Content-Type": "application/json",
          ...signedHeaders({ id: delivery.eventId, timestampS, body }, keys),
        },
        // An address that sends us on is not the one that was configured.
        redirect: "manual",
        signal: AbortSignal.any([timeout.signal, this.#stopping.signal]),
      });
      await response.body?.cancel();
      return response.status;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      cancel();
    }
  }
}
