//! TreeSHAP against its definition: Shapley values over all subsets of the features.

mod common;

use common::{FEATURES, forest, goes_left, rows};
use prescore_engine::set::ForestSet;
use prescore_forest::{Forest, Kind};
use proptest::prelude::*;

/// What a tree is expected to give when only the features whose bits are set are known.
fn expected(forest: &Forest, node: u32, row: &[f32], known: usize) -> f64 {
    let branch = match forest.nodes[node as usize].kind {
        Kind::Leaf { value } => return value.into(),
        Kind::Branch(branch) => branch,
    };
    if known >> branch.feature & 1 == 1 {
        let next = if goes_left(&branch, row) { branch.left } else { branch.right };
        return expected(forest, next, row, known);
    }
    let [left, right] = [branch.left, branch.right].map(|child| {
        let cover = f64::from(forest.nodes[child as usize].cover);
        (cover, expected(forest, child, row, known))
    });
    let total = left.0 + right.0;
    if total == 0.0 {
        return (left.1 + right.1) / 2.0;
    }
    (left.0 * left.1 + right.0 * right.1) / total
}

/// Shapley values of the raw sum, and the sum expected when nothing is known.
fn shapley(forest: &Forest, row: &[f32]) -> (Vec<f64>, f64) {
    let all: Vec<f64> = (0..1usize << FEATURES)
        .map(|known| {
            let trees = forest.roots.iter().map(|&root| expected(forest, root, row, known));
            trees.sum::<f64>() + forest.base
        })
        .collect();
    let factorial = |n: usize| (1..=n).product::<usize>() as f64;
    let value = |feature: usize| {
        let without = (0..all.len()).filter(|known| known >> feature & 1 == 0);
        without
            .map(|known| {
                let size = known.count_ones() as usize;
                let weight = factorial(size) * factorial(FEATURES - 1 - size);
                weight / factorial(FEATURES) * (all[known | 1 << feature] - all[known])
            })
            .sum()
    };
    ((0..FEATURES).map(value).collect(), all[0])
}

fn check(forest: Forest, rows: &[Vec<f32>]) -> Result<(), TestCaseError> {
    let set = ForestSet::new(vec![forest]).unwrap();
    let model = &set.models[0];
    let explainer = match model.explainer() {
        Ok(explainer) => explainer,
        Err(text) => {
            prop_assert!(text.contains("must be known"), "{}", text);
            return Ok(());
        }
    };
    for row in rows {
        let (values, base) = shapley(&model.forest, row);
        let mut found = vec![0.0; FEATURES];
        let mut ranks = vec![0; FEATURES];
        set.quantiser.row_ranks(row, &mut ranks);
        explainer.contributions(row, &ranks, &mut found);
        // The link scales the raw sum by a half and adds a quarter.
        prop_assert!((explainer.base() - (base * 0.5 + 0.25)).abs() < 1e-9);
        for (found, value) in found.iter().zip(&values) {
            prop_assert!((found - value * 0.5).abs() < 1e-7, "{} must be {}", found, value * 0.5);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn shallow_trees_are_explained_by_tables(forest in forest(5, 8), rows in rows(4)) {
        check(forest, &rows)?;
    }

    #[test]
    fn deep_trees_are_explained_by_passes(forest in forest(4, 40), rows in rows(4)) {
        check(forest, &rows)?;
    }
}
