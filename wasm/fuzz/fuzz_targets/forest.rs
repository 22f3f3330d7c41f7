//! Any bytes as a forest file: refused with a text, or scored, explained and swept without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prescore_engine::set::ForestSet;
use prescore_engine::sweep::{Derived, Operation, Request};
use prescore_forest::Forest;

/// Rows of a batch: a block and one more, so that both kernels run.
const ROWS: usize = 65;
/// Larger ones only make the fuzzer slow.
const MAX_FEATURES: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let Ok(forest) = Forest::decode(bytes) else { return };
    let features = forest.features as usize;
    if features > MAX_FEATURES {
        return;
    }
    assert_eq!(forest.encode().as_deref(), Ok(bytes));
    let Ok(set) = ForestSet::new(vec![forest.clone(), forest]) else { return };
    let cells = [f32::NAN, -0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, 0.5, -3.0];
    let matrix: Vec<f32> = (0..ROWS * features).map(|cell| cells[cell % cells.len()]).collect();
    let mut scores = vec![f64::NAN; 2 * ROWS];
    set.score(&matrix, &mut scores);
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    let row = &matrix[..features];
    let mut alone = [f64::NAN; 2];
    set.score(row, &mut alone);
    assert_eq!(alone, scores[..2]);
    if let Ok(explainer) = set.models[0].explainer() {
        let mut ranks = vec![0; features];
        set.quantiser.row_ranks(row, &mut ranks);
        let mut values = vec![0.0; features];
        explainer.contributions(row, &ranks, &mut values);
        assert!(values.iter().all(|value| value.is_finite()));
    }
    let derived = (features > 2).then(|| Derived {
        operation: Operation::Ratio,
        of: [0, 1],
        column: 2,
    });
    let request = Request {
        row: row.to_vec(),
        amount_column: 0,
        term_column: 1,
        least: -1.0,
        step: 0.25,
        amounts: 16,
        terms: vec![2.0, 0.0],
        derived: derived.into_iter().collect(),
    };
    let _ = set.sweep(&request);
});
