//! The kernels against a plain recursive evaluator, on random forests and awkward rows.

mod common;

use common::{FEATURES, awkward, cell, forest, forest_with, raw_sum, rows};
use prescore_engine::quantise::Quantiser;
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn more_rows_than_go_together(
        (deep, shallow) in (forest(20, 90), forest(40, 12)),
        rows in prop::collection::vec(prop::collection::vec(cell(), FEATURES), 1..200),
    ) {
        let many: Vec<_> = rows.iter().cycle().take(2 * 64 * 64 + 99).cloned().collect();
        check(vec![deep, shallow], &many)?;
    }
}

/// A forest of trees with one split each, for each feature and threshold given.
fn stumps(features: u32, splits: impl Iterator<Item = (u16, f32)>) -> Forest {
    use prescore_forest::{Branch, Kind, Node, Step};
    let mut forest = Forest {
        onnx_sha256: [0; 32],
        features,
        base: 0.0,
        link: vec![Step::Sigmoid],
        roots: Vec::new(),
        nodes: Vec::new(),
    };
    for (feature, threshold) in splits {
        let root = forest.nodes.len() as u32;
        let (left, right, missing_left) = (root + 1, root + 2, root.is_multiple_of(2));
        let branch = Branch { feature, threshold, left, right, missing_left };
        let leaf = |value| Node { cover: 0.0, kind: Kind::Leaf { value } };
        forest.roots.push(root);
        forest.nodes.push(Node { cover: 0.0, kind: Kind::Branch(branch) });
        forest.nodes.extend([(root % 1021) as f32, -1.0].map(leaf));
    }
    forest
}

#[test]
fn any_number_of_columns() {
    for features in [16, 17, 32, 33, 63, 120] {
        let thresholds = [0.5, 0.25].into_iter();
        let splits = thresholds.flat_map(|at| (0..features as u16).map(move |f| (f, at)));
        let forest = stumps(features, splits);
        let cell = |row: u32, column: u32| match (row * column + column / 3) % 4 {
            3 => f32::NAN,
            halves => halves as f32 / 2.0,
        };
        let rows: Vec<Vec<f32>> =
            (0..90).map(|row| (0..features).map(|column| cell(row, column)).collect()).collect();
        check(vec![forest], &rows).unwrap();
    }
}

#[test]
fn any_number_of_thresholds() {
    for count in [0, 1, 15, 16, 17, 271, 272, 273, 4623, 4624, 4625, 10_000] {
        let forest = stumps(2, (0..count).map(|at| (1, (count - at) as f32 / 8.0)));
        let (quantiser, places) = Quantiser::new(2, std::slice::from_ref(&forest));
        // Of each stump's three nodes the first has a threshold; the stumps' thresholds fall.
        let falling = (0..count as u32).rev().flat_map(|place| [place, 0, 0]);
        assert!(places.into_iter().eq(falling), "of {count}");
        assert_eq!(quantiser.thresholds(1).len(), count);
        assert_eq!((quantiser.rank(1, f32::NAN), quantiser.rank(0, f32::NAN)), (0, 0));
        assert_eq!(quantiser.rank(1, f32::INFINITY), count as u32 + 1);
        assert_eq!((quantiser.rank(1, 0.0), quantiser.rank(0, 0.0)), (1, 1));
        for at in 1..=count {
            let rank = |eighths: f32| quantiser.rank(1, eighths / 8.0) as usize;
            assert_eq!([rank(at as f32), rank(at as f32 + 0.5)], [at + 1; 2], "of {count}");
        }
    }
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
