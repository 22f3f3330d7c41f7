//! The kernel against a plain recursive evaluator, on random forests and awkward rows.

use prescore_engine::kernel::Kernel;
use prescore_forest::{Branch, Forest, Kind, Node, Step};
use proptest::prelude::*;

const FEATURES: usize = 4;

/// Values where comparisons go wrong first, and some ordinary ones.
fn awkward() -> impl Strategy<Value = f32> {
    let edges = vec![0.0, -0.0, 1.0, f32::MIN_POSITIVE, 1e-45, -1e-45, f32::MAX, f32::MIN];
    let infinite = vec![f32::INFINITY, f32::NEG_INFINITY];
    prop_oneof![
        3 => prop::sample::select(edges),
        1 => prop::sample::select(infinite),
        2 => -2.0f32..2.0,
    ]
}

fn cell() -> impl Strategy<Value = f32> {
    prop_oneof![4 => awkward(), 1 => Just(f32::NAN)]
}

/// What one split is made of; a forest is a list of trees, each a list of splits that are hung one
/// after another on the shallowest leaf.
type Split = (u16, f32, bool, f32);

fn forest() -> impl Strategy<Value = Forest> {
    let split = (0..FEATURES as u16, awkward(), any::<bool>(), -3.0f32..3.0);
    let trees = prop::collection::vec(prop::collection::vec(split, 0..20), 1..9);
    (trees, -1.0f64..1.0).prop_map(|(trees, base)| {
        let mut forest = Forest {
            onnx_sha256: [0; 32],
            features: FEATURES as u32,
            base,
            link: vec![Step::Sigmoid],
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
    let root = forest.nodes.len();
    let leaf = |value| Node { cover: 0.0, kind: Kind::Leaf { value } };
    forest.roots.push(root as u32);
    forest.nodes.push(leaf(0.5));
    for (step, &(feature, threshold, missing_left, value)) in splits.iter().enumerate() {
        let left = forest.nodes.len() as u32;
        let branch = Branch { feature, threshold, left, right: left + 1, missing_left };
        forest.nodes[root + step].kind = Kind::Branch(branch);
        forest.nodes.extend([leaf(value), leaf(-value)]);
    }
}

fn evaluate(forest: &Forest, index: u32, row: &[f32]) -> f64 {
    match forest.nodes[index as usize].kind {
        Kind::Leaf { value } => value.into(),
        Kind::Branch(branch) => {
            let x = row[usize::from(branch.feature)];
            let left = if x.is_nan() { branch.missing_left } else { x < branch.threshold };
            evaluate(forest, if left { branch.left } else { branch.right }, row)
        }
    }
}

proptest! {
    #[test]
    fn the_kernel_equals_a_plain_evaluator(
        forest in forest(),
        rows in prop::collection::vec(prop::collection::vec(cell(), FEATURES), 0..150),
    ) {
        let mut sums = vec![f64::NAN; rows.len()];
        Kernel::new(&forest).raw_sums(&rows.concat(), &mut sums);
        for (row, sum) in rows.iter().zip(sums) {
            let trees = forest.roots.iter().map(|&root| evaluate(&forest, root, row));
            prop_assert_eq!(sum, trees.sum::<f64>() + forest.base);
        }
    }
}
