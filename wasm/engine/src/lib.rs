//! The engine module: loads sets of compiled forests, scores, explains and sweeps them.
//!
//! Why apart from `tract`: every worker loads this one, so it stays small and has no imports.
//! The functions below are its whole rim. Addresses are those of buffers from `alloc`; handles are
//! those from `load`; a wrong one is an error with a text, never a trap.

mod bits;
mod lanes;
mod quadrature;
pub mod quantise;
mod row;
pub mod set;
pub mod shap;
mod shap_tables;
mod simd;
pub mod sweep;
mod sweep_abi;
mod tournament;
pub mod tree;

use std::cell::RefCell;

use prescore_abi::{self as abi, Handles};
use prescore_forest::Forest;
use set::ForestSet;

thread_local! {
    static SETS: RefCell<Handles<ForestSet>> = const { RefCell::new(Handles::new()) };
    static RESULT: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Must be called once, before anything else.
#[unsafe(no_mangle)]
pub extern "C" fn init() {
    abi::keep_panics();
}

/// Makes a buffer of `len` bytes and gives its address; 0 when there is no room for it.
#[unsafe(no_mangle)]
pub extern "C" fn alloc(len: u32) -> usize {
    abi::alloc(len)
}

/// Frees a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn dealloc(address: usize) {
    abi::dealloc(address);
}

/// Address of the UTF-8 text of the last error.
#[unsafe(no_mangle)]
pub extern "C" fn error_ptr() -> usize {
    abi::error_ptr()
}

/// Length of the text of the last error, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn error_len() -> usize {
    abi::error_len()
}

/// Loads the compiled forests in a buffer as a set and gives its handle; 0 when it is refused.
/// The buffer holds their number and their lengths, u32 each, then their files, all end to end.
#[unsafe(no_mangle)]
pub extern "C" fn load(address: usize, len: usize) -> u32 {
    let set = abi::with_bytes(address, len, read_forests).and_then(ForestSet::new);
    let handle = set.map_err(|text| format!("Cannot load {text}"));
    or_zero(handle.and_then(|set| SETS.with_borrow_mut(|sets| sets.insert(set))))
}

fn read_forests(bytes: &[u8]) -> Result<Vec<Forest>, String> {
    let (words, _) = bytes.as_chunks::<4>();
    let word = |index: usize| words.get(index).map(|word| u32::from_le_bytes(*word) as usize);
    let short = || "forests: the buffer must hold their number, their lengths and their files";
    let count = word(0).ok_or_else(short)?;
    let mut files = bytes.get(count.saturating_add(1).saturating_mul(4)..).ok_or_else(short)?;
    let mut forests = Vec::with_capacity(count);
    for index in 0..count {
        let len = word(index + 1).ok_or_else(short)?;
        let (file, rest) = files.split_at_checked(len).ok_or_else(short)?;
        files = rest;
        forests.push(Forest::decode(file).map_err(|text| format!("forest {index}: {text}"))?);
    }
    Ok(forests)
}

/// Frees a set. 0 on success.
#[unsafe(no_mangle)]
pub extern "C" fn unload(handle: u32) -> i32 {
    abi::status(SETS.with_borrow_mut(|sets| sets.remove(handle)))
}

/// Columns of the matrix that a set takes; 0 for a wrong handle.
#[unsafe(no_mangle)]
pub extern "C" fn features(handle: u32) -> u32 {
    or_zero(with_set(handle, |set| Ok(set.features() as u32)))
}

/// Trees of a forest of a set; 0 for a wrong handle or forest.
#[unsafe(no_mangle)]
pub extern "C" fn trees(handle: u32, forest: u32) -> u32 {
    or_zero(with_set(handle, |set| Ok(set.model(forest)?.forest.roots.len() as u32)))
}

/// Address of the 32 bytes of the SHA-256 of a forest's ONNX; 0 for a wrong handle or forest.
#[unsafe(no_mangle)]
pub extern "C" fn onnx_sha256(handle: u32, forest: u32) -> usize {
    or_zero(with_set(handle, |set| {
        Ok(set.model(forest)?.forest.onnx_sha256.as_ptr().expose_provenance())
    }))
}

/// Scores a row-major matrix of floats: doubles, probabilities, rows by forests, into `out`.
/// 0 on success; on failure `out` holds nothing of use.
#[unsafe(no_mangle)]
pub extern "C" fn score(handle: u32, matrix: usize, rows: usize, out: usize) -> i32 {
    abi::status(with_set(handle, |set| {
        let shape = abi::Shape { rows, cols: set.features(), outputs: set.models.len() };
        abi::with_matrix(matrix, shape, out, |rows, out| {
            set.score(rows, out);
            Ok(())
        })
    }))
}

/// Explains rows of a forest of a set: per row a double for each feature, then the base value, into
/// `out`. 0 on success; on failure `out` holds nothing of use.
#[unsafe(no_mangle)]
pub extern "C" fn explain(handle: u32, forest: u32, matrix: usize, rows: usize, out: usize) -> i32 {
    abi::status(with_set(handle, |set| {
        let explainer = set.model(forest)?.explainer()?;
        let cols = set.features();
        abi::with_matrix(matrix, abi::Shape { rows, cols, outputs: cols + 1 }, out, |rows, out| {
            let mut ranks = vec![0; cols];
            for (row, out) in rows.chunks_exact(cols).zip(out.chunks_exact_mut(cols + 1)) {
                let (values, base) = out.split_at_mut(cols);
                set.quantiser.row_ranks(row, &mut ranks);
                explainer.contributions(row, &ranks, values);
                base.fill(explainer.base());
            }
            Ok(())
        })
    }))
}

/// Sweeps a set as the doubles in a buffer ask: see `sweep_abi`. 0 on success, and a result.
#[unsafe(no_mangle)]
pub extern "C" fn sweep(handle: u32, address: usize, len: usize) -> i32 {
    abi::status(with_set(handle, |set| {
        let request = abi::with_bytes(address, len, sweep_abi::read);
        let pieces = request.and_then(|request| set.sweep(&request));
        RESULT.set(sweep_abi::write(&pieces.map_err(|text| format!("Cannot sweep: {text}"))?));
        Ok(())
    }))
}

/// Address of the doubles that `sweep` made; they stay until the next sweep.
#[unsafe(no_mangle)]
pub extern "C" fn result_ptr() -> usize {
    RESULT.with_borrow(|result| result.as_ptr().expose_provenance())
}

/// How many doubles `sweep` made.
#[unsafe(no_mangle)]
pub extern "C" fn result_len() -> usize {
    RESULT.with_borrow(Vec::len)
}

fn with_set<T>(
    handle: u32,
    use_set: impl FnOnce(&ForestSet) -> Result<T, String>,
) -> Result<T, String> {
    SETS.with_borrow(|sets| use_set(sets.get(handle)?))
}

fn or_zero<T: Default>(outcome: Result<T, String>) -> T {
    outcome.unwrap_or_else(|text| {
        abi::set_error(text);
        T::default()
    })
}
