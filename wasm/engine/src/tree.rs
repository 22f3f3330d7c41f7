//! A forest's trees as the kernels take them: apart, with leaf values on one grid.
//!
//! Why a grid: leaf values are rounded to multiples of 2^-k, k as large as still lets every partial
//! sum of them be a double. Then sums are exact, whatever the order: every kernel gives the same
//! bits, and so do sums that a sweep updates by differences. Rounding a leaf moves it by at most 2^-52
//! of the largest possible sum, about what one addition of doubles may do anyway.

use prescore_forest::{Branch, Forest, Kind, Node};

use crate::quantise::Quantiser;

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

/// A valid forest's trees, and its base, on one grid.
pub fn trees(forest: &Forest, quantiser: &Quantiser) -> (Vec<Tree>, f64) {
    let grid = grid(forest);
    let trees =
        ranges(forest).map(|(root, end)| tree(&forest.nodes[root..end], root, grid, quantiser));
    (trees.collect(), snap(forest.base, grid))
}

fn ranges(forest: &Forest) -> impl Iterator<Item = (usize, usize)> {
    let ends = forest.roots[1..].iter().map(|&root| root as usize).chain([forest.nodes.len()]);
    forest.roots.iter().map(|&root| root as usize).zip(ends)
}

/// The grid's step: the ulp of the largest sum of magnitudes, as a double.
fn grid(forest: &Forest) -> f64 {
    let largest = |(root, end): (usize, usize)| {
        let values = forest.nodes[root..end].iter().map(|node| match node.kind {
            Kind::Leaf { value } => f64::from(value.abs()),
            Kind::Branch(_) => 0.0,
        });
        values.fold(0.0, f64::max)
    };
    let most = forest.base.abs() + ranges(forest).map(largest).sum::<f64>();
    // Twice the sum, so that its own rounding cannot matter.
    let exponent = (2.0 * most).to_bits() >> 52;
    f64::from_bits(exponent.saturating_sub(52).max(1) << 52)
}

/// The nearest multiple of the step. A float's fits a float: it has no more bits, or 24 at most.
fn snap(value: f64, grid: f64) -> f64 {
    (value / grid).round_ties_even() * grid
}

fn tree(nodes: &[Node], root: usize, grid: f64, quantiser: &Quantiser) -> Tree {
    let mut depths = vec![0; nodes.len()];
    let own = |(index, node): (usize, &Node)| {
        let kind = match node.kind {
            Kind::Leaf { value } => Kind::Leaf { value: snap(value.into(), grid) as f32 },
            Kind::Branch(branch) => {
                let [left, right] = [branch.left, branch.right].map(|child| child - root as u32);
                depths[left as usize] = depths[index] + 1;
                depths[right as usize] = depths[index] + 1;
                Kind::Branch(Branch { left, right, ..branch })
            }
        };
        Node { kind, ..*node }
    };
    let nodes: Vec<Node> = nodes.iter().enumerate().map(own).collect();
    let place = |node: &Node| match &node.kind {
        Kind::Branch(branch) => quantiser.place(branch),
        Kind::Leaf { .. } => 0,
    };
    let places = nodes.iter().map(place).collect();
    Tree { nodes, places, depth: depths.into_iter().max().unwrap_or(0) }
}
