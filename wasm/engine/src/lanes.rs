//! The tournament kernels: 64 rows in the lanes of one tree, or 32 trees in the lanes of one row.
//!
//! Shallow trees are padded to complete ones and kept by depth. With rows in lanes a split loads its
//! column of the rows; with trees in lanes the row's ranks are a table that the lanes' column numbers
//! look up, 16 columns at a time.

use prescore_forest::{Branch, Kind};

use crate::quantise::{Cut, Group, Palette, Rank};
use crate::simd::{self, LANES};
use crate::tournament::{self, MAX_DEPTH, Splits};
use crate::tree::Tree;

/// Rows of a block, one to a lane.
pub const ROWS: usize = 64;

/// Vectors that pass through a tree side by side: of rows, and of trees.
const ROW_VECTORS: usize = 4;
const TREE_VECTORS: usize = 2;

/// Trees that one row passes through at once.
const TREES: usize = TREE_VECTORS * LANES;

type Lanes = simd::Lanes<TREE_VECTORS>;

/// Columns that one vector looks up.
const TABLE: usize = 16;

/// A group's ranks of a block of rows: a vector of rows for each column.
pub type Block = [[[i8; LANES]; ROWS / LANES]; <i8 as Rank>::MAX_COLUMNS];

/// Space for the outcomes of a tree's splits.
pub type Masks = [Lanes; 1 << MAX_DEPTH];

/// Shallow trees that share a palette.
pub struct LaneGroup {
    palette: Palette<i8>,
    depths: Vec<Shelf>,
}

/// Trees of one depth.
struct Shelf {
    depth: usize,
    trees: usize,
    /// Per tree its splits, level by level.
    rows: Vec<RowSplit>,
    /// Per 32 trees and split: the bounds, then for each table the places of the columns in it,
    /// -128 where a column is in another table.
    trees_in_lanes: Vec<[[i8; LANES]; TREE_VECTORS]>,
    /// Per tree 2^depth values, by `tournament::leaves`; zeros up to a multiple of 32 trees.
    leaves: Vec<f32>,
}

#[derive(Clone, Copy, Default)]
struct RowSplit {
    column: u8,
    bound: i8,
}

impl LaneGroup {
    /// Lays out a group of trees of depth 1 to `MAX_DEPTH`; `trees` are those that it numbers.
    pub fn new(group: Group<i8>, trees: &[Tree]) -> Self {
        let Group { palette, trees: members } = group;
        let depths = (1..=MAX_DEPTH)
            .map(|depth| {
                let of_depth = members.iter().map(|&index| &trees[index]);
                let of_depth: Vec<_> = of_depth.filter(|tree| tree.depth == depth).collect();
                Shelf::new(depth, &of_depth, &palette)
            })
            .filter(|shelf| shelf.trees > 0)
            .collect();
        Self { palette, depths }
    }

    /// Fills the block from the set's ranks, `ROWS` for each feature.
    pub fn fill(&self, ranks: &[[u32; ROWS]], block: &mut Block) {
        for (column, lanes) in self.palette.columns.iter().zip(block) {
            let narrow = &column.narrow[..];
            for (lane, &rank) in lanes.as_flattened_mut().iter_mut().zip(&ranks[column.feature]) {
                *lane = narrow[rank as usize];
            }
        }
    }

    /// Adds the leaf values of every tree to the sums of each block's rows.
    pub fn add_rows(&self, blocks: &[Block], sums: &mut [[f64; ROWS]]) {
        for shelf in &self.depths {
            shelf.add_rows(blocks, sums);
        }
    }

    /// The sum of the leaf values of every tree for one row, from the set's ranks of the row.
    pub fn sum_row(&self, ranks: &[u32], masks: &mut Masks) -> f64 {
        let mut tables = [[0; TABLE]; <i8 as Rank>::MAX_COLUMNS / TABLE];
        let cells = tables.as_flattened_mut().iter_mut();
        for (column, cell) in self.palette.columns.iter().zip(cells) {
            *cell = column.narrow[ranks[column.feature] as usize];
        }
        let tables = &tables[..self.palette.columns.len().div_ceil(TABLE)];
        self.depths.iter().map(|shelf| shelf.sum_row(tables, masks)).sum()
    }
}

impl Shelf {
    fn new(depth: usize, trees: &[&Tree], palette: &Palette<i8>) -> Self {
        let splits = (1 << depth) - 1;
        let padded = trees.len().next_multiple_of(TREES);
        let mut rows = Vec::with_capacity(trees.len() * splits);
        let mut leaves = Vec::with_capacity(padded << depth);
        for tree in trees {
            let from = rows.len();
            let to = leaves.len();
            rows.resize(from + splits, RowSplit::default());
            leaves.resize(to + splits + 1, 0.0);
            let slots = Slots { splits: &mut rows[from..], leaves: &mut leaves[to..] };
            pad(tree, palette, slots);
        }
        leaves.resize(padded << depth, 0.0);
        let tables = palette.columns.len().div_ceil(TABLE);
        let mut trees_in_lanes = Vec::new();
        for first in (0..padded).step_by(TREES) {
            for split in 0..splits {
                let cut = |lane: usize| {
                    let place = (first + lane) * splits + split;
                    rows.get(place).copied().unwrap_or_default()
                };
                trees_in_lanes.push(vectors(|lane| cut(lane).bound));
                for table in 0..tables {
                    trees_in_lanes.push(vectors(|lane| {
                        let column = usize::from(cut(lane).column);
                        if column / TABLE == table { (column % TABLE) as i8 } else { i8::MIN }
                    }));
                }
            }
        }
        Self { depth, trees: trees.len(), rows, trees_in_lanes, leaves }
    }

    fn add_rows(&self, blocks: &[Block], sums: &mut [[f64; ROWS]]) {
        match self.depth {
            1 => self.add_rows_of::<1>(blocks, sums),
            2 => self.add_rows_of::<2>(blocks, sums),
            3 => self.add_rows_of::<3>(blocks, sums),
            4 => self.add_rows_of::<4>(blocks, sums),
            5 => self.add_rows_of::<5>(blocks, sums),
            _ => self.add_rows_of::<6>(blocks, sums),
        }
    }

    fn add_rows_of<const DEPTH: usize>(&self, blocks: &[Block], sums: &mut [[f64; ROWS]]) {
        let splits = (1 << DEPTH) - 1;
        let trees = self.rows.chunks_exact(splits).zip(self.leaves.chunks_exact(splits + 1));
        for (splits, leaves) in trees {
            for (block, sums) in blocks.iter().zip(sums.iter_mut()) {
                let (sums, _) = sums.as_chunks_mut::<8>();
                let parts = sums.chunks_exact_mut(2 * ROW_VECTORS).enumerate();
                for (part, sums) in parts {
                    let lanes = RowLanes::<DEPTH> { splits, block, part };
                    let words = tournament::leaves::<DEPTH, ROW_VECTORS>(lanes).words();
                    for (word, sums) in words.into_iter().flatten().zip(sums) {
                        for (lane, sum) in sums.iter_mut().enumerate() {
                            let leaf = (word >> (8 * lane)) as usize & last_leaf::<DEPTH>();
                            *sum += f64::from(leaves[leaf]);
                        }
                    }
                }
            }
        }
    }

    fn sum_row(&self, tables: &[[i8; TABLE]], masks: &mut Masks) -> f64 {
        match self.depth {
            1 => self.sum_row_of::<1>(tables, masks),
            2 => self.sum_row_of::<2>(tables, masks),
            3 => self.sum_row_of::<3>(tables, masks),
            4 => self.sum_row_of::<4>(tables, masks),
            5 => self.sum_row_of::<5>(tables, masks),
            _ => self.sum_row_of::<6>(tables, masks),
        }
    }

    fn sum_row_of<const DEPTH: usize>(&self, tables: &[[i8; TABLE]], masks: &mut Masks) -> f64 {
        let mut sums = [0.0; 8];
        let stride = ((1 << DEPTH) - 1) * (tables.len() + 1);
        let batches = self.trees_in_lanes.chunks_exact(stride);
        for (splits, leaves) in batches.zip(self.leaves.chunks_exact(TREES << DEPTH)) {
            match *tables {
                [a] => compare([a], splits, masks),
                [a, b] => compare([a, b], splits, masks),
                [a, b, c] => compare([a, b, c], splits, masks),
                _ => compare_many(tables, splits, masks),
            }
            let lanes = tournament::leaves::<DEPTH, TREE_VECTORS>(TreeLanes { masks });
            add_leaves::<DEPTH>(lanes, leaves, &mut sums);
        }
        sums.iter().sum()
    }
}

/// Adds to eight partial sums, to be summed by the caller, the leaf values of 32 trees.
#[inline(always)]
fn add_leaves<const DEPTH: usize>(lanes: Lanes, leaves: &[f32], sums: &mut [f64; 8]) {
    let words = lanes.words().into_iter().flatten().zip(leaves.chunks_exact(8 << DEPTH));
    for (word, leaves) in words {
        let trees = leaves.chunks_exact(1 << DEPTH).zip(sums.iter_mut()).enumerate();
        for (lane, (leaves, sum)) in trees {
            *sum += f64::from(leaves[(word >> (8 * lane)) as usize & last_leaf::<DEPTH>()]);
        }
    }
}

const fn last_leaf<const DEPTH: usize>() -> usize {
    (1 << DEPTH) - 1
}

#[derive(Clone, Copy)]
struct RowLanes<'a, const DEPTH: usize> {
    splits: &'a [RowSplit],
    block: &'a Block,
    /// Which vectors of the block's columns.
    part: usize,
}

impl<const DEPTH: usize> Splits<ROW_VECTORS> for RowLanes<'_, DEPTH> {
    #[inline(always)]
    fn left(self, node: usize) -> simd::Lanes<ROW_VECTORS> {
        let RowSplit { column, bound } = self.splits[node];
        let (parts, _) = self.block[usize::from(column)].as_chunks::<ROW_VECTORS>();
        simd::Lanes::splat(bound).greater(simd::Lanes::load(&parts[self.part]))
    }
}

#[derive(Clone, Copy)]
struct TreeLanes<'a> {
    masks: &'a Masks,
}

impl Splits<TREE_VECTORS> for TreeLanes<'_> {
    #[inline(always)]
    fn left(self, node: usize) -> Lanes {
        self.masks[node]
    }
}

/// Evaluates the splits of 32 trees for one row, whose ranks are in the tables.
#[inline(always)]
fn compare<const TABLES: usize>(
    tables: [[i8; TABLE]; TABLES],
    splits: &[[[i8; LANES]; TREE_VECTORS]],
    masks: &mut Masks,
) {
    let tables = tables.map(|table| simd::load(&table));
    for (split, mask) in splits.chunks_exact(TABLES + 1).zip(masks) {
        *mask = left(split, &tables);
    }
}

#[inline(never)]
fn compare_many(tables: &[[i8; TABLE]], splits: &[[[i8; LANES]; TREE_VECTORS]], masks: &mut Masks) {
    let tables: Vec<_> = tables.iter().map(simd::load).collect();
    for (split, mask) in splits.chunks_exact(tables.len() + 1).zip(masks) {
        *mask = left(split, &tables);
    }
}

/// Compares the bounds with the ranks that the tables hold: each column is in one of them.
#[inline(always)]
fn left(split: &[[[i8; LANES]; TREE_VECTORS]], tables: &[simd::V]) -> Lanes {
    let mut ranks = [simd::splat(0); TREE_VECTORS];
    for (places, &table) in split[1..].iter().zip(tables) {
        for (ranks, places) in ranks.iter_mut().zip(places) {
            *ranks = simd::or(*ranks, simd::look_up(table, simd::load(places)));
        }
    }
    Lanes::load(&split[0]).greater(simd::Lanes(ranks))
}

/// A byte for each of the trees in lanes.
fn vectors(byte: impl Fn(usize) -> i8) -> [[i8; LANES]; TREE_VECTORS] {
    std::array::from_fn(|vector| std::array::from_fn(|lane| byte(vector * LANES + lane)))
}

/// Where a tree's splits and leaves go.
struct Slots<'a> {
    splits: &'a mut [RowSplit],
    leaves: &'a mut [f32],
}

/// Lays a tree out as a complete one: below a leaf that comes early, all leaves are that leaf.
fn pad(tree: &Tree, palette: &Palette<i8>, slots: Slots) {
    let mut stack = vec![(0, 0)];
    while let Some((node, slot)) = stack.pop() {
        if let Some(split) = slots.splits.get_mut(slot) {
            let (left, right) = match &tree.nodes[node].kind {
                Kind::Leaf { .. } => (node, node),
                Kind::Branch(branch) => {
                    let Cut { column, bound } = palette.cut(branch, tree.places[node]);
                    *split = RowSplit { column: column as u8, bound };
                    let Branch { left, right, .. } = *branch;
                    (left as usize, right as usize)
                }
            };
            stack.extend([(left, 2 * slot + 1), (right, 2 * slot + 2)]);
        } else if let Kind::Leaf { value } = tree.nodes[node].kind {
            // From left to right leaves fall from all ones to zero, for a 1 means left.
            let leaves = slots.leaves.len();
            slots.leaves[2 * leaves - 2 - slot] = value;
        }
    }
}
