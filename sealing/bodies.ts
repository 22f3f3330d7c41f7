/** Payloads and results as they are stored: sealed under the key of their application, or in clear where they came before there were keys. */
import { open, seal, SealError } from "./envelope.ts";
import { bytesOf, type Vault } from "./vault.ts";

export type Kind = "payload" | "result";

/** A body as a row has it. */
export interface StoredBody {
  readonly kind: Kind;
  /** Of its task. */
  readonly id: string;
  /** Number of the key; null: in clear. */
  readonly key: unknown;
  readonly body: unknown;
  readonly sealed: unknown;
}

/** What is bound for several sealed bodies: one BLOB, and a JSON array of which bytes of it are whose, `from` 1. */
export interface SealedBodies {
  readonly bytes: Uint8Array;
  readonly places: string;
}

export function sealBody(
  kind: Kind,
  { id, text, key }: { readonly id: string; readonly text: string; readonly key: Uint8Array },
): Uint8Array {
  return seal(text, key, `${kind} of ${id}`);
}

/** Puts sealed bodies one after the other; `fields` say more of each. */
export function packed(
  bodies: readonly { readonly sealed: Uint8Array; readonly fields: object }[],
): SealedBodies {
  const length = bodies.reduce((sum, { sealed }) => sum + sealed.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  const places = bodies.map(({ sealed, fields }) => {
    bytes.set(sealed, at);
    const place = { ...fields, from: at + 1, length: sealed.length };
    at += sealed.length;
    return place;
  });
  return { bytes, places: JSON.stringify(places) };
}

/** The texts in their order; null where there is none, an error where a body cannot be read. */
export async function tryOpenBodies(
  vault: Pick<Vault, "keys">,
  stored: readonly StoredBody[],
): Promise<(string | null | SealError)[]> {
  const numbers = stored.flatMap(({ key, sealed }) => sealed === null ? [] : [Number(key)]);
  const keys = numbers.length === 0 ? new Map<number, Uint8Array>() : await vault.keys(numbers);
  const decoder = new TextDecoder();
  return stored.map(({ kind, id, key, body, sealed }) => {
    if (sealed === null || sealed === undefined) return typeof body === "string" ? body : null;
    const bytes = keys.get(Number(key));
    if (bytes === undefined) {
      return new SealError(
        `Cannot open the ${kind} of ${id}: its key, number ${key}, is destroyed, or in other keys than those of PRESCORE_KEYS_URL`,
      );
    }
    try {
      return decoder.decode(open(bytesOf(sealed), bytes, `${kind} of ${id}`));
    } catch (error) {
      if (error instanceof SealError) return error;
      throw error;
    }
  });
}

/** As `tryOpenBodies`; throws `SealError` where one cannot be read. */
export async function openBodies(
  vault: Pick<Vault, "keys">,
  stored: readonly StoredBody[],
): Promise<(string | null)[]> {
  return (await tryOpenBodies(vault, stored)).map((text) => {
    if (text instanceof SealError) throw text;
    return text;
  });
}
