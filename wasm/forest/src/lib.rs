//! The compiled forest: what a tree ensemble becomes before it is scored, and its file.
//!
//! Why a format of our own: ONNX spells six split rules and several ways to say the same sum; each
//! is rewritten here, exactly, to one. A row starts at a tree's root and goes left when
//! `x[feature] < threshold`; a NaN goes left when the node's missing bit is set, right otherwise.
//! Leaf values are summed in doubles in the order of the trees, the base is added, and the link
//! program turns that raw sum into a probability.
//!
//! The file is little endian and has one encoding per forest (unused fields are zero):
//!
//! | bytes       | what                                                                     |
//! | ----------- | ------------------------------------------------------------------------ |
//! | 8           | magic, `PSFOREST`                                                        |
//! | 4           | u32 format version, 1                                                    |
//! | 4, 4, 4, 4  | u32 counts: features, trees, nodes, link steps                           |
//! | 32          | SHA-256 of the ONNX file that it was compiled from                       |
//! | 8           | f64 base                                                                 |
//! | 20 per step | u32 kind, f64, f64: 1 affine(scale, shift), 2 sigmoid, 3 clamp(lo, hi)   |
//! | 4 per tree  | u32 index of the root; a tree's nodes run up to the next root            |
//! | 20 per node | u16 feature, u16 flags, f32 threshold or leaf value, u32 left,           |
//! |             | u32 right, f32 cover; flags: 1 = leaf, 2 = a missing value goes left     |
//!
//! A child's index is greater than its parent's and every node but a root has exactly one parent,
//! so a walk ends by construction. `check` refuses anything else: no bytes make a reader panic.
//!
//! Known limits: the `MAX_*` below; features are f32, as in ONNX.

mod check;
mod codec;
mod link;

pub use link::Step;

pub const MAX_FEATURES: usize = 4096;
pub const MAX_TREES: usize = 100_000;
pub const MAX_NODES: usize = 4_000_000;
/// Edges from a root to its deepest leaf.
pub const MAX_DEPTH: u32 = 256;
pub const MAX_STEPS: usize = 8;

/// A tree ensemble that gives one probability. Valid when `check` says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    /// SHA-256 of the ONNX file that it was compiled from.
    pub onnx_sha256: [u8; 32],
    /// Columns of the feature matrix, 1 to `MAX_FEATURES`.
    pub features: u32,
    /// Added to the sum of leaf values. Finite.
    pub base: f64,
    /// Turns the raw sum into a probability; its last step keeps it in [0, 1].
    pub link: Vec<Step>,
    /// Index of each tree's first node, rising from 0.
    pub roots: Vec<u32>,
    pub nodes: Vec<Node>,
}

/// A node, and its cover: the weight of training rows that reached it, at least 0; 0 when unknown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    pub cover: f32,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Branch(Branch),
    Leaf {
        /// Finite. A float, as in ONNX; sums are doubles.
        value: f32,
    },
}

/// Goes to `left` when `x[feature] < threshold`, or when that is NaN and `missing_left` is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch {
    pub feature: u16,
    /// Any float but NaN.
    pub threshold: f32,
    pub left: u32,
    pub right: u32,
    pub missing_left: bool,
}

impl Forest {
    /// The forest as a file.
    ///
    /// # Errors
    /// When the forest is not valid, so that a file written here can always be read.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        check::check(self)?;
        Ok(codec::write(self))
    }

    /// The forest in a file.
    ///
    /// # Errors
    /// When any byte is not what `encode` would have written for a valid forest.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let forest = codec::read(bytes)?;
        check::check(&forest)?;
        Ok(forest)
    }

    /// The probability that the link program makes of a raw sum.
    pub fn probability(&self, raw: f64) -> f64 {
        self.link.iter().fold(raw, |value, step| step.apply(value))
    }
}
