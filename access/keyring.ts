/**
 * Keys as requests show them -> callers. What the database says of a key is believed for `freshMs`, so a request costs less than a
 * microsecond, and what another process revokes is refused within that time; what this one revokes, at once (`forget`).
 *
 * Known limit: while the database does not answer, keys whose time has run out are answered 503, not by what was known.
 */
import type { Clock } from "../clock.ts";
import type { Caller } from "./caller.ts";
import { isSameText, isSecretOf, type Key, keyText, parseKey } from "./key.ts";
import type { KeyRecord, KeyStore } from "./key_store.ts";

/** Keys that are known at a time; the one that was learnt first goes. */
const MOST_KNOWN = 10_000;

const BEARER = /^bearer +(psk_[0-9a-z]+_[0-9a-f]+)$/i;

/** The API key of an `Authorization` header; `undefined` where it carries something else. */
export function bearerKey(header: string): string | undefined {
  return BEARER.exec(header)?.[1];
}

export interface KeyringOptions {
  readonly store: Pick<KeyStore, "find" | "any" | "used">;
  readonly clock: Pick<Clock, "now">;
  readonly freshMs: number;
  /** A key that no database knows: the first administrator's, from the environment. */
  readonly adminKey?: Key | undefined;
  /** Told where the use of a key cannot be noted. */
  readonly report: (error: unknown) => void;
}

interface Known {
  readonly record: KeyRecord | undefined;
  readonly caller: Caller | undefined;
  readonly untilMs: number;
  /** The last text that was found to be this key's, so that it need not be hashed again. */
  text: string | undefined;
}

export class Keyring {
  readonly #options: KeyringOptions;
  readonly #known = new Map<string, Known>();
  readonly #looking = new Map<string, Promise<Known>>();
  readonly #admin: { readonly text: string; readonly caller: Caller } | undefined;
  #any: { readonly there: boolean; readonly untilMs: number } | undefined;

  constructor(options: KeyringOptions) {
    this.#options = options;
    const { adminKey } = options;
    this.#admin = adminKey && {
      text: keyText(adminKey),
      caller: { keyId: adminKey.id, role: "admin", tenant: "", perSecond: undefined },
    };
  }

  /** The caller with this key; `undefined` for one that is no key, or no longer. Rejects where the database fails. */
  callerOf(text: string): Caller | undefined | Promise<Caller | undefined> {
    if (this.#admin !== undefined && isSameText(text, this.#admin.text)) return this.#admin.caller;
    const id = parseKey(text)?.id;
    if (id === undefined) return undefined;
    const known = this.#fresh(id);
    if (known !== undefined) return this.#check(known, text);
    return this.#look(id).then((found) => this.#check(found, text));
  }

  /** The caller whose key has this id, while that is good: for one who has shown it before. */
  async callerWithId(id: string): Promise<Caller | undefined> {
    if (id === this.#admin?.caller.keyId) return this.#admin.caller;
    const known = this.#fresh(id) ?? await this.#look(id);
    return this.#isGood(known) ? known.caller : undefined;
  }

  /** Whether a key is needed: once there was one, always. */
  areThereKeys(): boolean | Promise<boolean> {
    if (this.#admin !== undefined) return true;
    const nowMs = this.#options.clock.now();
    if (this.#any && (this.#any.there || nowMs < this.#any.untilMs)) return this.#any.there;
    return this.#options.store.any().then((there) => {
      this.#any = { there, untilMs: nowMs + this.#options.freshMs };
      return there;
    });
  }

  /** Looks at the database again for this key, and for whether there are any. */
  forget(id: string): void {
    this.#known.delete(id);
    this.#looking.delete(id);
    this.#any = undefined;
  }

  #fresh(id: string): Known | undefined {
    const known = this.#known.get(id);
    return known !== undefined && this.#options.clock.now() < known.untilMs ? known : undefined;
  }

  #check(known: Known, text: string): Caller | undefined {
    const { record, caller } = known;
    if (record === undefined || !this.#isGood(known)) return undefined;
    if (known.text !== undefined && isSameText(known.text, text)) return caller;
    if (!isSecretOf(record.secretHash, parseKey(text)?.secret ?? "")) return undefined;
    known.text = text;
    return caller;
  }

  #isGood({ record }: Known): boolean {
    return record !== undefined && record.revokedAtMs === null &&
      (record.expiresAtMs === null || this.#options.clock.now() < record.expiresAtMs);
  }

  /** Those who ask together look once. */
  #look(id: string): Promise<Known> {
    const others = this.#looking.get(id);
    if (others !== undefined) return others;
    const looking = this.#read(id).then((known) => {
      // Unless it was forgotten meanwhile: then the next one looks again.
      if (this.#looking.get(id) === looking) this.#remember(id, known);
      return known;
    }).finally(() => {
      if (this.#looking.get(id) === looking) this.#looking.delete(id);
    });
    this.#looking.set(id, looking);
    return looking;
  }

  async #read(id: string): Promise<Known> {
    const { store, clock, freshMs, report } = this.#options;
    const untilMs = clock.now() + freshMs;
    const record = await store.find(id);
    if (record === undefined) return { record, caller: undefined, untilMs, text: undefined };
    store.used(record, clock.now()).catch(report);
    const { role, tenant, perSecond } = record;
    const caller = { keyId: id, role, tenant, perSecond: perSecond ?? undefined };
    return { record, caller, untilMs, text: undefined };
  }

  #remember(id: string, known: Known): void {
    this.#known.delete(id);
    this.#known.set(id, known);
    if (this.#known.size <= MOST_KNOWN) return;
    const [first] = this.#known.keys();
    if (first !== undefined) this.#known.delete(first);
  }
}
