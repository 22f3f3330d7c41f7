//! Sweeps against scoring every cell: to the bit.

mod common;

use common::{FEATURES, cell, forest_with};
use prescore_engine::set::ForestSet;
use prescore_engine::sweep::{Derived, Operation, Request};
use prescore_forest::Forest;
use proptest::prelude::*;

fn threshold() -> impl Strategy<Value = f32> {
    prop_oneof![-3.0f32..12.0, (-3i8..12).prop_map(f32::from), Just(f32::INFINITY)]
}

fn request() -> impl Strategy<Value = Request> {
    let terms = prop::collection::vec((1u8..6).prop_map(f32::from), 1..4);
    let row = prop::collection::vec(prop_oneof![cell(), 0.5f32..3.0], FEATURES);
    (row, terms, 0.0f64..4.0, 1e-3f64..0.4, 1usize..60, any::<bool>()).prop_map(
        |(row, terms, least, step, amounts, falls)| {
            let payment = Derived { operation: Operation::Ratio, of: [0, 1], column: 2 };
            let operation = if falls { Operation::Difference } else { Operation::Ratio };
            let of = if falls { [3, 2] } else { [2, 3] };
            let derived = vec![payment, Derived { operation, of, column: 4 }];
            Request { row, amount_column: 0, term_column: 1, least, step, amounts, terms, derived }
        },
    )
}

/// The features of a cell, computed apart from the sweep.
fn features(request: &Request, index: usize, term: f32) -> Vec<f32> {
    let mut row = request.row.clone();
    row[0] = (request.least + index as f64 * request.step) as f32;
    row[1] = term;
    row[2] = if row[1] > 0.0 { row[0] / row[1] } else { f32::NAN };
    row[4] = match request.derived[1].operation {
        Operation::Difference => row[3] - row[2],
        Operation::Ratio if row[3] > 0.0 => row[2] / row[3],
        Operation::Ratio => f32::NAN,
    };
    row
}

fn check(forests: Vec<Forest>, request: &Request) -> Result<(), TestCaseError> {
    let models = forests.len();
    let set = ForestSet::new(forests).unwrap();
    let pieces = set.sweep(request).unwrap();
    prop_assert_eq!(pieces.len(), models * request.terms.len());
    for (at, &term) in request.terms.iter().enumerate() {
        let rows: Vec<f32> =
            (0..request.amounts).flat_map(|index| features(request, index, term)).collect();
        let mut scores = vec![0.0; request.amounts * models];
        set.score(&rows, &mut scores);
        for model in 0..models {
            let found = &pieces[model * request.terms.len() + at];
            prop_assert_eq!(found.starts[0], 0);
            prop_assert!(found.starts.is_sorted_by(|a, b| a < b));
            for index in 0..request.amounts {
                let piece = found.starts.partition_point(|&start| start as usize <= index) - 1;
                prop_assert_eq!(found.probabilities[piece], scores[index * models + model]);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_sweep_is_what_every_cell_scores(
        forests in prop::collection::vec(forest_with(threshold(), 8, 30), 1..4),
        request in request(),
    ) {
        check(forests, &request)?;
    }
}

#[test]
fn a_column_that_turns_is_refused() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let forest = forest_with(threshold(), 2, 4).new_tree(&mut runner).unwrap().current();
    let set = ForestSet::new(vec![forest]).unwrap();
    // a - a / (a - 4): it falls, then jumps up.
    let difference = |of, column| Derived { operation: Operation::Difference, of, column };
    let request = |derived| Request {
        row: vec![0.0, 0.0, 0.0, 4.0, 0.0],
        amount_column: 0,
        term_column: 1,
        least: 0.0,
        step: 1.0,
        amounts: 9,
        terms: vec![1.0],
        derived,
    };
    let ratio = Derived { operation: Operation::Ratio, of: [0, 2], column: 4 };
    let refusal = set.sweep(&request(vec![difference([0, 3], 2), ratio])).map(drop).unwrap_err();
    assert!(refusal.contains("column 4 must rise or fall"), "{refusal}");
    let refusal = set.sweep(&request(vec![difference([0, 9], 2)])).map(drop).unwrap_err();
    assert!(refusal.contains("a column must be below 5, it is 9"), "{refusal}");
}

use proptest::strategy::ValueTree;
