/**
 * The versions that this process has loaded, and the switch between them. A piece of work takes hold of one version and keeps it
 * to its end; the next one takes what is served by then. The new version is loaded beside the old, so a switch is the change of one
 * reference, and the old one is let go when nobody holds it any more. What other processes activate is found by `follow`.
 */
import { isForChallenger, type Split } from "./split.ts";
import type { Serving } from "./registry.ts";

export interface LoadedVersion extends AsyncDisposable {
  readonly version: string;
  /** Names what a score depends on besides the answers. */
  readonly revision: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface LiveOptions<V extends LoadedVersion> {
  /** What was loaded at the start, and why. */
  readonly serving: Serving;
  readonly champion: V;
  /** Loads and checks a version, ready to work. */
  readonly load: (version: string) => Promise<V>;
  readonly read: () => Promise<Serving>;
  readonly now: () => number;
  /** Whether an application with this id may be a challenger's to answer. */
  readonly splits: (id: string) => boolean;
  /** Told why a version that is served elsewhere cannot be served here. */
  readonly report: (error: unknown) => void;
}

interface Held<V> {
  readonly loaded: V;
  /** Works that have not ended. */
  users: number;
  /** Those who prepared it and do not know yet whether it will serve. */
  pins: number;
  retired: boolean;
}

/** A version that cannot be loaded is tried again no earlier than after this. */
const RETRY_AFTER_MS = 30_000;

export class LiveModels<V extends LoadedVersion> implements AsyncDisposable {
  readonly #options: LiveOptions<V>;
  readonly #loaded = new Map<string, Held<V>>();
  #champion: Held<V>;
  #challenger: { readonly held: Held<V>; readonly split: Split } | undefined;
  #serial: number;
  #failed = { serial: -1, atMs: 0 };
  /** Loads and switches take turns. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LiveOptions<V>) {
    this.#options = options;
    this.#champion = { loaded: options.champion, users: 0, pins: 0, retired: false };
    this.#loaded.set(options.champion.version, this.#champion);
    // A challenger is still to be loaded.
    this.#serial = options.serving.challenger === undefined ? options.serving.serial : -1;
  }

  get champion(): V {
    return this.#champion.loaded;
  }

  get challenger(): V | undefined {
    return this.#challenger?.held.loaded;
  }

  /** Who answers the application with this id. */
  chosen(id: string): V {
    return this.#chosen(id).loaded;
  }

  /** Runs the work with the active version. */
  useChampion<T>(work: (version: V) => Promise<T>): Promise<T> {
    return this.#use(this.#champion, work);
  }

  /** Runs the work with who scores beside; `undefined` where nobody does. */
  useChallenger<T>(work: (version: V) => Promise<T>): Promise<T> | undefined {
    return this.#challenger && this.#use(this.#challenger.held, work);
  }

  /** Runs the work for each version with those items that it answers; the answers stand in the order of the items. */
  async useEach<T, A>(
    items: readonly T[],
    { idOf, work }: {
      readonly idOf: (item: T) => string;
      readonly work: (version: V, items: readonly T[]) => Promise<readonly A[]>;
    },
  ): Promise<A[]> {
    const groups = Map.groupBy(
      items.map((item, at) => ({ item, at })),
      ({ item }) => this.#chosen(idOf(item)),
    );
    const answers: A[] = new Array(items.length);
    await Promise.all(Array.from(groups, async ([held, group]) => {
      const found = await this.#use(
        held,
        (version) => work(version, group.map(({ item }) => item)),
      );
      for (const [index, { at }] of group.entries()) {
        const answer = found[index];
        if (answer !== undefined) answers[at] = answer;
      }
    }));
    return answers;
  }

  /**
   * Loads a version beside those that serve, so that a `follow` that finds it has nothing to wait for. It stays until the returned
   * function is called, and for as long as it serves. Rejects as `load` does.
   */
  async prepare(version: string): Promise<() => void> {
    const held = await this.#inTurn(async () => {
      const held = await this.#load(version);
      held.pins++;
      return held;
    });
    return () => {
      held.pins--;
      this.#letGo();
    };
  }

  /** Serves what the database says; where that cannot be loaded, what was served before. Rejects where it cannot be read. */
  async follow(): Promise<void> {
    await this.#inTurn(async () => {
      const serving = await this.#options.read();
      if (serving.serial !== this.#serial) await this.#switch(serving);
      this.#letGo();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    for (const { loaded } of this.#loaded.values()) await loaded[Symbol.asyncDispose]();
    this.#loaded.clear();
  }

  #chosen(id: string): Held<V> {
    const { held, split } = this.#challenger ?? {};
    return held && split && this.#options.splits(id) && isForChallenger(id, split)
      ? held
      : this.#champion;
  }

  async #use<T>(held: Held<V>, work: (version: V) => Promise<T>): Promise<T> {
    held.users++;
    try {
      return await work(held.loaded);
    } finally {
      held.users--;
      if (held.retired) this.#dispose(held);
    }
  }

  async #switch(serving: Serving): Promise<void> {
    const { now, report } = this.#options;
    const { serial, active, challenger } = serving;
    if (this.#failed.serial === serial && now() - this.#failed.atMs < RETRY_AFTER_MS) return;
    try {
      const champion = await this.#load(active);
      const other = challenger && await this.#loadChallenger(challenger.version);
      // From here to the end nothing waits: no work sees one of them without the other.
      this.#champion = champion;
      this.#challenger = challenger && other && { held: other, split: challenger };
      this.#serial = serial;
    } catch (error) {
      this.#failed = { serial, atMs: now() };
      report(error);
    }
  }

  /** A challenger that cannot be loaded keeps nobody from the champion. */
  async #loadChallenger(version: string): Promise<Held<V> | undefined> {
    try {
      return await this.#load(version);
    } catch (error) {
      this.#options.report(error);
      return undefined;
    }
  }

  async #load(version: string): Promise<Held<V>> {
    const known = this.#loaded.get(version);
    if (known !== undefined) return known;
    const held = { loaded: await this.#options.load(version), users: 0, pins: 0, retired: false };
    this.#loaded.set(version, held);
    return held;
  }

  /** Of those that do not serve, each when its last work has ended. */
  #letGo(): void {
    const kept = [this.#champion, this.#challenger?.held];
    for (const [version, held] of this.#loaded) {
      if (held.pins > 0 || kept.includes(held)) continue;
      this.#loaded.delete(version);
      held.retired = true;
      this.#dispose(held);
    }
  }

  #dispose(held: Held<V>): void {
    if (held.users > 0) return;
    held.loaded[Symbol.asyncDispose]().catch(this.#options.report);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
