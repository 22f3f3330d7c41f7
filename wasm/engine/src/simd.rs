//! Thirty-two lanes of bytes, the unit of both tournament kernels.
//!
//! Why two vectors: a node's fields are loaded once for both, and each hides the other's latency.
//! Why relaxed lane selection: it is one instruction where the strict one is three, and both agree
//! on masks whose bytes are all ones or all zeros, which comparisons give. Relaxed swizzling agrees
//! with the strict one on indices below 16 and from 128 on; no others are used.
//! Outside WebAssembly the same operations run on arrays, for tests.

pub const LANES: usize = 32;

#[cfg(target_family = "wasm")]
mod vector {
    use core::arch::wasm32::*;

    pub type V = v128;

    pub fn load(bytes: &[i8; 16]) -> V {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *bytes;
        i8x16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    }

    pub fn store(v: V) -> [u64; 2] {
        [u64x2_extract_lane::<0>(v), u64x2_extract_lane::<1>(v)]
    }

    pub use core::arch::wasm32::{
        i8x16_add as add, i8x16_gt as greater, i8x16_relaxed_laneselect as select,
        i8x16_relaxed_swizzle as look_up, i8x16_splat as splat, i8x16_sub as sub, v128_or as or,
    };
}

#[cfg(not(target_family = "wasm"))]
mod vector {
    pub type V = [i8; 16];

    pub fn load(bytes: &[i8; 16]) -> V {
        *bytes
    }
    pub fn splat(x: i8) -> V {
        [x; 16]
    }
    pub fn add(a: V, b: V) -> V {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }
    pub fn sub(a: V, b: V) -> V {
        std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
    }
    pub fn or(a: V, b: V) -> V {
        std::array::from_fn(|i| a[i] | b[i])
    }
    pub fn greater(a: V, b: V) -> V {
        std::array::from_fn(|i| -i8::from(a[i] > b[i]))
    }
    pub fn select(a: V, b: V, mask: V) -> V {
        std::array::from_fn(|i| if mask[i] != 0 { a[i] } else { b[i] })
    }
    pub fn look_up(table: V, index: V) -> V {
        std::array::from_fn(|i| if index[i] < 0 { 0 } else { table[index[i] as usize & 15] })
    }
    pub fn store(v: V) -> [u64; 2] {
        let bytes = v.map(|x| x as u8);
        let (words, _) = bytes.as_chunks::<8>();
        [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])]
    }
}

pub use vector::{V, load, look_up, or, splat};

/// Two vectors side by side.
#[derive(Clone, Copy)]
pub struct Lanes(pub V, pub V);

impl Lanes {
    #[inline(always)]
    pub fn splat(x: i8) -> Self {
        Self(splat(x), splat(x))
    }

    /// All ones where this is greater, zero elsewhere.
    #[inline(always)]
    pub fn greater(self, other: Self) -> Self {
        Self(vector::greater(self.0, other.0), vector::greater(self.1, other.1))
    }

    /// This where the mask is all ones, `other` where it is zero.
    #[inline(always)]
    pub fn or_else(self, other: Self, mask: Self) -> Self {
        Self(vector::select(self.0, other.0, mask.0), vector::select(self.1, other.1, mask.1))
    }

    /// Twice this, plus one where the mask is all ones.
    #[inline(always)]
    pub fn push(self, mask: Self) -> Self {
        Self(
            vector::sub(vector::add(self.0, self.0), mask.0),
            vector::sub(vector::add(self.1, self.1), mask.1),
        )
    }

    /// The lanes in order, eight to a word, the first in its lowest byte.
    #[inline(always)]
    pub fn words(self) -> [u64; 4] {
        let ([a, b], [c, d]) = (vector::store(self.0), vector::store(self.1));
        [a, b, c, d]
    }
}
