//! A forest's trees as the kernels take them: apart, with leaf values on one grid.
//!
//! Why a grid: leaf values are rounded to multiples of 2^-k, k as large as still lets every partial
//! sum of them be a double. Then sums are exact, whatever the order: every kernel gives the same
//! bits, and so do sums that a sweep updates by differences. Rounding a leaf moves it by at most 2^-52
//! of the largest possible sum, about what one addition of doubles may do anyway.

use prescore_forest::{Branch, Forest, Kind, Node};

/// A tree: children are indices into `nodes`, greater than their parent's; the root is node 0.
pub struct Tree {
    pub nodes: Vec<Node>,
    /// Per node, the place of its threshold among those that the set has for its feature.
    pub places: Vec<u32>,
    /// Edges from the root to the deepest leaf.
    pub depth: usize,
}

impl Tree {
    /// The value of a tree that is a single leaf; 0 for any other.
    pub fn constant(&self) -> f64 {
        match self.nodes[0].kind {
            Kind::Leaf { value } => value.into(),
            Kind::Branch(_) => 0.0,
        }
    }

    /// The branches, each with the place of its threshold.
    pub fn branches(&self) -> impl Iterator<Item = (&Branch, u32)> {
        self.nodes.iter().zip(&self.places).filter_map(|(node, &place)| match &node.kind {
            Kind::Branch(branch) => Some((branch, place)),
            Kind::Leaf { .. } => None,
        })
    }
}

/// Bits of a leaf value in steps of the grid, without its sign.
pub const LEAF_BITS: u32 = 46;

/// A valid forest's trees on one grid, the base on it, and its step. `places` are those of its nodes'
/// thresholds.
pub fn trees(forest: &Forest, places: &[u32]) -> (Vec<Tree>, f64, f64) {
    let step = step(forest);
    let trees = ranges(forest).map(|(root, end)| {
        let (nodes, depth) = tree(&forest.nodes[root..end], root, step);
        Tree { nodes, places: places[root..end].to_vec(), depth }
    });
    (trees.collect(), snap(forest.base, step), step)
}

fn ranges(forest: &Forest) -> impl Iterator<Item = (usize, usize)> {
    let ends = forest.roots[1..].iter().map(|&root| root as usize).chain([forest.nodes.len()]);
    forest.roots.iter().map(|&root| root as usize).zip(ends)
}

/// The grid's step: the ulp of the largest sum of magnitudes, as a double, or as much as lets the
/// largest leaf have `LEAF_BITS`.
fn step(forest: &Forest) -> f64 {
    let largest = |(root, end): (usize, usize)| {
        let values = forest.nodes[root..end].iter().map(|node| match node.kind {
            Kind::Leaf { value } => f64::from(value.abs()),
            Kind::Branch(_) => 0.0,
        });
        values.fold(0.0, f64::max)
    };
    let leaves: Vec<f64> = ranges(forest).map(largest).collect();
    let most = forest.base.abs() + leaves.iter().sum::<f64>();
    let leaf = leaves.into_iter().fold(0.0, f64::max);
    // Twice as much, so that rounding cannot matter; a power of two from the exponent's bits.
    let ulp = |most: f64, bits: u64| ((2.0 * most).to_bits() >> 52).saturating_sub(bits);
    let exponent = ulp(most, 52).max(ulp(leaf, u64::from(LEAF_BITS)));
    f64::from_bits(exponent.max(1) << 52)
}

/// The nearest multiple of the step. A float's fits a float: it has no more bits, or 24 at most.
fn snap(value: f64, step: f64) -> f64 {
    (value / step).round_ties_even() * step
}

/// A tree's own nodes, and its depth.
fn tree(nodes: &[Node], root: usize, step: f64) -> (Vec<Node>, usize) {
    let mut depths = vec![0; nodes.len()];
    let own = |(index, node): (usize, &Node)| {
        let kind = match node.kind {
            Kind::Leaf { value } => Kind::Leaf { value: snap(value.into(), step) as f32 },
            Kind::Branch(branch) => {
                let [left, right] = [branch.left, branch.right].map(|child| child - root as u32);
                depths[left as usize] = depths[index] + 1;
                depths[right as usize] = depths[index] + 1;
                Kind::Branch(Branch { left, right, ..branch })
            }
        };
        Node { kind, ..*node }
    };
    let nodes = nodes.iter().enumerate().map(own).collect();
    (nodes, depths.into_iter().max().unwrap_or(0))
}
