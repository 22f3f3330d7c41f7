//! The tract module: turns an ONNX tree ensemble into a compiled forest, and runs any other graph.
//!
//! Why apart from `engine`: it carries the whole of tract, megabytes that only a model's arrival
//! needs. The functions below are its whole rim; they refuse wrong handles and addresses as the
//! engine does. Unlike there a panic inside tract, on a graph that it did not expect, traps; its
//! message is then the last error and the host replaces the instance.

pub mod compile;
mod ensemble;
mod graph;
mod layout;
mod onnx;
pub mod runtime;
mod split;

use std::cell::RefCell;

use prescore_abi::{self as abi, Handles};

use compile::Outcome;
use runtime::Graph;

/// Status of `compile` for a valid graph without a tree ensemble.
const NOT_A_FOREST: i32 = 2;

thread_local! {
    static GRAPHS: RefCell<Handles<Graph>> = const { RefCell::new(Handles::new()) };
    static RESULT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

// The linker makes this function; it runs the constructors that register tract's operators.
#[cfg(target_family = "wasm")]
unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Must be called once, before anything else.
#[unsafe(no_mangle)]
pub extern "C" fn init() {
    #[cfg(target_family = "wasm")]
    // SAFETY: the linker defines it with this signature. Calling it here, once, is what makes the
    // linker not call it again on every entry.
    unsafe {
        __wasm_call_ctors();
    }
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

/// Compiles the ONNX in a buffer: 0 and a result, 1 and an error, or 2 when it is not a forest.
#[unsafe(no_mangle)]
pub extern "C" fn compile(address: usize, len: usize) -> i32 {
    match abi::with_bytes(address, len, compile::compile) {
        Ok(Outcome::Forest(bytes)) => {
            RESULT.set(bytes);
            abi::OK
        }
        Ok(Outcome::NotAForest) => NOT_A_FOREST,
        Err(text) => abi::status(Err(text)),
    }
}

/// Address of the forest that `compile` made; it stays until the next one.
#[unsafe(no_mangle)]
pub extern "C" fn result_ptr() -> usize {
    RESULT.with_borrow(|bytes| bytes.as_ptr().expose_provenance())
}

/// Length of the forest that `compile` made, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn result_len() -> usize {
    RESULT.with_borrow(Vec::len)
}

/// Loads the ONNX graph in a buffer for matrices of `features` columns and gives its handle; 0 when
/// it is refused.
#[unsafe(no_mangle)]
pub extern "C" fn load(address: usize, len: usize, features: usize) -> u32 {
    abi::with_bytes(address, len, |bytes| Graph::load(bytes, features))
        .and_then(|graph| GRAPHS.with_borrow_mut(|graphs| graphs.insert(graph)))
        .unwrap_or_else(|text| {
            abi::set_error(text);
            0
        })
}

/// Frees a graph. 0 on success.
#[unsafe(no_mangle)]
pub extern "C" fn unload(handle: u32) -> i32 {
    abi::status(GRAPHS.with_borrow_mut(|graphs| graphs.remove(handle)))
}

/// Scores a row-major matrix of floats: one double, a probability, per row into `out`.
/// 0 on success; on failure `out` holds nothing of use.
#[unsafe(no_mangle)]
pub extern "C" fn run(handle: u32, matrix: usize, rows: usize, out: usize) -> i32 {
    abi::status(GRAPHS.with_borrow(|graphs| {
        let graph = graphs.get(handle)?;
        let shape = abi::Shape { rows, cols: graph.features(), outputs: 1 };
        abi::with_matrix(matrix, shape, out, |rows, out| graph.run(rows, out))
    }))
}
