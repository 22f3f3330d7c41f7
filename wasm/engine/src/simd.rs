//! Lanes of bytes, the unit of both tournament kernels.
//!
//! Why several vectors side by side: a node's fields are loaded once for all.
//! Why relaxed lane selection: it is one instruction where the strict one is three, and both agree
//! on masks whose bytes are all ones or all zeros, which comparisons give. Relaxed swizzling agrees
//! with the strict one on indices below 16 and from 128 on; it is given no others. `look_up_any` is
//! the strict one.
//! Why a number is doubled with saturation: plain doubling becomes a shift, which bytes do not have.
//! Outside WebAssembly the same operations run on arrays, for tests.

/// Lanes of a vector.
pub const LANES: usize = 16;

#[cfg(target_family = "wasm")]
mod vector {
    use core::arch::wasm32::*;

    pub type V = v128;

    pub fn load(bytes: &[i8; 16]) -> V {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *bytes;
        i8x16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    }

    pub fn load32(words: &[u32; 4]) -> V {
        let [a, b, c, d] = *words;
        u32x4(a, b, c, d)
    }

    pub fn words(v: V) -> [u64; 2] {
        [u64x2_extract_lane::<0>(v), u64x2_extract_lane::<1>(v)]
    }

    pub fn odd(v: V) -> V {
        u16x8_shr(v, 8)
    }

    pub fn at_or_below(keys: &[f32; 16], value: f32) -> u32 {
        let value = f32x4_splat(value);
        let part = |first: usize| {
            f32x4_le(f32x4(keys[first], keys[first + 1], keys[first + 2], keys[first + 3]), value)
        };
        let sums = i32x4_add(i32x4_add(part(0), part(4)), i32x4_add(part(8), part(12)));
        let sums = i32x4_add(sums, i32x4_shuffle::<2, 3, 2, 3>(sums, sums));
        0u32.wrapping_sub((i32x4_extract_lane::<0>(sums) + i32x4_extract_lane::<1>(sums)) as u32)
    }

    pub use core::arch::wasm32::{
        i8x16_add as add, i8x16_add_sat as add_sat, i8x16_gt as greater,
        i8x16_relaxed_laneselect as select, i8x16_relaxed_swizzle as look_up, i8x16_splat as splat,
        i8x16_sub as sub, i8x16_sub_sat as sub_sat, i8x16_swizzle as look_up_any,
        i16x8_add as add16, v128_and as and, v128_or as or,
    };
}

#[cfg(not(target_family = "wasm"))]
mod vector {
    pub type V = [i8; 16];

    pub fn load(bytes: &[i8; 16]) -> V {
        *bytes
    }
    pub fn load32(words: &[u32; 4]) -> V {
        let bytes = words.map(u32::to_le_bytes);
        std::array::from_fn(|i| bytes[i / 4][i % 4] as i8)
    }
    pub fn splat(x: i8) -> V {
        [x; 16]
    }
    pub fn add(a: V, b: V) -> V {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }
    pub fn add_sat(a: V, b: V) -> V {
        std::array::from_fn(|i| a[i].saturating_add(b[i]))
    }
    pub fn sub_sat(a: V, b: V) -> V {
        std::array::from_fn(|i| a[i].saturating_sub(b[i]))
    }
    pub fn add16(a: V, b: V) -> V {
        let [a, b] = [super::pairs(a), super::pairs(b)];
        let bytes = |i: usize| a[i].wrapping_add(b[i]).to_le_bytes();
        std::array::from_fn(|i| bytes(i / 2)[i % 2] as i8)
    }
    pub fn sub(a: V, b: V) -> V {
        std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
    }
    pub fn and(a: V, b: V) -> V {
        std::array::from_fn(|i| a[i] & b[i])
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
    pub fn look_up_any(table: V, index: V) -> V {
        std::array::from_fn(|i| table.get(usize::from(index[i] as u8)).copied().unwrap_or(0))
    }
    pub fn odd(v: V) -> V {
        std::array::from_fn(|i| if i % 2 == 0 { v[i + 1] } else { 0 })
    }
    pub fn at_or_below(keys: &[f32; 16], value: f32) -> u32 {
        keys.iter().filter(|&&key| key <= value).count() as u32
    }
    pub fn words(v: V) -> [u64; 2] {
        let bytes = v.map(|x| x as u8);
        let (words, _) = bytes.as_chunks::<8>();
        [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])]
    }
}

/// Floats that are compared to a value at once.
pub const WIDE: usize = 16;

/// How many of the keys are at or below the value.
#[inline(always)]
pub fn at_or_below(keys: &[f32; WIDE], value: f32) -> u32 {
    vector::at_or_below(keys, value)
}

/// The lanes as eight pairs, the even one in the low byte.
#[inline(always)]
pub fn pairs(v: V) -> [u16; LANES / 2] {
    let words = vector::words(v);
    std::array::from_fn(|pair| (words[pair / 4] >> (16 * (pair % 4))) as u16)
}

pub use vector::{
    V, add, add16, and, greater, load, load32, look_up, look_up_any, odd, or, splat, sub, words,
};

/// Vectors side by side, 16 lanes each.
#[derive(Clone, Copy)]
pub struct Lanes<const W: usize>(pub [V; W]);

impl<const W: usize> Lanes<W> {
    #[inline(always)]
    pub fn splat(x: i8) -> Self {
        Self([splat(x); W])
    }

    /// The vectors in bytes, from the first on.
    #[inline(always)]
    pub fn load(bytes: &[[i8; 16]; W]) -> Self {
        Self(std::array::from_fn(|index| load(&bytes[index])))
    }

    /// All ones where this is greater, zero elsewhere.
    #[inline(always)]
    pub fn greater(self, other: Self) -> Self {
        Self(std::array::from_fn(|index| vector::greater(self.0[index], other.0[index])))
    }

    /// This where the mask is all ones, `other` where it is zero.
    #[inline(always)]
    pub fn or_else(self, other: Self, mask: Self) -> Self {
        let select = |index| vector::select(self.0[index], other.0[index], mask.0[index]);
        Self(std::array::from_fn(select))
    }

    /// Twice this, plus one where the mask is all ones.
    #[inline(always)]
    pub fn push(self, mask: Self) -> Self {
        let twice = |index: usize| vector::add_sat(self.0[index], self.0[index]);
        Self(std::array::from_fn(|index| vector::sub_sat(twice(index), mask.0[index])))
    }
}
