//! The kernel for one row in shallow trees: 16 trees in the lanes of a vector.
//!
//! Level by level, each lane picks the split on its way by halving: the levels above have left one bit
//! each, and each bit keeps one half. Only the split that is left is evaluated: the row's ranks are
//! tables that the lanes look their sides up in.

use crate::lanes::Split;
use crate::simd::{self, LANES, Lanes, V};
use crate::tournament::MAX_DEPTH;

/// Sides that one table holds.
const TABLE: usize = LANES;

/// Tables that stay in registers.
const FEW_TABLES: usize = 3;

/// A row's ranks, a byte for each side that a group of trees reads.
pub type Table = [i8; TABLE];

/// Tables that hold so many sides.
pub fn tables(sides: usize) -> usize {
    sides.div_ceil(TABLE).max(FEW_TABLES)
}

/// Sides and bounds of 16 trees' splits.
type Cut = [[i8; LANES]; 2];

/// Trees of one depth.
pub struct RowShelf {
    /// Per 16 trees their splits, level by level. Within a level they stand in the order of the bits
    /// that lead to them, the root's bit lowest, 0 for left.
    cuts: Vec<Cut>,
    /// Per tree 2^depth values in steps, by `tournament::leaves`.
    leaves: Vec<f32>,
}

impl RowShelf {
    /// Lays out trees: per tree its splits, level by level, and its leaves.
    pub fn new(depth: usize, splits: &[Split], mut leaves: Vec<f32>) -> Self {
        let of_tree = (1 << depth) - 1;
        let trees = (splits.len() / of_tree).next_multiple_of(LANES);
        leaves.resize(trees << depth, 0.0);
        let mut cuts = Vec::with_capacity(trees / LANES * of_tree);
        for first in (0..trees).step_by(LANES) {
            for (level, place) in (0..depth).flat_map(|l| (0..1 << l).map(move |p| (l, p))) {
                let node = (1 << level) - 1 + reversed(place, level);
                let split = |lane: usize| {
                    splits.get((first + lane) * of_tree + node).copied().unwrap_or_default()
                };
                let sides = std::array::from_fn(|lane| split(lane).side as i8);
                cuts.push([sides, std::array::from_fn(|lane| split(lane).bound)]);
            }
        }
        Self { cuts, leaves }
    }

    /// The sum of the trees' values, in steps, for the row whose ranks are in the tables.
    #[inline(never)]
    pub fn sum<const DEPTH: usize>(&self, tables: &[Table]) -> f64 {
        if let Ok(tables) = <[Table; FEW_TABLES]>::try_from(tables) {
            let tables = tables.map(|table| simd::load(&table));
            let firsts = std::hint::black_box([16, 32].map(|first| simd::splat(first)));
            self.add::<DEPTH>(|sides| {
            let mut ranks = simd::look_up_any(tables[0], sides);
            ranks = simd::or(ranks, simd::look_up_any(tables[1], simd::sub(sides, firsts[0])));
            simd::or(ranks, simd::look_up_any(tables[2], simd::sub(sides, firsts[1])))
            })
        } else {
            let tables: Vec<_> = tables.iter().map(simd::load).collect();
            self.add::<DEPTH>(|sides| look_up(&tables, sides))
        }
    }

    #[inline(always)]
    fn add<const DEPTH: usize>(&self, rank: impl Fn(V) -> V) -> f64 {
        const STEP: usize = 8;
        let mut sums = [0.0; 8];
        let many = self.cuts.chunks(((1 << DEPTH) - 1) * STEP);
        for (cuts, leaves) in many.zip(self.leaves.chunks((LANES << DEPTH) * STEP)) {
            let mut words = [[0; 2]; STEP];
            for (cuts, words) in cuts.chunks_exact((1 << DEPTH) - 1).zip(&mut words) {
                *words = simd::words(leaf::<DEPTH>(cuts, &rank));
            }
            for (word, leaves) in words.as_flattened().iter().zip(leaves.chunks_exact(8 << DEPTH)) {
                let trees = leaves.chunks_exact(1 << DEPTH).zip(&mut sums).enumerate();
                for (lane, (leaves, sum)) in trees {
                    *sum += f64::from(leaves[(word >> (8 * lane)) as usize & ((1 << DEPTH) - 1)]);
                }
            }
        }
        sums.iter().sum()
    }
}

/// The lowest `bits` bits from back to front.
fn reversed(place: usize, bits: usize) -> usize {
    (0..bits).fold(0, |reversed, bit| reversed << 1 | place >> bit & 1)
}

/// The ranks on the sides: each is in one of the tables.
#[inline(always)]
fn look_up(tables: &[V], sides: V) -> V {
    let mut ranks = simd::splat(0);
    for (table, &ranks_of) in tables.iter().enumerate() {
        let places = simd::sub(sides, simd::splat((table * TABLE) as i8));
        ranks = simd::or(ranks, simd::look_up_any(ranks_of, places));
    }
    ranks
}

/// The leaf of each lane, as `tournament::leaves`.
#[inline(always)]
fn leaf<const DEPTH: usize>(cuts: &[Cut], rank: impl Fn(V) -> V) -> V {
    const { assert!(DEPTH >= 1 && DEPTH <= MAX_DEPTH) };
    let left = |[sides, bounds]: [V; 2]| Lanes([simd::greater(bounds, rank(sides))]);
    let mut bits = [Lanes::splat(0); MAX_DEPTH];
    bits[0] = left(pick1(cuts, 0, &bits));
    if DEPTH > 1 {
        bits[1] = left(pick2(cuts, 1, &bits));
    }
    if DEPTH > 2 {
        bits[2] = left(pick4(cuts, 3, &bits));
    }
    if DEPTH > 3 {
        bits[3] = left(pick8(cuts, 7, &bits));
    }
    if DEPTH > 4 {
        bits[4] = left(pick16(cuts, 15, &bits));
    }
    if DEPTH > 5 {
        bits[5] = left(pick32(cuts, 31, &bits));
    }
    bits[..DEPTH].iter().fold(Lanes::splat(0), |leaf, &bit| leaf.push(bit)).0[0]
}

type Bits = [Lanes<1>; MAX_DEPTH];

/// Picks the split that the bits lead to of the `2 * $half` from `first` on. The root's bit is used first,
/// for the bits of later levels are known later.
macro_rules! pick {
    ($name:ident, $half:expr, $level:expr, $below:ident) => {
        #[inline(always)]
        fn $name(cuts: &[Cut], first: usize, bits: &Bits) -> [V; 2] {
            let left = $below(cuts, first, bits);
            let right = $below(cuts, first + $half, bits);
            std::array::from_fn(|part| {
                Lanes([left[part]]).or_else(Lanes([right[part]]), bits[$level]).0[0]
            })
        }
    };
}

#[inline(always)]
fn pick1(cuts: &[Cut], first: usize, _: &Bits) -> [V; 2] {
    cuts[first].each_ref().map(simd::load)
}
pick!(pick2, 1, 0, pick1);
pick!(pick4, 2, 1, pick2);
pick!(pick8, 4, 2, pick4);
pick!(pick16, 8, 3, pick8);
pick!(pick32, 16, 4, pick16);
