//! The walk: deep trees, where a tournament would compare far more splits than a row meets.
//!
//! Why sixteen at a time: a step of one walk waits for the memory; those of sixteen, which take no
//! branch, overlap. With a batch they are rows in one tree, with one row they are trees.
//! A leaf leads to itself, so that all sixteen take as many steps as the longest needs.

use prescore_forest::{Branch, Kind};

use crate::quantise::{Cut, Group, Palette};
use crate::tree::Tree;

/// Walks that go on at once.
pub const WALKS: usize = 16;

/// Steps between two looks whether all walks have ended.
const STRIDE: usize = 4;

/// Deep trees that share a palette.
pub struct WalkGroup {
    palette: Palette<u16>,
    /// First node and depth of each tree.
    trees: Vec<(u32, usize)>,
    nodes: Vec<Node>,
    /// Per node a leaf's value, 0 for a branch.
    values: Vec<f32>,
}

/// The right child follows the left one. At a leaf "left" is the leaf itself: its column is the
/// constant one, which is 0, and its bound is greater.
#[derive(Clone, Copy)]
struct Node {
    left: u32,
    column: u16,
    bound: u16,
}

/// Number of the column that is 0 in every row.
const CONSTANT: u16 = 0;

impl WalkGroup {
    /// Lays out a group; `trees` are those that it numbers.
    pub fn new(group: Group<u16>, trees: &[Tree]) -> Self {
        let Group { palette, trees: members } = group;
        let mut walk = Self { palette, trees: Vec::new(), nodes: Vec::new(), values: Vec::new() };
        for &member in &members {
            walk.push(&trees[member]);
        }
        walk
    }

    /// Appends a tree level by level, children side by side.
    fn push(&mut self, tree: &Tree) {
        let root = self.nodes.len();
        self.trees.push((root as u32, tree.depth));
        let mut order = vec![0];
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            let (entry, value) = match &tree.nodes[node].kind {
                Kind::Leaf { value } => {
                    let itself = (root + next) as u32;
                    (Node { left: itself, column: CONSTANT, bound: 1 }, *value)
                }
                Kind::Branch(branch) => {
                    let Cut { column, bound } = self.palette.cut(branch, tree.places[node]);
                    let left = (root + order.len()) as u32;
                    let Branch { left: low, right: high, .. } = *branch;
                    order.extend([low as usize, high as usize]);
                    (Node { left, column: column as u16 + 1, bound }, 0.0)
                }
            };
            self.nodes.push(entry);
            self.values.push(value);
            next += 1;
        }
    }

    /// Columns of `fill`: the constant one, then the palette's.
    pub fn columns(&self) -> usize {
        self.palette.columns.len() + 1
    }

    /// Adds the leaf values of every tree to the sums of 16 rows; `ranks` has those rows' of the
    /// set for each feature, `columns` is scratch space of `columns()` items.
    pub fn add_rows<const ROWS: usize>(
        &self,
        ranks: &[[u32; ROWS]],
        first: usize,
        columns: &mut [[u16; WALKS]],
        sums: &mut [f64],
    ) {
        for (column, cells) in self.palette.columns.iter().zip(&mut columns[1..]) {
            let ranks = &ranks[column.feature][first..][..WALKS];
            *cells = std::array::from_fn(|row| column.narrow[ranks[row] as usize]);
        }
        for &(root, depth) in &self.trees {
            let ends = self.descend([root; WALKS], depth, |row, column| columns[column][row]);
            for (end, sum) in ends.into_iter().zip(sums.iter_mut()) {
                *sum += f64::from(self.values[end as usize]);
            }
        }
    }

    /// The sum of the leaf values of every tree for one row, from the set's ranks of the row.
    pub fn sum_row(&self, ranks: &[u32]) -> f64 {
        let narrow = self.palette.columns.iter();
        let narrow = narrow.map(|column| column.narrow[ranks[column.feature] as usize]);
        let row: Vec<u16> = std::iter::once(0).chain(narrow).collect();
        let mut sum = 0.0;
        for trees in self.trees.chunks(WALKS) {
            let roots = std::array::from_fn(|walk| trees.get(walk).unwrap_or(&trees[0]).0);
            let depth = trees.iter().map(|&(_, depth)| depth).max().unwrap_or(0);
            let ends = self.descend(roots, depth, |_, column| row[column]);
            let values =
                ends[..trees.len()].iter().map(|&end| f64::from(self.values[end as usize]));
            sum += values.sum::<f64>();
        }
        sum
    }

    /// The leaves at which walks from these roots end, in trees of at most this depth.
    #[inline(always)]
    fn descend(
        &self,
        mut at: [u32; WALKS],
        depth: usize,
        rank: impl Fn(usize, usize) -> u16,
    ) -> [u32; WALKS] {
        let mut left = depth;
        while left > 0 {
            let steps = left.min(STRIDE);
            let before = at;
            for _ in 0..steps {
                for (walk, at) in at.iter_mut().enumerate() {
                    let node = self.nodes[*at as usize];
                    let right = rank(walk, node.column.into()) >= node.bound;
                    *at = node.left + u32::from(right);
                }
            }
            if at == before {
                break;
            }
            left -= steps;
        }
        at
    }
}
