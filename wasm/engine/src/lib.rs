//! The engine module: loads compiled forests and scores feature matrices.
//!
//! Why apart from `tract`: every worker loads this one, so it stays small and has no imports.
//! The functions below are its whole rim. Addresses are those of buffers from `alloc`; handles are
//! those from `load`; a wrong one is an error with a text, never a trap.

pub mod kernel;

use std::cell::RefCell;

use kernel::Kernel;
use prescore_abi::{self as abi, Handles};
use prescore_forest::Forest;

/// A forest ready to score.
struct Model {
    forest: Forest,
    kernel: Kernel,
}

thread_local! {
    static MODELS: RefCell<Handles<Model>> = const { RefCell::new(Handles::new()) };
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

/// Loads the compiled forest in a buffer and gives its handle; 0 when it is refused.
#[unsafe(no_mangle)]
pub extern "C" fn load(address: usize, len: usize) -> u32 {
    let forest = abi::with_bytes(address, len, |bytes| {
        Forest::decode(bytes).map_err(|text| format!("Cannot load forest: {text}"))
    });
    let handle = forest.and_then(|forest| {
        let kernel = Kernel::new(&forest);
        MODELS.with_borrow_mut(|models| models.insert(Model { forest, kernel }))
    });
    or_zero(handle)
}

/// Frees a forest. 0 on success.
#[unsafe(no_mangle)]
pub extern "C" fn unload(handle: u32) -> i32 {
    abi::status(MODELS.with_borrow_mut(|models| models.remove(handle)))
}

/// Columns of the matrix that a forest takes; 0 for a wrong handle.
#[unsafe(no_mangle)]
pub extern "C" fn features(handle: u32) -> u32 {
    or_zero(with_model(handle, |model| Ok(model.forest.features)))
}

/// Trees of a forest; 0 for a wrong handle.
#[unsafe(no_mangle)]
pub extern "C" fn trees(handle: u32) -> u32 {
    or_zero(with_model(handle, |model| Ok(model.forest.roots.len() as u32)))
}

/// Address of the 32 bytes of the SHA-256 of a forest's ONNX; 0 for a wrong handle.
#[unsafe(no_mangle)]
pub extern "C" fn onnx_sha256(handle: u32) -> usize {
    or_zero(with_model(handle, |model| Ok(model.forest.onnx_sha256.as_ptr().expose_provenance())))
}

/// Scores a row-major matrix of floats: one double, a probability, per row into `out`.
/// 0 on success; on failure `out` holds nothing of use.
#[unsafe(no_mangle)]
pub extern "C" fn score(handle: u32, matrix: usize, rows: usize, cols: usize, out: usize) -> i32 {
    abi::status(with_model(handle, |model| {
        let features = model.forest.features as usize;
        if cols != features {
            return Err(format!(
                "Cannot score: the matrix must have the forest's {features} columns, it has {cols}"
            ));
        }
        abi::with_matrix(matrix, (rows, cols), out, |rows, out| {
            model.kernel.raw_sums(rows, out);
            for value in out {
                *value = model.forest.probability(*value);
            }
            Ok(())
        })
    }))
}

fn with_model<T>(
    handle: u32,
    use_model: impl FnOnce(&Model) -> Result<T, String>,
) -> Result<T, String> {
    MODELS.with_borrow(|models| use_model(models.get(handle)?))
}

fn or_zero<T: Default>(outcome: Result<T, String>) -> T {
    outcome.unwrap_or_else(|text| {
        abi::set_error(text);
        T::default()
    })
}
