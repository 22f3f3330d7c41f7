//! Buffers and handles: what is given out, and what is refused.

use prescore_abi::{Handles, MAX_BUFFER, Shape, alloc, dealloc, with_bytes, with_matrix};

#[test]
fn a_buffer_is_read_back_and_freed() {
    let address = alloc(3);
    assert_eq!(address % 8, 0);
    assert_eq!(with_bytes(address, 3, |bytes| Ok(bytes.to_vec())), Ok(vec![0; 3]));
    dealloc(address);
    let error = with_bytes(address, 3, |_| Ok(())).unwrap_err();
    assert!(error.contains("must come from alloc"), "{error}");
}

#[test]
fn a_buffer_over_the_limit_is_refused() {
    assert_eq!(alloc(MAX_BUFFER + 1), 0);
}

#[test]
fn a_matrix_beyond_its_buffer_is_refused() {
    let (matrix, out) = (alloc(24), alloc(16));
    let shape = |(rows, cols)| Shape { rows, cols, outputs: 1 };
    let fill = |size| with_matrix(matrix, shape(size), out, |_, _| Ok(()));
    assert_eq!(fill((2, 3)), Ok(()));
    assert_eq!(fill((2, 4)).unwrap_err(), "a buffer of 6 elements must hold 8");
    assert_eq!(fill((3, 1)).unwrap_err(), "a buffer of 2 elements must hold 3");
    assert!(fill((usize::MAX, 2)).unwrap_err().contains("too large"));
    assert!(with_matrix(matrix, shape((1, 1)), matrix, |_, _| Ok(())).is_err());
    assert_eq!(fill((2, 3)), Ok(()), "the output must come back after a refusal");
}

#[test]
fn a_handle_is_never_given_twice() {
    let mut handles = Handles::new();
    assert_eq!(handles.insert('a'), Ok(1));
    assert_eq!(handles.remove(1), Ok(()));
    assert_eq!(handles.insert('b'), Ok(2));
    assert!(handles.get(1).is_err());
    assert_eq!(handles.get(2), Ok(&'b'));
}
