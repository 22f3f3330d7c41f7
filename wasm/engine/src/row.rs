//! The tournament kernel for one row: 16 trees in the lanes of a vector.
//!
//! The row's ranks are tables that the lanes' splits look up, 16 sides of columns at a time: a split of
//! 16 trees is a vector of bounds and, for each table, a vector of places in it.

use crate::lanes::Split;
use crate::simd::{self, LANES, Lanes};
use crate::tournament::{self, MAX_DEPTH, Splits};

/// Sides that one table holds.
const TABLE: usize = LANES;

/// Tables that stay in registers; a group that needs more has its splits evaluated one by one first.
const FEW_TABLES: usize = 3;

/// A row's ranks, a byte for each side that a group of trees reads.
pub type Table = [i8; TABLE];

/// Tables that hold so many sides.
pub fn tables(sides: usize) -> usize {
    sides.div_ceil(TABLE).max(FEW_TABLES)
}

/// Trees of one depth.
pub struct RowShelf {
    /// Per 16 trees and split: the bounds, then for each table the places of the sides in it, -128
    /// where a side is in another table.
    cuts: Vec<[i8; LANES]>,
    /// Per tree 2^depth values, by `tournament::leaves`.
    leaves: Vec<f32>,
}

impl RowShelf {
    /// Lays out trees: per tree its splits, level by level, on so many tables of sides, and its leaves.
    pub fn new(depth: usize, tables: usize, splits: &[Split], mut leaves: Vec<f32>) -> Self {
        let of_tree = (1 << depth) - 1;
        let trees = (splits.len() / of_tree).next_multiple_of(LANES);
        leaves.resize(trees << depth, 0.0);
        let mut cuts = Vec::with_capacity(trees / LANES * of_tree * (tables + 1));
        for first in (0..trees).step_by(LANES) {
            for split in 0..of_tree {
                let split = |lane: usize| {
                    let place = (first + lane) * of_tree + split;
                    splits.get(place).copied().unwrap_or_default()
                };
                cuts.push(std::array::from_fn(|lane| split(lane).bound));
                for table in 0..tables {
                    cuts.push(std::array::from_fn(|lane| {
                        let side = usize::from(split(lane).side);
                        if side / TABLE == table { (side % TABLE) as i8 } else { i8::MIN }
                    }));
                }
            }
        }
        Self { cuts, leaves }
    }

    /// The sum of the trees' values for the row whose ranks are in the tables.
    #[inline(never)]
    pub fn sum<const DEPTH: usize>(&self, tables: &[Table]) -> f64 {
        let splits = (1 << DEPTH) - 1;
        let leaves = self.leaves.chunks_exact(LANES << DEPTH);
        let mut sums = [0.0; 8];
        if let Ok(tables) = <[Table; FEW_TABLES]>::try_from(tables) {
            let tables = tables.map(|table| simd::load(&table));
            let cuts = self.cuts.chunks_exact(splits * (FEW_TABLES + 1));
            for (cuts, leaves) in cuts.zip(leaves) {
                add_leaves::<DEPTH>(Cuts { cuts, tables }, leaves, &mut sums);
            }
        } else {
            let tables: Vec<_> = tables.iter().map(simd::load).collect();
            let mut masks = [simd::splat(0); 1 << MAX_DEPTH];
            let cuts = self.cuts.chunks_exact(splits * (tables.len() + 1));
            for (cuts, leaves) in cuts.zip(leaves) {
                for (cut, mask) in cuts.chunks_exact(tables.len() + 1).zip(&mut masks) {
                    *mask = left(cut, &tables);
                }
                add_leaves::<DEPTH>(Masks { masks: &masks }, leaves, &mut sums);
            }
        }
        sums.iter().sum()
    }
}

/// Adds to eight partial sums, to be summed by the caller, the leaf values of 16 trees.
#[inline(always)]
fn add_leaves<const DEPTH: usize>(splits: impl Splits<1>, leaves: &[f32], sums: &mut [f64; 8]) {
    let leaf = tournament::leaves::<DEPTH, 1>(splits).0[0];
    for (word, leaves) in simd::words(leaf).into_iter().zip(leaves.chunks_exact(8 << DEPTH)) {
        let trees = leaves.chunks_exact(1 << DEPTH).zip(sums.iter_mut()).enumerate();
        for (lane, (leaves, sum)) in trees {
            *sum += f64::from(leaves[(word >> (8 * lane)) as usize & ((1 << DEPTH) - 1)]);
        }
    }
}

/// Compares the bounds with the ranks that the tables hold: each side is in one of them.
#[inline(always)]
fn left(cut: &[[i8; LANES]], tables: &[simd::V]) -> simd::V {
    let mut ranks = simd::splat(0);
    for (&table, places) in tables.iter().zip(&cut[1..]) {
        ranks = simd::or(ranks, simd::look_up(table, simd::load(places)));
    }
    simd::greater(simd::load(&cut[0]), ranks)
}

#[derive(Clone, Copy)]
struct Cuts<'a> {
    cuts: &'a [[i8; LANES]],
    tables: [simd::V; FEW_TABLES],
}

impl Splits<1> for Cuts<'_> {
    #[inline(always)]
    fn left(self, node: usize) -> Lanes<1> {
        const CUT: usize = FEW_TABLES + 1;
        Lanes([left(&self.cuts[node * CUT..(node + 1) * CUT], &self.tables)])
    }
}

#[derive(Clone, Copy)]
struct Masks<'a> {
    masks: &'a [simd::V; 1 << MAX_DEPTH],
}

impl Splits<1> for Masks<'_> {
    #[inline(always)]
    fn left(self, node: usize) -> Lanes<1> {
        Lanes([self.masks[node]])
    }
}
