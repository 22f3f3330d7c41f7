//! Random forests, awkward values, and the plain evaluator that the kernels must equal.

// Each test file uses some of these.
#![allow(dead_code)]

use prescore_forest::{Branch, Forest, Kind, Node, Step};
use proptest::prelude::*;
use proptest::sample::Index;

pub const FEATURES: usize = 5;

/// Values where comparisons go wrong first, and some ordinary ones.
pub fn awkward() -> impl Strategy<Value = f32> {
    let edges = vec![0.0, -0.0, 1.0, f32::MIN_POSITIVE, 1e-45, -1e-45, f32::MAX, f32::MIN];
    let infinite = vec![f32::INFINITY, f32::NEG_INFINITY];
    prop_oneof![
        3 => prop::sample::select(edges),
        1 => prop::sample::select(infinite),
        4 => -2.0f32..2.0,
    ]
}

pub fn cell() -> impl Strategy<Value = f32> {
    prop_oneof![4 => awkward(), 1 => Just(f32::NAN)]
}

pub fn rows(most: usize) -> impl Strategy<Value = Vec<Vec<f32>>> {
    prop::collection::vec(prop::collection::vec(cell(), FEATURES), 0..most)
}

/// A split of a leaf: which leaf, the branch, the new leaves' values, the left child's share of cover.
#[derive(Clone, Debug)]
pub struct Split {
    leaf: Index,
    feature: u16,
    threshold: f32,
    missing_left: bool,
    values: (f32, f32),
    share: f32,
}

fn split(threshold: impl Strategy<Value = f32>) -> impl Strategy<Value = Split> {
    let values = (-3.0f32..3.0, -1e-6f32..1e-6);
    let share = prop_oneof![1 => Just(0.0f32), 8 => 0.1f32..0.9, 1 => Just(1.0f32)];
    (any::<Index>(), 0..FEATURES as u16, threshold, any::<bool>(), values, share).prop_map(
        |(leaf, feature, threshold, missing_left, values, share)| Split {
            leaf,
            feature,
            threshold,
            missing_left,
            values,
            share,
        },
    )
}

/// Forests with up to this many trees, of up to this many splits. Most thresholds are awkward.
pub fn forest(trees: usize, splits: usize) -> impl Strategy<Value = Forest> {
    forest_with(awkward(), trees, splits)
}

pub fn forest_with(
    threshold: impl Strategy<Value = f32>,
    trees: usize,
    splits: usize,
) -> impl Strategy<Value = Forest> {
    let tree = prop::collection::vec(split(threshold), 0..splits);
    (prop::collection::vec(tree, 1..trees), -1.0f64..1.0).prop_map(|(trees, base)| {
        let mut forest = Forest {
            onnx_sha256: [0; 32],
            features: FEATURES as u32,
            base,
            link: vec![Step::Affine { scale: 0.5, shift: 0.25 }, Step::Sigmoid],
            roots: Vec::new(),
            nodes: Vec::new(),
        };
        for splits in trees {
            grow(&mut forest, &splits);
        }
        Forest::decode(&forest.encode().unwrap()).unwrap()
    })
}

fn grow(forest: &mut Forest, splits: &[Split]) {
    let leaf = |value, cover| Node { cover, kind: Kind::Leaf { value } };
    let mut leaves = vec![forest.nodes.len()];
    forest.roots.push(forest.nodes.len() as u32);
    forest.nodes.push(leaf(0.5, 100.0));
    for split in splits {
        let node = leaves.swap_remove(split.leaf.index(leaves.len()));
        let left = forest.nodes.len() as u32;
        let Split { feature, threshold, missing_left, values, share, .. } = *split;
        let branch = Branch { feature, threshold, left, right: left + 1, missing_left };
        let cover = forest.nodes[node].cover;
        forest.nodes[node].kind = Kind::Branch(branch);
        forest.nodes.push(leaf(values.0, cover * share));
        forest.nodes.push(leaf(values.1, cover - cover * share));
        leaves.extend([left as usize, left as usize + 1]);
    }
}

pub fn goes_left(branch: &Branch, row: &[f32]) -> bool {
    let x = row[usize::from(branch.feature)];
    if x.is_nan() { branch.missing_left } else { x < branch.threshold }
}

fn evaluate(forest: &Forest, index: u32, row: &[f32]) -> f64 {
    match forest.nodes[index as usize].kind {
        Kind::Leaf { value } => value.into(),
        Kind::Branch(branch) => {
            let left = goes_left(&branch, row);
            evaluate(forest, if left { branch.left } else { branch.right }, row)
        }
    }
}

/// The raw sum of a row.
pub fn raw_sum(forest: &Forest, row: &[f32]) -> f64 {
    forest.roots.iter().map(|&root| evaluate(forest, root, row)).sum::<f64>() + forest.base
}
