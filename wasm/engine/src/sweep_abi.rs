//! Sweeps at the rim: a request and a result, each as one array of doubles.
//!
//! Request: the amount's column, the term's column, the least amount, the step, the number of
//! amounts; the number of terms and the terms; the number of derived columns and for each the
//! operation (0 ratio, 1 difference), the two columns and the column that it makes; the row.
//! Result: for each model and term the end of its pieces, counted over all; then the pieces' starts;
//! then their probabilities.

use crate::sweep::{Derived, Operation, Pieces, Request};

/// # Errors
/// When the bytes are too short, or a count, column or operation is not one.
pub fn read(bytes: &[u8]) -> Result<Request, String> {
    let (words, _) = bytes.as_chunks::<8>();
    let mut numbers = words.iter().map(|&word| f64::from_le_bytes(word));
    let mut next = || numbers.next().ok_or("the request is too short");
    let (amount_column, term_column) = (index(next()?)?, index(next()?)?);
    let (least, step, amounts) = (next()?, next()?, index(next()?)?);
    let terms = index(next()?)?;
    let terms = (0..terms).map(|_| next().map(|term| term as f32)).collect::<Result<_, _>>()?;
    let derived = index(next()?)?;
    let mut derive = || -> Result<Derived, String> {
        let operation = match index(next()?)? {
            0 => Operation::Ratio,
            1 => Operation::Difference,
            other => return Err(format!("an operation must be 0 or 1, it is {other}")),
        };
        let of = [index(next()?)?, index(next()?)?];
        Ok(Derived { operation, of, column: index(next()?)? })
    };
    let derived = (0..derived).map(|_| derive()).collect::<Result<_, _>>()?;
    let row = numbers.map(|value| value as f32).collect();
    Ok(Request { row, amount_column, term_column, least, step, amounts, terms, derived })
}

/// A number that is an index or a count.
fn index(number: f64) -> Result<usize, String> {
    if (0.0..=f64::from(u32::MAX)).contains(&number) && number.fract() == 0.0 {
        return Ok(number as usize);
    }
    Err(format!("an index or a count must be a whole number of at least 0, it is {number}"))
}

pub fn write(pieces: &[Pieces]) -> Vec<f64> {
    let mut end = 0;
    let ends = pieces.iter().map(|pieces| {
        end += pieces.starts.len();
        end as f64
    });
    let mut result: Vec<f64> = ends.collect();
    result.extend(pieces.iter().flat_map(|pieces| &pieces.starts).map(|&start| f64::from(start)));
    result.extend(pieces.iter().flat_map(|pieces| &pieces.probabilities));
    result
}
