//! The tournament: which leaf of a complete tree each lane ends in, without a branch.
//!
//! Every split is evaluated in all lanes at once. Of the 2^l splits of level l the one on a lane's
//! way is found by halving: the levels above have left one bit each, and each bit keeps one half.
//! A tree of depth d takes 2^d - 1 comparisons and 2^d - 1 - d selections, whatever the data.

use crate::simd::Lanes;

/// Deepest tree for which this is faster than a walk: see docs/engine.md.
pub const MAX_DEPTH: usize = 6;

/// The splits of a complete tree, level by level: those of node i are 2i + 1 and 2i + 2.
pub trait Splits<const W: usize>: Copy {
    /// All ones in the lanes that go left at a node, zero in the others.
    fn left(self, node: usize) -> Lanes<W>;
}

/// Picks, of the `width` nodes from `first` on, the outcome of the one that the bits lead to. The
/// highest bit keeps a half, then the next of that half, and so on.
macro_rules! pick {
    ($name:ident, $half:expr, $below:ident) => {
        #[inline(always)]
        fn $name<const W: usize>(
            splits: impl Splits<W>,
            first: usize,
            bits: &[Lanes<W>],
        ) -> Lanes<W> {
            let left = $below(splits, first, &bits[1..]);
            let right = $below(splits, first + $half, &bits[1..]);
            left.or_else(right, bits[0])
        }
    };
}

#[inline(always)]
fn pick1<const W: usize>(splits: impl Splits<W>, first: usize, _: &[Lanes<W>]) -> Lanes<W> {
    splits.left(first)
}
pick!(pick2, 1, pick1);
pick!(pick4, 2, pick2);
pick!(pick8, 4, pick4);
pick!(pick16, 8, pick8);
pick!(pick32, 16, pick16);

/// The leaf of each lane: a bit per level from the root on, highest first, 1 for left.
#[inline(always)]
pub fn leaves<const DEPTH: usize, const W: usize>(splits: impl Splits<W>) -> Lanes<W> {
    const { assert!(DEPTH >= 1 && DEPTH <= MAX_DEPTH) };
    // Without a loop, so that the bits stay in registers.
    let mut bits = [Lanes::splat(0); MAX_DEPTH];
    bits[0] = pick1(splits, 0, &[]);
    if DEPTH > 1 {
        bits[1] = pick2(splits, 1, &bits[..1]);
    }
    if DEPTH > 2 {
        bits[2] = pick4(splits, 3, &bits[..2]);
    }
    if DEPTH > 3 {
        bits[3] = pick8(splits, 7, &bits[..3]);
    }
    if DEPTH > 4 {
        bits[4] = pick16(splits, 15, &bits[..4]);
    }
    if DEPTH > 5 {
        bits[5] = pick32(splits, 31, &bits[..5]);
    }
    bits[..DEPTH].iter().fold(Lanes::splat(0), |leaf, &bit| leaf.push(bit))
}
