//! From floats to ranks: what a split compares, counted once for all forests of a set.
//!
//! The thresholds that any forest of the set has for a feature are sorted: t0 < t1 < ... A row's rank
//! is 0 when the feature is missing, otherwise 1 plus the number of thresholds at or below it. Then
//! `x < t_k` is `rank < k + 2` for every number x: splits compare small integers, exactly.
//!
//! A `Group` of trees narrows ranks to the thresholds that its trees have. Trees are grouped such that
//! the narrow ranks fit a kernel; five banks share one search.

use std::collections::BinaryHeap;

use prescore_forest::{Branch, Forest, Kind};

use crate::tree::Tree;

/// Sorted thresholds of each feature over a set of forests.
pub struct Quantiser {
    features: usize,
    chunks: Vec<Chunk>,
}

/// The thresholds of `SEARCHES` features, each followed by NaNs up to 2^bits, which exceeds the most
/// that one of them has: so they are searched in step.
struct Chunk {
    bits: u32,
    counts: [usize; SEARCHES],
    padded: Vec<f32>,
}

/// Searches that go on at once.
pub const SEARCHES: usize = 8;

impl Chunk {
    fn new(keys: &mut [BinaryHeap<i32>]) -> Self {
        let sorted = |lane: usize| {
            let mut sorted =
                keys.get_mut(lane).map(std::mem::take).unwrap_or_default().into_sorted_vec();
            sorted.dedup();
            sorted
        };
        let lists: [Vec<i32>; SEARCHES] = std::array::from_fn(sorted);
        let counts = std::array::from_fn(|lane| lists[lane].len());
        let most = lists.iter().map(Vec::len).max().unwrap_or(0);
        let bits = (most + 1).next_power_of_two().trailing_zeros();
        let mut padded = vec![f32::NAN; SEARCHES << bits];
        for (list, padded) in lists.iter().zip(padded.chunks_exact_mut(1 << bits)) {
            for (&key, threshold) in list.iter().zip(padded) {
                *threshold = from_key(key);
            }
        }
        Self { bits, counts, padded }
    }

    /// How many thresholds of each value's feature, one of this chunk's, are at or below the value.
    /// The steps are the same for every value, without a branch, and the searches overlap, where one
    /// alone would wait for the memory at each step.
    #[inline(always)]
    fn at_or_below(&self, lanes: [usize; SEARCHES], values: [f32; SEARCHES]) -> [u32; SEARCHES] {
        let starts = lanes.map(|lane| (lane as u32) << self.bits);
        let mut at = starts;
        for bit in (0..self.bits).rev() {
            let probe = &self.padded[(1 << bit) - 1..];
            for (at, x) in at.iter_mut().zip(values) {
                *at += u32::from(probe[*at as usize] <= x) << bit;
            }
        }
        std::array::from_fn(|index| at[index] - starts[index])
    }

    /// The ranks of the values.
    #[inline(always)]
    fn ranks(&self, lanes: [usize; SEARCHES], values: [f32; SEARCHES]) -> [u32; SEARCHES] {
        let below = self.at_or_below(lanes, values);
        std::array::from_fn(|index| (below[index] + 1) * u32::from(!values[index].is_nan()))
    }
}

/// Integers that sort as the floats do; -0.0 is 0.0. Its own inverse on the bits.
fn key(x: f32) -> i32 {
    flip((x + 0.0).to_bits() as i32)
}

fn from_key(key: i32) -> f32 {
    f32::from_bits(flip(key) as u32)
}

fn flip(bits: i32) -> i32 {
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}

impl Quantiser {
    pub fn new<'a>(features: usize, forests: impl Iterator<Item = &'a Forest>) -> Self {
        // Heaps, for their sort is a fraction of the standard sort's code.
        let mut keys = vec![BinaryHeap::new(); features];
        for node in forests.flat_map(|forest| &forest.nodes) {
            if let Kind::Branch(Branch { feature, threshold, .. }) = node.kind {
                keys[usize::from(feature)].push(key(threshold));
            }
        }
        Self { features, chunks: keys.chunks_mut(SEARCHES).map(Chunk::new).collect() }
    }

    /// Features of a row.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The sorted thresholds of a feature.
    pub fn thresholds(&self, feature: usize) -> &[f32] {
        let Chunk { bits, counts, padded } = &self.chunks[feature / SEARCHES];
        let lane = feature % SEARCHES;
        &padded[lane << bits..][..counts[lane]]
    }

    /// How many thresholds of a branch's feature lie below the branch's own.
    pub fn place(&self, branch: &Branch) -> u32 {
        let thresholds = self.thresholds(usize::from(branch.feature));
        thresholds.partition_point(|&other| other < branch.threshold) as u32
    }

    /// The ranks of one row's features.
    pub fn row_ranks(&self, row: &[f32], ranks: &mut [u32]) {
        let parts = row.chunks(SEARCHES).zip(ranks.chunks_mut(SEARCHES));
        for (chunk, (row, ranks)) in self.chunks.iter().zip(parts) {
            let mut values = [0.0; SEARCHES];
            values[..row.len()].copy_from_slice(row);
            let found = chunk.ranks(std::array::from_fn(|lane| lane), values);
            ranks.copy_from_slice(&found[..row.len()]);
        }
    }

    /// The ranks of values of one feature.
    #[inline(always)]
    pub fn ranks(&self, feature: usize, values: [f32; SEARCHES]) -> [u32; SEARCHES] {
        self.chunks[feature / SEARCHES].ranks([feature % SEARCHES; SEARCHES], values)
    }
}

/// A rank narrowed for a kernel: it counts only the thresholds of a group of trees.
pub trait Rank: Copy + Default {
    /// Thresholds of one feature that this holds the ranks of.
    const MAX_THRESHOLDS: usize;
    /// So many are enough: a group takes another tree only while it has no more.
    const ENOUGH_THRESHOLDS: usize;
    /// Sides of missing values, over all features, that the kernel can tell apart.
    const MAX_SIDES: usize;
    /// From 0, a missing value, to `MAX_THRESHOLDS` + 1.
    fn from_rank(rank: u32) -> Self;
}

impl Rank for i8 {
    const MAX_THRESHOLDS: usize = 253;
    const ENOUGH_THRESHOLDS: usize = Self::MAX_THRESHOLDS;
    const MAX_SIDES: usize = 256;

    /// Shifted by 128, for vectors compare signed bytes in one instruction.
    fn from_rank(rank: u32) -> Self {
        (rank as u8 ^ 0x80) as Self
    }
}

impl Rank for u16 {
    const MAX_THRESHOLDS: usize = 65533;
    const ENOUGH_THRESHOLDS: usize = 1022;
    const MAX_SIDES: usize = usize::MAX;

    fn from_rank(rank: u32) -> Self {
        rank as Self
    }
}

/// A feature as a group of trees reads it.
pub struct Column<R> {
    pub feature: usize,
    /// The group's rank for each rank of the set.
    pub narrow: Vec<R>,
    /// Thresholds of the group.
    pub thresholds: usize,
}

/// A split for a kernel: left when the row's rank in the column is less than the bound, but for a
/// missing value.
#[derive(Clone, Copy)]
pub struct Cut<R> {
    pub column: usize,
    pub bound: R,
    pub missing_left: bool,
}

/// Trees, as the caller numbers them, that share narrow ranks.
pub struct Group<R> {
    pub columns: Vec<Column<R>>,
    pub trees: Vec<usize>,
    /// Per feature its column; any number where the group does not read it.
    places: Vec<usize>,
    /// Per feature and threshold of the set, how many of the group's thresholds lie below it.
    below: Vec<Vec<u32>>,
}

impl<R: Rank> Group<R> {
    /// The split of a branch of the group, whose threshold is at `place` among those of the set.
    pub fn cut(&self, branch: &Branch, place: u32) -> Cut<R> {
        let feature = usize::from(branch.feature);
        let bound = R::from_rank(self.below[feature][place as usize] + 2);
        Cut { column: self.places[feature], bound, missing_left: branch.missing_left }
    }
}

/// Most bytes that the tables of a kernel take for a forest; the memory of a module is not far more.
pub const MAX_TABLE_BYTES: usize = 1 << 29;

/// Puts trees into as few groups as their order allows, each within the limits of `R`.
///
/// # Errors
/// When one tree alone has more thresholds of a feature than ranks can tell apart, or all have so
/// many that the groups' tables would exceed `MAX_TABLE_BYTES`.
pub fn group<R: Rank>(
    members: &[usize],
    trees: &[Tree],
    quantiser: &Quantiser,
) -> Result<Vec<Group<R>>, String> {
    let thresholds: usize =
        (0..quantiser.features()).map(|feature| quantiser.thresholds(feature).len()).sum();
    let most = MAX_TABLE_BYTES / (thresholds * size_of::<(u32, R)>()).max(1);
    let mut groups = Vec::new();
    let mut draft = Draft::new(quantiser);
    for &member in members {
        if draft.add::<R>(member, &trees[member]) {
            continue;
        }
        if groups.len() >= most {
            return Err(format!(
                "its {} trees and the set's {thresholds} thresholds must fit {MAX_TABLE_BYTES} bytes \
                 of tables",
                trees.len()
            ));
        }
        groups.push(std::mem::replace(&mut draft, Draft::new(quantiser)));
        if !draft.add::<R>(member, &trees[member]) {
            return Err(format!(
                "tree {member}: it must have at most {} thresholds of one feature",
                R::MAX_THRESHOLDS
            ));
        }
    }
    groups.push(draft);
    groups.retain(|draft| !draft.trees.is_empty());
    Ok(groups.into_iter().map(Draft::finish).collect())
}

/// A group in the making: what its trees use.
struct Draft {
    trees: Vec<usize>,
    /// Twice for each feature, by the side that a missing value takes.
    sides: Vec<bool>,
    used_sides: usize,
    /// Per feature, which of the set's thresholds, and how many of them.
    thresholds: Vec<(Vec<bool>, usize)>,
}

impl Draft {
    fn new(quantiser: &Quantiser) -> Self {
        let none = |feature| (vec![false; quantiser.thresholds(feature).len()], 0);
        Self {
            trees: Vec::new(),
            sides: vec![false; 2 * quantiser.features()],
            used_sides: 0,
            thresholds: (0..quantiser.features()).map(none).collect(),
        }
    }

    /// Adds a tree, unless that would exceed a limit of `R`.
    fn add<R: Rank>(&mut self, member: usize, tree: &Tree) -> bool {
        let most = if self.trees.is_empty() { R::MAX_THRESHOLDS } else { R::ENOUGH_THRESHOLDS };
        let (mut sides, mut cuts) = (Vec::new(), Vec::new());
        let mut fits = true;
        for (branch, place) in tree.branches() {
            let feature = usize::from(branch.feature);
            let side = 2 * feature + usize::from(branch.missing_left);
            if !std::mem::replace(&mut self.sides[side], true) {
                sides.push(side);
            }
            let (seen, count) = &mut self.thresholds[feature];
            if !std::mem::replace(&mut seen[place as usize], true) {
                *count += 1;
                cuts.push((feature, place as usize));
                fits &= *count <= most;
            }
        }
        fits &= self.used_sides + sides.len() <= R::MAX_SIDES;
        if fits {
            self.used_sides += sides.len();
            self.trees.push(member);
        } else {
            sides.into_iter().for_each(|side| self.sides[side] = false);
            for (feature, place) in cuts {
                self.thresholds[feature].0[place] = false;
                self.thresholds[feature].1 -= 1;
            }
        }
        fits
    }

    fn finish<R: Rank>(self) -> Group<R> {
        let running = |(seen, _): &(Vec<bool>, usize)| {
            let mut count = 0;
            let before = |&seen: &bool| {
                count += u32::from(seen);
                count - u32::from(seen)
            };
            let mut below: Vec<u32> = seen.iter().map(before).collect();
            below.push(count);
            below
        };
        let below: Vec<Vec<u32>> = self.thresholds.iter().map(running).collect();
        let mut places = vec![0; below.len()];
        let mut columns = Vec::new();
        for (feature, &(_, thresholds)) in self.thresholds.iter().enumerate() {
            if thresholds == 0 {
                continue;
            }
            places[feature] = columns.len();
            // Rank r says that the r - 1 lowest thresholds of the set are at or below the value.
            let numbers = below[feature].iter().map(|&below| R::from_rank(1 + below));
            let narrow = std::iter::once(R::from_rank(0)).chain(numbers).collect();
            columns.push(Column { feature, narrow, thresholds });
        }
        Group { columns, trees: self.trees, places, below }
    }
}
