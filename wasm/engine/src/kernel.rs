//! The scoring kernel: raw sums of a forest over rows of features.
//!
//! Why flat: 16 bytes a node, both children in it, so that a step of the walk reads one place.
//! Rows go in blocks with the trees outside, so that a tree stays in cache for the whole block.
//! A faster kernel replaces this type; `raw_sums` is all that the module asks of one.
//!
//! Known limit: one row at a time in a tree, scalar.

use prescore_forest::{Branch, Forest, Kind};

/// Rows that pass through a tree before the next tree: 64 rows of 64 floats fill 16 KiB.
const BLOCK: usize = 64;

/// Set in `feature` of a node where a missing value goes left.
const MISSING_LEFT: u32 = 1 << 31;

/// A node; a leaf is its own left child.
struct Node {
    /// The threshold, or the leaf's value.
    value: f32,
    feature: u32,
    left: u32,
    right: u32,
}

/// A forest laid out for scoring. Made of valid forests only.
pub struct Kernel {
    features: usize,
    base: f64,
    roots: Vec<u32>,
    nodes: Vec<Node>,
}

impl Kernel {
    /// Lays out a forest that `Forest::decode` gave.
    pub fn new(forest: &Forest) -> Self {
        let nodes = forest.nodes.iter().zip(0..).map(|(node, index)| match node.kind {
            Kind::Leaf { value } => Node { value, feature: 0, left: index, right: index },
            Kind::Branch(Branch { feature, threshold, left, right, missing_left }) => {
                let missing = if missing_left { MISSING_LEFT } else { 0 };
                Node { value: threshold, feature: u32::from(feature) | missing, left, right }
            }
        });
        Self {
            features: forest.features as usize,
            base: forest.base,
            roots: forest.roots.clone(),
            nodes: nodes.collect(),
        }
    }

    /// Base plus the leaf values of every tree, in the order of the trees, one sum per row.
    /// `rows` is row-major and holds `out.len()` rows of the forest's features.
    pub fn raw_sums(&self, rows: &[f32], out: &mut [f64]) {
        out.fill(0.0);
        let blocks = rows.chunks(BLOCK * self.features).zip(out.chunks_mut(BLOCK));
        for (rows, sums) in blocks {
            for &root in &self.roots {
                for (row, sum) in rows.chunks_exact(self.features).zip(sums.iter_mut()) {
                    *sum += f64::from(self.leaf(root, row));
                }
            }
        }
        for sum in out {
            *sum += self.base;
        }
    }

    /// The value of the leaf that a row ends in. It ends: a child's index exceeds its parent's.
    fn leaf(&self, root: u32, row: &[f32]) -> f32 {
        let mut index = root;
        loop {
            let node = &self.nodes[index as usize];
            if node.left == index {
                return node.value;
            }
            let x = row[(node.feature & !MISSING_LEFT) as usize];
            let missing_left = x.is_nan() && node.feature & MISSING_LEFT != 0;
            index = if x < node.value || missing_left { node.left } else { node.right };
        }
    }
}
