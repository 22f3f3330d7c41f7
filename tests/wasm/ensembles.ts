/**
 * Random forests for tests: drawn, written as files from the format's description, and evaluated
 * plainly. Nothing here is the code that it tests.
 */

import fc from "fast-check";

export const FEATURES = 5;

export type Tree =
  | { readonly leaf: number }
  | {
    readonly feature: number;
    readonly threshold: number;
    readonly missingLeft: boolean;
    readonly share: number;
    readonly left: Tree;
    readonly right: Tree;
  };

export interface Ensemble {
  readonly base: number;
  readonly trees: readonly Tree[];
}

/** Values where comparisons go wrong first, and ordinary ones. */
const awkward = fc.oneof(
  fc.constantFrom(0, -0, 1, 1e-45, -1e-45, 3.4028234663852886e38, Infinity, -Infinity)
    .map(Math.fround),
  fc.float({ min: -2, max: 2, noNaN: true }),
);

export const cell = fc.oneof(
  { weight: 4, arbitrary: awkward },
  { weight: 1, arbitrary: fc.constant(NaN) },
);

export function rows(most: number): fc.Arbitrary<Float32Array<ArrayBuffer>> {
  const row = fc.array(cell, { minLength: FEATURES, maxLength: FEATURES });
  return fc.array(row, { minLength: 1, maxLength: most }).map((list) =>
    Float32Array.from(list.flat())
  );
}

/** @param options.depth of the deepest leaf, at most */
export function ensembles(
  { trees, depth, threshold = awkward }: {
    trees: number;
    depth: number;
    threshold?: fc.Arbitrary<number>;
  },
): fc.Arbitrary<Ensemble> {
  const leaf = fc.record({ leaf: fc.float({ min: -2, max: 2, noNaN: true }) });
  const grown = (levels: number): fc.Arbitrary<Tree> => {
    if (levels === 0) return leaf;
    const branch = fc.record({
      feature: fc.nat(FEATURES - 1),
      threshold,
      missingLeft: fc.boolean(),
      share: fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
      left: grown(levels - 1),
      right: leaf as fc.Arbitrary<Tree>,
    }).chain((node) =>
      levels > 5 ? fc.constant(node) : fc.record({
        feature: fc.constant(node.feature),
        threshold: fc.constant(node.threshold),
        missingLeft: fc.constant(node.missingLeft),
        share: fc.constant(node.share),
        left: fc.constant(node.left),
        right: grown(levels - 1),
      })
    );
    return fc.oneof({ weight: 1, arbitrary: leaf }, { weight: 9, arbitrary: branch });
  };
  return fc.record({
    base: fc.double({ min: -1, max: 1, noNaN: true }),
    trees: fc.array(grown(depth), { minLength: 1, maxLength: trees }),
  });
}

/** Cover of every root. */
const COVER = 64;

/** The ensemble as a compiled forest whose link is a sigmoid. */
export function encode({ base, trees }: Ensemble): Uint8Array<ArrayBuffer> {
  const roots: number[] = [];
  const nodes: { tree: Tree; cover: number; left: number }[] = [];
  for (const tree of trees) {
    roots.push(nodes.length);
    nodes.push({ tree, cover: COVER, left: 0 });
    for (let at = nodes.length - 1; at < nodes.length; at++) {
      const node = nodes[at];
      if (node === undefined || "leaf" in node.tree) continue;
      node.left = nodes.length;
      const left = node.cover * node.tree.share;
      nodes.push({ tree: node.tree.left, cover: left, left: 0 });
      nodes.push({ tree: node.tree.right, cover: node.cover - left, left: 0 });
    }
  }
  const view = new DataView(new ArrayBuffer(88 + 4 * roots.length + 20 * nodes.length));
  let at = 8;
  const u16 = (value: number) => (view.setUint16(at, value, true), at += 2);
  const u32 = (value: number) => (view.setUint32(at, value, true), at += 4);
  const f32 = (value: number) => (view.setFloat32(at, value, true), at += 4);
  const f64 = (value: number) => (view.setFloat64(at, value, true), at += 8);
  new Uint8Array(view.buffer).set(new TextEncoder().encode("PSFOREST"));
  for (const word of [1, FEATURES, roots.length, nodes.length, 1]) u32(word);
  at += 32;
  f64(base);
  u32(2), f64(0), f64(0);
  roots.forEach(u32);
  for (const { tree, cover, left } of nodes) {
    if ("leaf" in tree) u16(0), u16(1), f32(tree.leaf), u32(0), u32(0);
    else {
      u16(tree.feature), u16(tree.missingLeft ? 2 : 0);
      f32(tree.threshold), u32(left), u32(left + 1);
    }
    f32(cover);
  }
  return new Uint8Array(view.buffer);
}

/** The raw sum of a row. */
export function evaluate({ base, trees }: Ensemble, row: Float32Array): number {
  const walk = (tree: Tree): number => {
    if ("leaf" in tree) return tree.leaf;
    const x = row[tree.feature] ?? NaN;
    const left = Number.isNaN(x) ? tree.missingLeft : x < tree.threshold;
    return walk(left ? tree.left : tree.right);
  };
  return trees.reduce((sum, tree) => sum + walk(tree), base);
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
