/**
 * What the WASM tests share: fixtures, a forest made by hand, and modules made by hand that trap.
 *
 * Why by hand: the forest's bytes are written here from the format's description, not by the code
 * that reads them; and the built modules have no export that traps on purpose.
 */

import { Engine } from "../../wasm/engine.ts";
import { readModule } from "../../wasm/mod.ts";
import { Tract } from "../../wasm/tract.ts";

export const engineModule = await readModule("engine");
export const tractModule = await readModule("tract");

export function newEngine(): Engine {
  return new Engine(engineModule);
}

export function newTract(): Tract {
  return new Tract(tractModule);
}

const FIXTURES = new URL("./fixtures/", import.meta.url);

export function fixture(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(name, FIXTURES));
}

export interface Golden {
  readonly rows: number;
  readonly matrix: Float32Array;
  /** ONNX Runtime's probability of the last class, per row. */
  readonly probabilities: readonly number[];
}

export function golden(name: string): Golden {
  const text = Deno.readTextFileSync(new URL(`${name}.json`, FIXTURES));
  const { rows, probabilities } = JSON.parse(text) as {
    rows: (number | string)[][];
    probabilities: number[];
  };
  return { rows: rows.length, matrix: Float32Array.from(rows.flat(), Number), probabilities };
}

/** Byte offsets in the file of `handMade`, for tests that spoil it. */
export const OFFSET = {
  version: 8,
  features: 12,
  trees: 16,
  nodes: 20,
  step: 68,
  node: 92,
} as const;

/**
 * A forest of two features and one tree: x[0] < 0.5 leads to x[1] < -1 (a missing value goes left)
 * with the leaves -2 and 0, or else to the leaf 2; the base is 1 and the link a sigmoid.
 */
export function handMade(): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(OFFSET.node + 5 * 20));
  let at = 0;
  const u16 = (value: number) => (view.setUint16(at, value, true), at += 2);
  const u32 = (value: number) => (view.setUint32(at, value, true), at += 4);
  const f32 = (value: number) => (view.setFloat32(at, value, true), at += 4);
  const f64 = (value: number) => (view.setFloat64(at, value, true), at += 8);
  const node = (
    { feature = 0, flags = 1, value = 0, left = 0, right = 0, cover = 1 },
  ) => (u16(feature), u16(flags), f32(value), u32(left), u32(right), f32(cover));
  for (const letter of new TextEncoder().encode("PSFOREST")) view.setUint8(at++, letter);
  for (const word of [1, 2, 1, 5, 1]) u32(word);
  for (let byte = 0; byte < 32; byte++) view.setUint8(at++, byte);
  f64(1);
  u32(2), f64(0), f64(0);
  u32(0);
  node({ flags: 0, value: 0.5, left: 1, right: 4, cover: 4 });
  node({ feature: 1, flags: 2, value: -1, left: 2, right: 3, cover: 2 });
  node({ value: -2 });
  node({ value: 0 });
  node({ value: 2, cover: 2 });
  return new Uint8Array(view.buffer);
}

const TYPE = 1, FUNCTION = 3, MEMORY = 5, EXPORT = 7, CODE = 10;
const I32 = 0x7f;

/**
 * A module with a memory of one page and exports that each give a number below 64, or trap where
 * it is null.
 */
export function stubModule(
  functions: Record<string, { takes: number; gives: number | null }>,
): WebAssembly.Module {
  const list = Object.entries(functions);
  const section = (id: number, items: number[][]) => {
    const body = [items.length, ...items.flat()];
    return [id, ...leb(body.length), ...body];
  };
  const name = (text: string) => [text.length, ...new TextEncoder().encode(text)];
  const body = (gives: number | null) => gives === null ? [0x00, 0x0b] : [0x41, gives, 0x0b];
  return new WebAssembly.Module(Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(TYPE, list.map(([, { takes }]) => [0x60, takes, ...Array(takes).fill(I32), 1, I32])),
    ...section(FUNCTION, list.map((_, index) => [index])),
    ...section(MEMORY, [[0x00, 1]]),
    ...section(EXPORT, [
      [...name("memory"), 0x02, 0],
      ...list.map(([key], index) => [...name(key), 0x00, index]),
    ]),
    ...section(CODE, list.map(([, { gives }]) => [body(gives).length + 1, 0, ...body(gives)])),
  ]));
}

/** Unsigned LEB128 of a number below 2^14. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}
