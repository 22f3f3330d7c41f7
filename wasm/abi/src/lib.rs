//! What both modules share at the rim: buffers that the host writes into, handles, error text.
//!
//! Why a registry of buffers: an address from the host is looked up, never trusted. A wrong address,
//! length or handle is an error with a text, so no crate of this workspace needs an `unsafe` block.
//! WebAssembly here has one thread, so thread-local state is the instance's state.
//!
//! Known limit: a buffer holds at most `MAX_BUFFER` bytes.

use std::cell::RefCell;

/// Status of a call that did what it was asked.
pub const OK: i32 = 0;
/// Status of a call that failed; the text is the last error.
pub const FAILED: i32 = 1;

/// Largest buffer, in bytes: 1 GiB.
pub const MAX_BUFFER: u32 = 1 << 30;

thread_local! {
    // Words, not bytes, so that a buffer is aligned for doubles. A list, for there are few at a time.
    static BUFFERS: RefCell<Vec<(usize, Vec<u64>)>> = const { RefCell::new(Vec::new()) };
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes a zeroed buffer of at least `len` bytes, aligned to 8, and gives its address; 0 when it
/// would exceed `MAX_BUFFER` or the memory.
pub fn alloc(len: u32) -> usize {
    let mut words: Vec<u64> = Vec::new();
    let count = (len as usize).div_ceil(8).max(1);
    if len > MAX_BUFFER || words.try_reserve_exact(count).is_err() {
        return 0;
    }
    words.resize(count, 0);
    let address = words.as_ptr().expose_provenance();
    BUFFERS.with_borrow_mut(|buffers| buffers.push((address, words)));
    address
}

/// Frees the buffer at an address that `alloc` gave; any other address is ignored.
pub fn dealloc(address: usize) {
    BUFFERS.with_borrow_mut(|buffers| buffers.retain(|(other, _)| *other != address));
}

/// Runs `use_bytes` on the first `len` bytes of a buffer.
pub fn with_bytes<T>(
    address: usize,
    len: usize,
    use_bytes: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<T, String> {
    BUFFERS.with_borrow(|buffers| {
        let words = &buffers[find(buffers, address)?].1;
        use_bytes(part(bytemuck::cast_slice(words), len)?)
    })
}

/// Rows of a matrix, its columns, and the doubles of output for each row.
#[derive(Clone, Copy)]
pub struct Shape {
    pub rows: usize,
    pub cols: usize,
    pub outputs: usize,
}

/// Runs `fill` on a row-major matrix of floats and its output.
pub fn with_matrix(
    matrix: usize,
    Shape { rows, cols, outputs }: Shape,
    out: usize,
    fill: impl FnOnce(&[f32], &mut [f64]) -> Result<(), String>,
) -> Result<(), String> {
    if matrix == out {
        return Err(format!("the matrix and the output must be two buffers, both are at {matrix}"));
    }
    let times = |cols: usize| {
        let too_large = || format!("a matrix of {rows} rows by {cols} columns is too large");
        rows.checked_mul(cols).ok_or_else(too_large)
    };
    let (cells, results) = (times(cols)?, times(outputs)?);
    BUFFERS.with_borrow_mut(|buffers| {
        let places = [find(buffers, matrix)?, find(buffers, out)?];
        let [(_, input), (_, output)] =
            buffers.get_disjoint_mut(places).map_err(|error| error.to_string())?;
        let input = part(bytemuck::cast_slice(input), cells)?;
        let held = output.len();
        let output = bytemuck::cast_slice_mut::<u64, f64>(output);
        fill(input, output.get_mut(..results).ok_or_else(|| too_short(held, results))?)
    })
}

fn find(buffers: &[(usize, Vec<u64>)], address: usize) -> Result<usize, String> {
    buffers.iter().position(|(other, _)| *other == address).ok_or_else(|| unknown(address))
}

fn part<T>(items: &[T], len: usize) -> Result<&[T], String> {
    items.get(..len).ok_or_else(|| too_short(items.len(), len))
}

fn unknown(address: usize) -> String {
    format!("no buffer at address {address}: it must come from alloc and not be freed")
}

fn too_short(held: usize, needed: usize) -> String {
    format!("a buffer of {held} elements must hold {needed}")
}

/// Turns an outcome into a status, keeping an error's text as the last error.
pub fn status(outcome: Result<(), String>) -> i32 {
    match outcome {
        Ok(()) => OK,
        Err(text) => {
            set_error(text);
            FAILED
        }
    }
}

/// Keeps a text as the last error. Does nothing while the text is being read.
pub fn set_error(text: String) {
    LAST_ERROR.with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = text;
        }
    });
}

/// Address of the last error's UTF-8 text.
pub fn error_ptr() -> usize {
    LAST_ERROR.with_borrow(|text| text.as_ptr().expose_provenance())
}

/// Length of the last error's text, in bytes.
pub fn error_len() -> usize {
    LAST_ERROR.with_borrow(String::len)
}

/// Keeps a panic's message as the last error, since the trap that follows carries none.
pub fn keep_panics() {
    std::panic::set_hook(Box::new(|info| set_error(info.to_string())));
}

/// Things the host holds by number. Numbers start at 1 and are never used twice, so a handle kept
/// beyond its unloading is an error, not another thing.
pub struct Handles<T> {
    items: Vec<(u32, T)>,
    last: u32,
}

impl<T> Handles<T> {
    pub const fn new() -> Self {
        Self { items: Vec::new(), last: 0 }
    }

    /// Keeps an item and gives its handle.
    pub fn insert(&mut self, item: T) -> Result<u32, String> {
        self.last = self.last.checked_add(1).ok_or("all 4294967295 handles were given out")?;
        self.items.push((self.last, item));
        Ok(self.last)
    }

    pub fn get(&self, handle: u32) -> Result<&T, String> {
        self.items
            .iter()
            .find_map(|(other, item)| (*other == handle).then_some(item))
            .ok_or_else(|| Self::missing(handle))
    }

    pub fn remove(&mut self, handle: u32) -> Result<(), String> {
        let place = self.items.iter().position(|(other, _)| *other == handle);
        self.items.remove(place.ok_or_else(|| Self::missing(handle))?);
        Ok(())
    }

    fn missing(handle: u32) -> String {
        format!("no model has handle {handle}: it must come from load and not be unloaded")
    }
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self::new()
    }
}
