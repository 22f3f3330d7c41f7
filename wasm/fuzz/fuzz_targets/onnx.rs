//! Any bytes as ONNX: refused with a text, no forest, or one that its own reader takes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prescore_forest::Forest;
use prescore_tract::compile::{Outcome, compile};

fuzz_target!(|bytes: &[u8]| match compile(bytes) {
    Ok(Outcome::Forest(file)) => assert!(Forest::decode(&file).is_ok()),
    Ok(Outcome::NotAForest) => {}
    Err(text) => assert!(text.starts_with("Cannot compile ONNX: ")),
});
