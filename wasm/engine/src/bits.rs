//! The bit kernel: one row in any trees, 16 units of at most 32 leaves at a time.
//!
//! A leaf is a bit. Each split rules out the leaves on the side that the row does not take, and the
//! leaf that no split rules out is the row's (Lucchese et al., "QuickScorer" (2015)). What all splits
//! on one feature rule out depends on nothing but the feature's rank: it is worked out at load for
//! each rank that makes a difference in 16 units, so that a row costs one mask for each feature
//! however many splits read it. A tree with more leaves is several units, each with a bit more, which
//! stands for all leaves that are elsewhere.
//!
//! Known limit: memory, about 160 bytes a leaf; `MAX_TABLE_BYTES`.

use std::ops::Range;

use prescore_forest::Kind;

use crate::quantise::{Column, Cut, Group, MAX_TABLE_BYTES};
use crate::simd::{self, LANES};
use crate::tree::Tree;

/// Units of a chunk.
const UNITS: usize = 16;

/// Vectors that hold a chunk's masks.
const VECTORS: usize = UNITS * LEAVES / 8 / LANES;

/// Bits of a unit.
const LEAVES: usize = 32;

/// The bit that stands for the leaves of a tree's other units; its value is 0.
const ELSEWHERE: usize = LEAVES - 1;

/// A mask for each unit: the bits of leaves that are not ruled out. A line of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Masks([u32; UNITS]);

const NONE_RULED_OUT: Masks = Masks([u32::MAX; UNITS]);

/// Trees that share narrow ranks.
pub struct BitGroup {
    columns: Vec<Column<u16>>,
    chunks: Vec<Chunk>,
}

struct Chunk {
    /// Each column that the units read, and where its part of `places` begins.
    columns: Vec<(u32, u32)>,
    /// Per column and narrow rank, the place of the masks.
    places: Vec<u16>,
    masks: Vec<Masks>,
    values: Vec<[f64; LEAVES]>,
}

/// Some leaves of a tree: a run of them from left to right.
struct Unit<'a> {
    tree: &'a Tree,
    /// Per node, its leaves.
    leaves: &'a [Range<usize>],
    run: Range<usize>,
}

/// What a split rules out in a unit.
struct Rule {
    cut: Cut<u16>,
    unit: usize,
    /// Bits of the leaves below its left child, and its right.
    left: u32,
    right: u32,
}

impl BitGroup {
    /// Lays out a group of trees of depth 1 and more; `trees` are those that it numbers.
    ///
    /// # Errors
    /// When its tables might exceed `MAX_TABLE_BYTES`.
    pub fn new(group: Group<u16>, trees: &[Tree]) -> Result<Self, String> {
        let members = || group.trees.iter().map(|&member| &trees[member]);
        let leaves: Vec<_> = members().map(leaves_below).collect();
        let units: Vec<Unit> = members()
            .zip(&leaves)
            .flat_map(|(tree, leaves)| {
                let count = leaves[0].len();
                let most = if count <= LEAVES { LEAVES } else { ELSEWHERE };
                (0..count).step_by(most).map(move |first| Unit {
                    tree,
                    leaves,
                    run: first..count.min(first + most),
                })
            })
            .collect();
        let places: usize = group.columns.iter().map(|column| column.thresholds + 2).sum();
        let bytes = units.len().div_ceil(UNITS) * places * size_of::<u16>();
        if bytes > MAX_TABLE_BYTES {
            return Err(format!(
                "its deep trees take {bytes} bytes, must be {MAX_TABLE_BYTES} at most"
            ));
        }
        let chunks = units.chunks(UNITS).map(|units| Chunk::new(units, &group)).collect();
        Ok(Self { chunks, columns: group.columns })
    }

    /// Columns of `narrow`.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The group's ranks of a row, from the set's.
    pub fn narrow(&self, rank: impl Fn(usize) -> u32, narrow: &mut [u16]) {
        for (column, narrow) in self.columns.iter().zip(narrow) {
            *narrow = column.narrow[rank(column.feature) as usize];
        }
    }

    /// Adds the leaf values of every tree to the sum of each row, given by its narrow ranks.
    #[inline(always)]
    pub fn add(&self, rows: &[u16], sums: &mut [f64]) {
        for chunk in &self.chunks {
            for (row, sum) in rows.chunks_exact(self.columns.len()).zip(sums.iter_mut()) {
                *sum += chunk.sum(row);
            }
        }
    }
}

impl Chunk {
    fn new(units: &[Unit], group: &Group<u16>) -> Self {
        let mut chunk = Self {
            columns: Vec::new(),
            places: Vec::new(),
            masks: Vec::new(),
            values: vec![[0.0; LEAVES]; UNITS],
        };
        let mut rules: Vec<Vec<Rule>> = group.columns.iter().map(|_| Vec::new()).collect();
        for (number, unit) in units.iter().enumerate() {
            unit.fill(number, group, &mut rules, &mut chunk.values[number]);
        }
        for (column, rules) in rules.iter_mut().enumerate() {
            if !rules.is_empty() {
                chunk.columns.push((column as u32, chunk.places.len() as u32));
                chunk.push(rules, group.columns[column].thresholds);
            }
        }
        chunk
    }

    /// Appends a column's masks and the places of its ranks: missing, then 1 to `thresholds` + 1.
    fn push(&mut self, rules: &mut [Rule], thresholds: usize) {
        rules.sort_unstable_by_key(|rule| rule.cut.bound);
        let mut missing = NONE_RULED_OUT;
        for rule in rules.iter() {
            missing.rule_out(rule, rule.cut.missing_left);
        }
        self.places.push(self.masks.len() as u16);
        self.masks.push(missing);
        // From the lowest rank on, what the splits rule out that go right.
        let first = self.masks.len();
        let (mut right, mut next) = (NONE_RULED_OUT, 0);
        for rank in 1..=thresholds + 1 {
            let passed =
                rules[next..].iter().take_while(|rule| usize::from(rule.cut.bound) <= rank);
            let passed = passed.count();
            for rule in &rules[next..next + passed] {
                right.rule_out(rule, false);
            }
            if passed > 0 || rank == 1 {
                self.masks.push(right);
            }
            next += passed;
            self.places.push(self.masks.len() as u16 - 1);
        }
        // From the highest rank on, what those rule out that go left.
        let mut left = NONE_RULED_OUT;
        let mut parts = rules.chunk_by(|a, b| a.cut.bound == b.cut.bound).rev();
        for masks in self.masks[first..].iter_mut().rev() {
            masks.keep(&left);
            for rule in parts.next().into_iter().flatten() {
                left.rule_out(rule, true);
            }
        }
    }

    /// The sum of the units' values for a row.
    #[inline(always)]
    fn sum(&self, row: &[u16]) -> f64 {
        let mut alive = [simd::splat(-1); VECTORS];
        for &(column, first) in &self.columns {
            let place = self.places[first as usize + usize::from(row[column as usize])];
            let masks = self.masks[usize::from(place)].vectors();
            for (alive, masks) in alive.iter_mut().zip(masks) {
                *alive = simd::and(*alive, masks);
            }
        }
        let mut sums = [0.0; 4];
        for (alive, values) in alive.into_iter().zip(self.values.chunks_exact(UNITS / VECTORS)) {
            for (word, (sums, values)) in simd::words(alive)
                .into_iter()
                .zip(sums.chunks_exact_mut(2).zip(values.chunks_exact(2)))
            {
                sums[0] += values[0][word.trailing_zeros() as usize % LEAVES];
                sums[1] += values[1][(word >> 32).trailing_zeros() as usize % LEAVES];
            }
        }
        sums.iter().sum()
    }
}

impl Unit<'_> {
    /// Adds what each split rules out to the rules of its column, and sets the leaves' values.
    fn fill(
        &self,
        unit: usize,
        group: &Group<u16>,
        rules: &mut [Vec<Rule>],
        values: &mut [f64; LEAVES],
    ) {
        let mut stack = vec![0];
        while let Some(node) = stack.pop() {
            match &self.tree.nodes[node].kind {
                _ if self.bits(node) == 0 => {}
                Kind::Leaf { value } => {
                    values[self.leaves[node].start - self.run.start] = f64::from(*value);
                }
                Kind::Branch(branch) => {
                    let children = [branch.left as usize, branch.right as usize];
                    let [left, right] = children.map(|child| self.bits(child));
                    let cut = group.cut(branch, self.tree.places[node]);
                    rules[cut.column].push(Rule { cut, unit, left, right });
                    stack.extend(children);
                }
            }
        }
    }

    /// The bits of the unit's leaves below a node.
    fn bits(&self, node: usize) -> u32 {
        let Range { start, end } = self.leaves[node];
        let below = |leaf: usize| {
            let bits = leaf.clamp(self.run.start, self.run.end) - self.run.start;
            ((1u64 << bits) - 1) as u32
        };
        below(end) & !below(start)
    }
}

impl Masks {
    /// Rules out the leaves on the side that a row does not take.
    fn rule_out(&mut self, rule: &Rule, goes_left: bool) {
        self.0[rule.unit] &= !(if goes_left { rule.right } else { rule.left });
    }

    fn keep(&mut self, other: &Self) {
        for (mask, other) in self.0.iter_mut().zip(other.0) {
            *mask &= other;
        }
    }

    #[inline(always)]
    fn vectors(&self) -> [simd::V; VECTORS] {
        let (vectors, _) = self.0.as_chunks::<{ UNITS / VECTORS }>();
        std::array::from_fn(|vector| simd::load32(&vectors[vector]))
    }
}

/// Per node, the leaves below it, numbered from left to right.
fn leaves_below(tree: &Tree) -> Vec<Range<usize>> {
    let children = |node: usize| match tree.nodes[node].kind {
        Kind::Branch(branch) => Some([branch.left as usize, branch.right as usize]),
        Kind::Leaf { .. } => None,
    };
    let mut counts = vec![1; tree.nodes.len()];
    for node in (0..counts.len()).rev() {
        if let Some([left, right]) = children(node) {
            counts[node] = counts[left] + counts[right];
        }
    }
    let mut leaves = vec![0..counts[0]; counts.len()];
    for node in 0..counts.len() {
        if let Some([left, right]) = children(node) {
            let Range { start, end } = leaves[node];
            let middle = start + counts[left];
            leaves[left] = start..middle;
            leaves[right] = middle..end;
        }
    }
    leaves
}
