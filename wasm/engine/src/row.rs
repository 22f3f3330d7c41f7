//! The kernel for one row in shallow trees: 16 trees in the lanes of a vector.
//!
//! Level by level, each lane picks the split on its way by halving: the levels above have left one bit
//! each, and each bit keeps one half. Only the split that is left is evaluated: the row's ranks are
//! tables that the lanes look their columns up in.
//!
//! A missing value's rank is the lowest, so it goes left. Where it must go right, one less is compared
//! with one less: the rank wraps around to the highest.

use std::hint::black_box;

use crate::simd::{self, LANES, Lanes, V};
use crate::tournament::MAX_DEPTH;

/// A row's ranks in a group of trees, a byte for each column, of which there are 128 at most.
pub type Tables = [Table; 8];

pub type Table = [i8; LANES];

/// What a column has besides where a missing value goes right.
const RIGHT: u8 = 1 << 7;

/// A split of a tree: its column, and the bound that the column's rank must be less than to go left.
#[derive(Clone, Copy, Default)]
pub struct RowSplit {
    column: i8,
    bound: i8,
}

impl RowSplit {
    pub fn new(column: usize, bound: i8, missing_left: bool) -> Self {
        if missing_left {
            Self { column: column as i8, bound }
        } else {
            Self { column: (column as u8 | RIGHT) as i8, bound: bound.wrapping_sub(1) }
        }
    }
}

/// Columns and bounds of 16 trees' splits.
type Cuts = [[i8; LANES]; 2];

/// Vectors of trees whose leaves are found before any of their values is looked up, for a look-up
/// waits for its leaf.
const AHEAD: usize = 8;

/// Trees of one depth.
pub struct RowShelf {
    /// Per 16 trees their splits, level by level. Within a level they stand in the order of the bits
    /// that lead to them, the root's bit lowest, 0 for left.
    cuts: Vec<Cuts>,
    /// Per tree 2^depth values, by `tournament::leaves`.
    leaves: Vec<f32>,
}

impl RowShelf {
    /// Lays out trees: per tree its splits, level by level, and its leaves.
    pub fn new(depth: usize, splits: &[RowSplit], mut leaves: Vec<f32>) -> Self {
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
                let columns = std::array::from_fn(|lane| split(lane).column);
                cuts.push([columns, std::array::from_fn(|lane| split(lane).bound)]);
            }
        }
        Self { cuts, leaves }
    }

    /// The sum of the trees' values for the row whose ranks are in the tables.
    #[inline(never)]
    pub fn sum<const DEPTH: usize>(&self, tables: &[Table]) -> f64 {
        // Hidden from the compiler, which would make them anew wherever they are used.
        let [zero, column, second] =
            black_box([0, !RIGHT, LANES as u8].map(|byte| simd::splat(byte as i8)));
        let right = |columns| simd::greater(zero, columns);
        if let [first_table, second_table] = tables {
            let tables = [first_table, second_table].map(simd::load);
            return self.add::<DEPTH>(|columns| {
                let places = simd::and(columns, column);
                let ranks = simd::look_up_any(tables[0], places);
                let others = simd::look_up_any(tables[1], simd::sub(places, second));
                simd::add(simd::or(ranks, others), right(columns))
            });
        }
        self.add::<DEPTH>(|columns| {
            simd::add(look_up(tables, simd::and(columns, column)), right(columns))
        })
    }

    /// The sum of the trees' values, by what makes ranks of their splits' columns.
    #[inline(always)]
    fn add<const DEPTH: usize>(&self, rank: impl Fn(V) -> V) -> f64 {
        let mut sums = [0.0; 8];
        let many = self.cuts.chunks(((1 << DEPTH) - 1) * AHEAD);
        for (cuts, leaves) in many.zip(self.leaves.chunks((LANES << DEPTH) * AHEAD)) {
            let mut words = [[0; 2]; AHEAD];
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

/// The ranks of columns, each of which is in one of the tables.
#[inline(never)]
fn look_up(tables: &[Table], columns: V) -> V {
    let mut ranks = simd::splat(0);
    for (table, first) in tables.iter().zip((0..).step_by(LANES)) {
        let places = simd::sub(columns, simd::splat(first));
        ranks = simd::or(ranks, simd::look_up_any(simd::load(table), places));
    }
    ranks
}

/// The lowest `bits` bits from back to front.
fn reversed(place: usize, bits: usize) -> usize {
    (0..bits).fold(0, |reversed, bit| reversed << 1 | place >> bit & 1)
}

/// The leaf of each lane, as `tournament::leaves`.
#[inline(always)]
fn leaf<const DEPTH: usize>(cuts: &[Cuts], rank: impl Fn(V) -> V) -> V {
    const { assert!(DEPTH >= 1 && DEPTH <= MAX_DEPTH) };
    let left = |[columns, bounds]: [V; 2]| Lanes([simd::greater(bounds, rank(columns))]);
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
        fn $name(cuts: &[Cuts], first: usize, bits: &Bits) -> [V; 2] {
            let left = $below(cuts, first, bits);
            let right = $below(cuts, first + $half, bits);
            std::array::from_fn(|part| {
                Lanes([left[part]]).or_else(Lanes([right[part]]), bits[$level]).0[0]
            })
        }
    };
}

#[inline(always)]
fn pick1(cuts: &[Cuts], first: usize, _: &Bits) -> [V; 2] {
    cuts[first].each_ref().map(simd::load)
}
pick!(pick2, 1, 0, pick1);
pick!(pick4, 2, 1, pick2);
pick!(pick8, 4, 2, pick4);
pick!(pick16, 8, 3, pick8);
pick!(pick32, 16, 4, pick16);
