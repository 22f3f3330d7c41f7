//! From floats to ranks: what a split compares, counted once for all forests of a set.
//!
//! The thresholds that any forest of the set has for a feature are sorted: t0 < t1 < ... A row's rank
//! is 0 when the feature is missing, otherwise 1 plus the number of thresholds at or below it. Then
//! `x < t_k` is `rank < k + 2` for every number x: splits compare small integers, exactly.
//!
//! A `Group` of trees narrows ranks to the thresholds that its trees have. Trees are grouped such that
//! the narrow ranks fit a kernel; five banks share one search.

use prescore_forest::{Branch, Forest, Kind};

use crate::simd;
use crate::tree::Tree;

/// Sorted thresholds of each feature over a set of forests.
pub struct Quantiser {
    searches: Vec<Search>,
}

/// The sorted thresholds of a feature as a tree of nodes of `WIDE` keys.
///
/// Nodes are numbered as in a heap whose children of node n are `FANS` * n + 1 and so on. All lowest
/// ones are on one level and hold the thresholds; a key of those above is the first threshold of
/// the lowest nodes below one child, from the second child on. NaNs fill up nodes.
struct Search {
    nodes: Vec<Keys>,
    /// The levels above the lowest one.
    levels: u32,
    /// The first node of the lowest level.
    first: usize,
    count: usize,
}

/// Keys of a node: they are compared at once, so 4,624 thresholds take three steps.
type Keys = [f32; simd::WIDE];

/// Children of a node.
const FANS: usize = simd::WIDE + 1;

impl Search {
    fn new(thresholds: &[f32]) -> Self {
        let leaves = thresholds.len().div_ceil(simd::WIDE).max(1);
        let (mut levels, mut first, mut below) = (0, 0, 1);
        while below < leaves {
            first += below;
            below *= FANS;
            levels += 1;
        }
        let mut nodes = vec![[f32::NAN; simd::WIDE]; first + leaves];
        nodes[first..].as_flattened_mut()[..thresholds.len()].copy_from_slice(thresholds);
        // Each lowest node but the first is the least one below some child of one node above.
        for leaf in 1..leaves {
            let mut child = first + leaf;
            while (child - 1) % FANS == 0 {
                child = (child - 1) / FANS;
            }
            nodes[(child - 1) / FANS][(child - 1) % FANS - 1] = thresholds[leaf * simd::WIDE];
        }
        Self { nodes, levels, first, count: thresholds.len() }
    }

    fn thresholds(&self) -> &[f32] {
        &self.nodes[self.first..].as_flattened()[..self.count]
    }

    #[inline(always)]
    fn rank(&self, value: f32) -> u32 {
        (self.at_or_below(value) + 1) * u32::from(!value.is_nan())
    }

    /// How many thresholds are at or below the value, without a branch that depends on it.
    #[inline(always)]
    fn at_or_below(&self, value: f32) -> u32 {
        let mut node = 0;
        for _ in 0..self.levels {
            node = FANS * node + 1 + simd::at_or_below(&self.nodes[node], value) as usize;
        }
        (node - self.first) as u32 * simd::WIDE as u32 + simd::at_or_below(&self.nodes[node], value)
    }
}

const SIGN: u32 = 1 << 31;

/// Integers that sort as the floats do; -0.0 is 0.0.
fn key(x: f32) -> u32 {
    let bits = (x + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn from_key(key: u32) -> f32 {
    f32::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })
}

/// A threshold's key, and in the lower half the node that it is of.
type Keyed = u64;

const KEY_SHIFT: u32 = 32;

/// Sorts by key, byte by byte: loading runs in code that is not optimised yet, where comparisons cost much.
fn sort(mut keys: Vec<Keyed>) -> Vec<Keyed> {
    let mut ordered = vec![0; keys.len()];
    for shift in (KEY_SHIFT..Keyed::BITS).step_by(8) {
        let digit = |key: Keyed| usize::from((key >> shift) as u8);
        let mut ends = [0; 256];
        keys.iter().for_each(|&key| ends[digit(key)] += 1);
        for value in 1..ends.len() {
            ends[value] += ends[value - 1];
        }
        for &key in keys.iter().rev() {
            let end = &mut ends[digit(key)];
            *end -= 1;
            ordered[*end] = key;
        }
        std::mem::swap(&mut keys, &mut ordered);
    }
    keys
}

impl Quantiser {
    /// The thresholds of forests; and for each of their nodes, all in order, the place of its threshold
    /// among those of its feature, 0 for a leaf.
    pub fn new(features: usize, forests: &[Forest]) -> (Self, Vec<u32>) {
        let mut keys = vec![Vec::new(); features];
        let nodes = || forests.iter().flat_map(|forest| &forest.nodes);
        for (index, node) in nodes().enumerate() {
            if let Kind::Branch(Branch { feature, threshold, .. }) = node.kind {
                let keyed = Keyed::from(key(threshold)) << KEY_SHIFT | index as Keyed;
                keys[usize::from(feature)].push(keyed);
            }
        }
        let mut places = vec![0; nodes().count()];
        let search = |keys| {
            let mut thresholds = Vec::new();
            let mut last = None;
            for keyed in sort(keys) {
                let key = (keyed >> KEY_SHIFT) as u32;
                if last != Some(key) {
                    thresholds.push(from_key(key));
                    last = Some(key);
                }
                places[keyed as u32 as usize] = thresholds.len() as u32 - 1;
            }
            Search::new(&thresholds)
        };
        (Self { searches: keys.into_iter().map(search).collect() }, places)
    }

    /// Features of a row.
    pub fn features(&self) -> usize {
        self.searches.len()
    }

    /// The sorted thresholds of a feature.
    pub fn thresholds(&self, feature: usize) -> &[f32] {
        self.searches[feature].thresholds()
    }

    /// The ranks of one row's features.
    pub fn row_ranks(&self, row: &[f32], ranks: &mut [u32]) {
        for ((search, &value), rank) in self.searches.iter().zip(row).zip(ranks) {
            *rank = search.rank(value);
        }
    }

    /// The rank of a value of one feature.
    #[inline(always)]
    pub fn rank(&self, feature: usize, value: f32) -> u32 {
        self.searches[feature].rank(value)
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
    // The kernel for one row has seven bits for a column.
    const MAX_SIDES: usize = 128;

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
