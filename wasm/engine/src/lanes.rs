//! The tournament kernel: the rows of a batch in the lanes of vectors, through one tree after another.
//!
//! Shallow trees are padded to complete ones and kept by depth. A split loads its column of the rows.
//! Leaf values are integers, multiples of the forest's step, cut into bytes: a vector looks up a byte
//! of each lane's leaf in a table, so no row leaves its lane until the sums are done.

use prescore_forest::Kind;

use crate::quantise::{Column, Group};
use crate::row::{RowShelf, RowSplit, Tables};
use crate::simd::{self, LANES, Lanes};
use crate::tournament::{self, MAX_DEPTH, Splits};
use crate::tree::{LEAF_BITS, Tree};

/// Rows of a block, one to a lane.
pub const ROWS: usize = 64;

/// Vectors of rows that pass through a tree side by side.
const VECTORS: usize = 2;

/// Rows that do.
const SIDE_BY_SIDE: usize = VECTORS * LANES;

/// Lower trees are padded to this depth: kernels for them would be more code than they save time.
const MIN_DEPTH: usize = 3;

/// Trees whose values are added up before they are added to the sums.
const TREES: usize = 2;

/// Trees after which a sum of bytes might leave 16 bits.
const MOST_TREES: usize = 256;

/// Bytes of a value.
const BYTES: usize = 6;

/// Added to a value, so that none is negative.
const OFFSET: i64 = 1 << LEAF_BITS;

/// Twice a group's sides at most: what a `u8` tells apart, so that no split's side is checked.
pub const SIDES: usize = 256;

/// A group's ranks of a block of rows: a vector of rows for each side of a column.
pub type Block = [[[i8; LANES]; ROWS / LANES]; SIDES];

/// Shallow trees that share narrow ranks.
pub struct LaneGroup {
    columns: Vec<Column<i8>>,
    /// Columns, and whether a missing value goes left: what splits read.
    sides: Vec<(usize, bool)>,
    shelves: Vec<Shelf>,
    /// The offsets of all values.
    offset: i64,
}

/// Trees of one depth.
struct Shelf {
    depth: usize,
    /// Per tree its splits, level by level; trees of none up to a multiple of `TREES`.
    splits: Vec<Split>,
    /// Per tree and byte of a value, from the lowest on: those of 2^depth leaves, by
    /// `tournament::leaves`, in vectors.
    values: Vec<[i8; LANES]>,
    /// The same trees for a row alone.
    row: RowShelf,
}

/// Left when the row's rank on the side is less than the bound.
#[derive(Clone, Copy, Default)]
pub struct Split {
    pub side: u8,
    pub bound: i8,
}

/// For each byte of a value the sums of 16 lanes' bytes, in 16 bits: of pairs as they are, wrapping,
/// and of the odd lanes' alone.
type Sums = [[[simd::V; 2]; VECTORS]; BYTES];

impl LaneGroup {
    /// Lays out a group of trees of depth 1 to `MAX_DEPTH`; `trees` are those that it numbers.
    pub fn new(group: Group<i8>, trees: &[Tree], step: f64) -> Self {
        let members: Vec<_> = group.trees.iter().map(|&member| &trees[member]).collect();
        let mut used = vec![[false; 2]; group.columns.len()];
        for (branch, place) in members.iter().flat_map(|tree| tree.branches()) {
            let cut = group.cut(branch, place);
            used[cut.column][usize::from(cut.missing_left)] = true;
        }
        let sides: Vec<_> = (0..used.len())
            .flat_map(|column| [(column, false), (column, true)])
            .filter(|&(column, missing_left)| used[column][usize::from(missing_left)])
            .collect();
        let mut numbers = vec![[0; 2]; group.columns.len()];
        for (number, &(column, missing_left)) in sides.iter().enumerate() {
            numbers[column][usize::from(missing_left)] = number as u8;
        }
        let shelves = (MIN_DEPTH..=MAX_DEPTH)
            .map(|depth| {
                let of_depth = members.iter().filter(|tree| tree.depth.max(MIN_DEPTH) == depth);
                let mut draft = Draft { depth, splits: Vec::new(), leaves: Vec::new() };
                of_depth.for_each(|tree| draft.push(tree, &group, &numbers));
                draft
            })
            .filter(|draft| !draft.splits.is_empty())
            .map(|draft| draft.finish(&sides, step))
            .collect();
        let offset = OFFSET * members.len() as i64;
        Self { columns: group.columns, sides, shelves, offset }
    }

    /// Fills the block from the set's ranks, `ROWS` for each feature.
    pub fn fill(&self, ranks: &[[u32; ROWS]], block: &mut Block) {
        let mut narrowed = (usize::MAX, [0; ROWS]);
        for (&(column, missing_left), lanes) in self.sides.iter().zip(block) {
            if narrowed.0 != column {
                let Column { feature, narrow, .. } = &self.columns[column];
                narrowed = (column, ranks[*feature].map(|rank| narrow[rank as usize]));
            }
            let lanes = lanes.as_flattened_mut();
            lanes.copy_from_slice(&narrowed.1);
            if !missing_left {
                for rank in lanes {
                    *rank = if *rank == i8::MIN { i8::MAX } else { *rank };
                }
            }
        }
    }

    /// Adds the values of every tree, in steps, to the sums of the block's rows.
    pub fn add_rows(&self, block: &Block, sums: &mut [i64; ROWS]) {
        sums.iter_mut().for_each(|sum| *sum -= self.offset);
        for shelf in &self.shelves {
            for (part, sums) in sums.chunks_exact_mut(SIDE_BY_SIDE).enumerate() {
                match shelf.depth {
                    MIN_DEPTH => shelf.add_rows::<MIN_DEPTH>((block, part), sums),
                    4 => shelf.add_rows::<4>((block, part), sums),
                    5 => shelf.add_rows::<5>((block, part), sums),
                    _ => shelf.add_rows::<6>((block, part), sums),
                }
            }
        }
    }

    /// The sum of the values of every tree for one row, from the set's ranks of the row.
    pub fn sum_row(&self, ranks: &[u32], tables: &mut Tables) -> f64 {
        for (column, cell) in self.columns.iter().zip(tables.as_flattened_mut()) {
            *cell = column.narrow[ranks[column.feature] as usize];
        }
        let tables = &tables[..self.columns.len().div_ceil(LANES).max(2)];
        let sum = |shelf: &Shelf| match shelf.depth {
            MIN_DEPTH => shelf.row.sum::<MIN_DEPTH>(tables),
            4 => shelf.row.sum::<4>(tables),
            5 => shelf.row.sum::<5>(tables),
            _ => shelf.row.sum::<6>(tables),
        };
        self.shelves.iter().map(sum).sum()
    }
}

/// Trees of one depth as complete ones.
struct Draft {
    depth: usize,
    splits: Vec<Split>,
    /// Per tree 2^depth values, by `tournament::leaves`.
    leaves: Vec<f32>,
}

impl Draft {
    /// Lays a tree out as a complete one: below a leaf that comes early, all leaves are that leaf. `sides` are the numbers of the
    /// group's sides, twice a column.
    fn push(&mut self, tree: &Tree, group: &Group<i8>, sides: &[[u8; 2]]) {
        let leaves = 1usize << self.depth;
        let (first, first_leaf) = (self.splits.len(), self.leaves.len());
        self.splits.resize(first + leaves - 1, Split::default());
        self.leaves.resize(first_leaf + leaves, 0.0);
        // The tree's node at each slot of the complete one, level by level.
        let mut nodes = [0; (2 << MAX_DEPTH) - 1];
        for slot in 0..leaves - 1 {
            let node = nodes[slot];
            let (left, right) = match &tree.nodes[node].kind {
                Kind::Leaf { .. } => (node, node),
                Kind::Branch(branch) => {
                    let cut = group.cut(branch, tree.places[node]);
                    let side = sides[cut.column][usize::from(cut.missing_left)];
                    self.splits[first + slot] = Split { side, bound: cut.bound };
                    (branch.left as usize, branch.right as usize)
                }
            };
            (nodes[2 * slot + 1], nodes[2 * slot + 2]) = (left, right);
        }
        // From left to right leaves fall from all ones to zero, for a 1 means left.
        for (leaf, node) in self.leaves[first_leaf..].iter_mut().rev().zip(&nodes[leaves - 1..]) {
            if let Kind::Leaf { value } = tree.nodes[*node].kind {
                *leaf = value;
            }
        }
    }

    /// Lays the trees out for both kernels.
    fn finish(self, sides: &[(usize, bool)], step: f64) -> Shelf {
        let Self { depth, mut splits, leaves } = self;
        let mut values =
            vec![[0; LANES]; leaves.len().div_ceil(1 << depth) * BYTES * tables(depth)];
        let trees = values.chunks_exact_mut(BYTES * tables(depth));
        for (values, leaves) in trees.zip(leaves.chunks_exact(1 << depth)) {
            for (leaf, value) in leaves.iter().enumerate() {
                let bytes = ((f64::from(*value) / step) as i64 + OFFSET).to_le_bytes();
                for (table, byte) in values.chunks_exact_mut(tables(depth)).zip(bytes) {
                    table[leaf / LANES][leaf % LANES] = byte as i8;
                }
            }
        }
        let row_split = |&Split { side, bound }: &Split| {
            let (column, missing_left) = sides[usize::from(side)];
            RowSplit::new(column, bound, missing_left)
        };
        let row = RowShelf::new(depth, &splits.iter().map(row_split).collect::<Vec<_>>(), leaves);
        // Trees whose values are all 0.
        let of_tree = (1 << depth) - 1;
        let trees = (splits.len() / of_tree).next_multiple_of(TREES);
        splits.resize(trees * of_tree, Split::default());
        values.resize(trees * BYTES * tables(depth), [0; LANES]);
        Shelf { depth, splits, values, row }
    }
}

/// Tables of a byte of 2^depth leaves.
const fn tables(depth: usize) -> usize {
    (1usize << depth).div_ceil(LANES)
}

impl Shelf {
    #[inline(never)]
    fn add_rows<const DEPTH: usize>(&self, (block, part): (&Block, usize), sums: &mut [i64]) {
        let (splits, tables) = ((1 << DEPTH) - 1, tables(DEPTH));
        let many = self.splits.chunks(splits * MOST_TREES);
        for (splits_of, values) in many.zip(self.values.chunks(BYTES * tables * MOST_TREES)) {
            let mut bytes: Sums = [[[simd::splat(0); 2]; VECTORS]; BYTES];
            let pairs = splits_of.chunks_exact(splits * TREES);
            for (splits_of, values) in pairs.zip(values.chunks_exact(BYTES * tables * TREES)) {
                let (first, second) = splits_of.split_at(splits);
                let leaf = |splits| {
                    tournament::leaves::<DEPTH, VECTORS>(RowLanes::<DEPTH> { splits, block, part })
                };
                let leaves = [leaf(first), leaf(second)];
                add_values::<DEPTH>(leaves, values, &mut bytes);
            }
            collect(bytes, sums);
        }
    }
}

/// Adds up the bytes of two trees' values.
#[inline(always)]
fn add_values<const DEPTH: usize>(
    leaves: [Lanes<VECTORS>; TREES],
    values: &[[i8; LANES]],
    sums: &mut Sums,
) {
    let tables = tables(DEPTH);
    let (first, second) = values.split_at(BYTES * tables);
    let places = leaves.map(|leaves| leaves.0.map(places::<DEPTH>));
    let parts = first.chunks_exact(tables).zip(second.chunks_exact(tables));
    for ((first, second), sums) in parts.zip(sums) {
        for (vector, [pairs, odd]) in sums.iter_mut().enumerate() {
            let one = look_up(first, &places[0][vector]);
            let two = look_up(second, &places[1][vector]);
            *pairs = simd::add16(*pairs, simd::add16(one, two));
            *odd = simd::add16(*odd, simd::add16(simd::odd(one), simd::odd(two)));
        }
    }
}

/// Where in each table a lane's leaf is: above 127 where it is in another one.
#[inline(always)]
fn places<const DEPTH: usize>(leaf: simd::V) -> [simd::V; 4] {
    std::array::from_fn(|table| {
        let place = simd::sub(leaf, simd::splat((table * LANES) as i8));
        if table + 1 >= tables(DEPTH) {
            return place;
        }
        simd::or(place, simd::greater(place, simd::splat(LANES as i8 - 1)))
    })
}

#[inline(always)]
fn look_up(tables: &[[i8; LANES]], places: &[simd::V; 4]) -> simd::V {
    let found = |table: usize| simd::look_up(simd::load(&tables[table]), places[table]);
    let mut byte = found(0);
    for table in 1..tables.len() {
        byte = simd::or(byte, found(table));
    }
    byte
}

/// Adds the sums of bytes to those of the rows.
fn collect(bytes: Sums, sums: &mut [i64]) {
    for (byte, vectors) in bytes.iter().enumerate() {
        for ([pairs, odd], sums) in vectors.iter().zip(sums.chunks_exact_mut(LANES)) {
            let (pairs, odd) = (simd::pairs(*pairs), simd::pairs(*odd));
            for (lane, sum) in sums.iter_mut().enumerate() {
                let (pair, odd) = (pairs[lane / 2], odd[lane / 2]);
                let bytes = if lane % 2 == 1 { odd } else { pair.wrapping_sub(odd << 8) };
                *sum += i64::from(bytes) << (8 * byte);
            }
        }
    }
}

#[derive(Clone, Copy)]
struct RowLanes<'a, const DEPTH: usize> {
    splits: &'a [Split],
    block: &'a Block,
    /// Which vectors of the block's columns.
    part: usize,
}

impl<const DEPTH: usize> Splits<VECTORS> for RowLanes<'_, DEPTH> {
    #[inline(always)]
    fn left(self, node: usize) -> Lanes<VECTORS> {
        let Split { side, bound } = self.splits[node];
        let (parts, _) = self.block[usize::from(side)].as_chunks::<VECTORS>();
        Lanes::splat(bound).greater(Lanes::load(&parts[self.part]))
    }
}
