//! TreeSHAP by tables, for shallow trees: contributions of a few leaves for every outcome.
//!
//! The contributions of a leaf depend on nothing but the outcomes of the splits on its way. A unit is a
//! subtree of at most four leaves: on the ways to them lie at most `MAX_SPLITS` splits, so at most
//! 2^6 cases, and for each the sums of the leaves' contributions are computed once (as in Yang's
//! "Fast TreeSHAP" v2 (2021), there for a leaf at a time; by the quadrature of `shap`). A row then
//! costs, per unit, six comparisons and a table row of at most six numbers to add.
//!
//! Entries are integers in units of a step, 2^-30 of the largest of the model: half the memory of
//! doubles, and sums do not depend on the order. 300 trees of depth 5 take about 4 MB.

use prescore_forest::{Kind, Node};

use crate::quadrature::{Point, gauss_legendre};
use crate::shap::{Explained, Ways};
use crate::tree::Tree;

/// Deepest tree that is explained by tables: one level more doubles rows and units both.
pub const MAX_DEPTH: usize = 5;

/// Splits on the ways to the leaves of a unit: two levels inside it, and the levels above it.
const MAX_SPLITS: usize = 3 + MAX_DEPTH - 2;

/// Tables of many trees.
pub struct Tables {
    units: Vec<Unit>,
    /// Features of all units' columns.
    features: Vec<u16>,
    entries: Vec<i32>,
    step: f64,
}

/// A subtree: which splits make the number of the table's row, where the table is.
struct Unit {
    /// Unused ones lead right, which adds no bit.
    splits: [Split; MAX_SPLITS],
    /// First of its features and how many, each a column of its table.
    features: (u32, u32),
    entries: u32,
}

/// Left when the row's rank in the column is less than the bound.
#[derive(Clone, Copy, Default)]
struct Split {
    column: u32,
    bound: u32,
}

/// A row's ranks as splits read them: twice for each feature, for the two sides of missing values.
pub fn columns(ranks: &[u32]) -> Vec<u32> {
    let sides = |&rank: &u32| [if rank == 0 { u32::MAX } else { rank }, rank];
    ranks.iter().flat_map(sides).collect()
}

impl Tables {
    /// Tables of trees of at most `MAX_DEPTH`.
    pub fn new<'a>(trees: impl Iterator<Item = (&'a Tree, &'a Explained)>) -> Self {
        let mut tables = Draft {
            points: (0..=MAX_DEPTH.div_ceil(2)).map(gauss_legendre).collect(),
            units: Vec::new(),
            features: Vec::new(),
            entries: Vec::new(),
        };
        for (tree, explained) in trees {
            let heights = heights(&tree.nodes);
            for root in unit_roots(tree, &heights) {
                tables.push(tree, explained, root);
            }
        }
        tables.finish()
    }

    /// Adds the contributions for a row, given as `columns`.
    pub fn add(&self, columns: &[u32], out: &mut [f64]) {
        let mut sums = vec![0i64; out.len()];
        for unit in &self.units {
            let mut case = 0;
            for (bit, split) in unit.splits.iter().enumerate() {
                case |= usize::from(columns[split.column as usize] < split.bound) << bit;
            }
            let (first, width) = (unit.features.0 as usize, unit.features.1 as usize);
            let row = &self.entries[unit.entries as usize + case * width..][..width];
            for (&feature, &entry) in self.features[first..][..width].iter().zip(row) {
                sums[usize::from(feature)] += i64::from(entry);
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out += sum as f64 * self.step;
        }
    }
}

/// Edges from each node to the deepest leaf below it.
fn heights(nodes: &[Node]) -> Vec<usize> {
    let mut heights = vec![0; nodes.len()];
    for (index, node) in nodes.iter().enumerate().rev() {
        if let Kind::Branch(branch) = node.kind {
            heights[index] = 1 + heights[branch.left as usize].max(heights[branch.right as usize]);
        }
    }
    heights
}

/// The highest nodes of height 2 or less.
fn unit_roots(tree: &Tree, heights: &[usize]) -> Vec<usize> {
    let (mut roots, mut stack) = (Vec::new(), vec![0]);
    while let Some(node) = stack.pop() {
        match tree.nodes[node].kind {
            Kind::Branch(branch) if heights[node] > 2 => {
                stack.extend([branch.right as usize, branch.left as usize]);
            }
            _ => roots.push(node),
        }
    }
    roots
}

/// Tables in the making, with entries not yet rounded.
struct Draft {
    /// Quadratures by their number of nodes.
    points: Vec<Vec<Point>>,
    units: Vec<Unit>,
    features: Vec<u16>,
    entries: Vec<f64>,
}

impl Draft {
    fn push(&mut self, tree: &Tree, explained: &Explained, root: usize) {
        let (mut nodes, mut leaves) = (explained.above(root), Vec::new());
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            match tree.nodes[node].kind {
                Kind::Leaf { value } => leaves.push((node, f64::from(value))),
                Kind::Branch(branch) => {
                    nodes.push(node);
                    stack.extend([branch.left as usize, branch.right as usize]);
                }
            }
        }
        let mut splits = [Split::default(); MAX_SPLITS];
        let mut features = Vec::new();
        for (slot, &node) in splits.iter_mut().zip(&nodes) {
            let Kind::Branch(branch) = tree.nodes[node].kind else { continue };
            let column = 2 * u32::from(branch.feature) + u32::from(branch.missing_left);
            *slot = Split { column, bound: tree.places[node] + 2 };
            if !features.contains(&branch.feature) {
                features.push(branch.feature);
            }
        }
        let first = self.entries.len();
        self.entries.resize(first + (features.len() << nodes.len()), 0.0);
        for &(leaf, value) in &leaves {
            let ways = explained.ways(leaf);
            let points = &self.points[ways.features.len().div_ceil(2)];
            add_leaf((&ways, value), points, (&nodes, &features), &mut self.entries[first..]);
        }
        self.units.push(Unit {
            splits,
            features: (self.features.len() as u32, features.len() as u32),
            entries: first as u32,
        });
        self.features.extend(features);
    }

    fn finish(self) -> Tables {
        let largest = self.entries.iter().fold(0.0f64, |most, entry| most.max(entry.abs()));
        let step = if largest > 0.0 { largest / f64::from(1 << 30) } else { 1.0 };
        let round = |entry: &f64| (entry / step).round_ties_even() as i32;
        let entries = self.entries.iter().map(round).collect();
        Tables { units: self.units, features: self.features, entries, step }
    }
}

/// Adds a leaf's contributions in every case to a table: rows by case, columns by feature.
fn add_leaf(
    (ways, value): (&Ways, f64),
    points: &[Point],
    (nodes, features): (&[usize], &[u16]),
    table: &mut [f64],
) {
    // For each pattern of met features, bit j for the way's feature j, the contributions.
    let count = ways.features.len();
    let patterns: Vec<Vec<f64>> =
        (0..1 << count).map(|met| ways.contributions(met, value, points)).collect();
    let columns: Vec<usize> =
        ways.features.iter().filter_map(|f| features.iter().position(|g| g == f)).collect();
    // The bit of each split on the way, the outcome that leads on, and the place of its feature.
    let steps: Vec<(usize, bool, usize)> = ways
        .steps
        .iter()
        .filter_map(|step| {
            let bit = nodes.iter().position(|&node| node == step.node)?;
            Some((bit, step.left, step.feature))
        })
        .collect();
    for (case, row) in table.chunks_exact_mut(features.len().max(1)).enumerate() {
        let mut met = (1usize << count) - 1;
        for &(bit, left, feature) in &steps {
            if (case >> bit & 1 == 1) != left {
                met &= !(1 << feature);
            }
        }
        for (&column, value) in columns.iter().zip(&patterns[met]) {
            row[column] += value;
        }
    }
}
