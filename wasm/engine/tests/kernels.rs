//! The kernels against a plain recursive evaluator, on random forests and awkward rows.

mod common;

use common::{FEATURES, awkward, cell, forest, forest_with, raw_sum, rows};
use prescore_engine::set::ForestSet;
use prescore_forest::Forest;
use proptest::prelude::*;

/// Scores rows together and one by one; all must be the plain evaluator's, and the same to the bit.
fn check(forests: Vec<Forest>, rows: &[Vec<f32>]) -> Result<(), TestCaseError> {
    let count = forests.len();
    let set = ForestSet::new(forests.clone()).unwrap();
    let mut together = vec![f64::NAN; rows.len() * count];
    set.raw_sums(&rows.concat(), &mut together);
    for (row, sums) in rows.iter().zip(together.chunks_exact(count)) {
        let mut alone = vec![f64::NAN; count];
        set.raw_sums(row, &mut alone);
        prop_assert_eq!(&alone, sums);
        for (forest, sum) in forests.iter().zip(sums) {
            let expected = raw_sum(forest, row);
            prop_assert!((sum - expected).abs() <= 1e-10, "{} must be {}", sum, expected);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn shallow_trees(forest in forest(40, 12), rows in rows(150)) {
        check(vec![forest], &rows)?;
    }

    #[test]
    fn deep_trees(forest in forest(20, 90), rows in rows(60)) {
        check(vec![forest], &rows)?;
    }

    #[test]
    fn sets_share_their_ranks(
        forests in prop::collection::vec(forest(6, 20), 1..5),
        rows in rows(40),
    ) {
        check(forests, &rows)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn more_thresholds_than_a_byte_tells_apart(
        forest in forest_with(-1.0f32..1.0, 200, 24),
        rows in prop::collection::vec(
            prop::collection::vec(prop_oneof![awkward(), cell(), -1.0f32..1.0], FEATURES),
            1..50,
        ),
    ) {
        check(vec![forest], &rows)?;
    }
}

#[test]
fn more_columns_than_one_look_up_takes() {
    use prescore_forest::{Branch, Kind, Node, Step};
    let features = 120;
    let mut forest = Forest {
        onnx_sha256: [0; 32],
        features,
        base: 0.0,
        link: vec![Step::Sigmoid],
        roots: Vec::new(),
        nodes: Vec::new(),
    };
    for feature in 0..features as u16 {
        let root = forest.nodes.len() as u32;
        let (left, right, missing_left) = (root + 1, root + 2, feature % 2 == 0);
        let branch = Branch { feature, threshold: 0.5, left, right, missing_left };
        let leaf = |value| Node { cover: 0.0, kind: Kind::Leaf { value } };
        forest.roots.push(root);
        let values = [f32::from(feature), -1.0].map(leaf);
        forest.nodes.push(Node { cover: 0.0, kind: Kind::Branch(branch) });
        forest.nodes.extend(values);
    }
    let rows: Vec<Vec<f32>> = (0..40)
        .map(|row| (0..features).map(|column| ((row * column) % 3) as f32 / 2.0).collect())
        .collect();
    check(vec![forest], &rows).unwrap();
}

#[test]
fn too_many_thresholds_are_an_error() {
    use prescore_forest::{Branch, Kind, Node, Step};
    let mut forest = Forest {
        onnx_sha256: [0; 32],
        features: 1,
        base: 0.0,
        link: vec![Step::Sigmoid],
        roots: Vec::new(),
        nodes: Vec::new(),
    };
    for tree in 0..100_000u32 {
        let root = forest.nodes.len() as u32;
        forest.roots.push(root);
        for split in 0..3u32 {
            let (left, right) = (root + 2 * split + 1, root + 2 * split + 2);
            let threshold = (3 * tree + split) as f32;
            let branch = Branch { feature: 0, threshold, left, right, missing_left: false };
            forest.nodes.push(Node { cover: 0.0, kind: Kind::Branch(branch) });
        }
        let leaf = Node { cover: 0.0, kind: Kind::Leaf { value: 1.0 } };
        forest.nodes.extend([leaf; 4]);
    }
    let error = ForestSet::new(vec![forest]).err().unwrap();
    assert_eq!(
        error,
        "forest 0: its 100000 trees and the set's 300000 thresholds must fit 536870912 bytes of tables"
    );
}
