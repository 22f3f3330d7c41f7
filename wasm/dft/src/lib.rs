//! The discrete Fourier transform by its definition, in place of the crate rustfft.
//!
//! Why: tract's operators DFT and STFT pull in rustfft, whose specialised transforms are a fifth of the
//! module, and no model of loans transforms a signal. The operators still work.
//!
//! Known limit: n^2 steps for n numbers, where rustfft takes n log n. Only what tract calls is here.

pub use num_complex;
pub use num_traits;

use num_complex::Complex;
use num_traits::{Float, FromPrimitive, ToPrimitive};

/// Numbers that can be transformed.
pub trait FftNum: Float + FromPrimitive + ToPrimitive + 'static {}

impl<T: Float + FromPrimitive + ToPrimitive + 'static> FftNum for T {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FftDirection {
    Forward,
    Inverse,
}

/// Gives transforms of a length.
#[derive(Default)]
pub struct FftPlanner;

impl FftPlanner {
    pub fn new() -> Self {
        Self
    }

    pub fn plan_fft(&mut self, len: usize, direction: FftDirection) -> Dft {
        Dft { len, direction }
    }

    pub fn plan_fft_forward(&mut self, len: usize) -> Dft {
        self.plan_fft(len, FftDirection::Forward)
    }
}

/// A transform of a length, not scaled, as in rustfft.
pub struct Dft {
    len: usize,
    direction: FftDirection,
}

impl Dft {
    /// Transforms each `len` numbers of the buffer in place. Sums are doubles.
    pub fn process<T: FftNum>(&self, buffer: &mut [Complex<T>]) {
        let sign = if self.direction == FftDirection::Forward { -1.0 } else { 1.0 };
        let turn = |step: usize| {
            let angle = sign * std::f64::consts::TAU * step as f64 / self.len as f64;
            Complex::new(angle.cos(), angle.sin())
        };
        let turns: Vec<Complex<f64>> = (0..self.len).map(turn).collect();
        for part in buffer.chunks_exact_mut(self.len.max(1)) {
            let double = |x: T| x.to_f64().unwrap_or(f64::NAN);
            let values: Vec<_> =
                part.iter().map(|x| Complex::new(double(x.re), double(x.im))).collect();
            for (frequency, out) in part.iter_mut().enumerate() {
                let mut sum = Complex::new(0.0, 0.0);
                let mut step = 0;
                for value in &values {
                    sum += value * turns[step];
                    step += frequency;
                    step -= if step >= self.len { self.len } else { 0 };
                }
                let single = |x: f64| T::from_f64(x).unwrap_or_else(T::nan);
                *out = Complex::new(single(sum.re), single(sum.im));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turning_number_has_one_frequency_and_comes_back() {
        for len in [1, 2, 5, 8, 12] {
            let wave = |index: usize| {
                let angle = std::f64::consts::TAU * (index * (1 % len)) as f64 / len as f64;
                Complex::new(angle.cos(), angle.sin())
            };
            let original: Vec<Complex<f64>> = (0..len).map(wave).collect();
            let mut buffer = original.clone();
            FftPlanner::new().plan_fft_forward(len).process(&mut buffer);
            for (frequency, value) in buffer.iter().enumerate() {
                let expected = if frequency == 1 % len { len as f64 } else { 0.0 };
                assert!((value - Complex::new(expected, 0.0)).norm() < 1e-12);
            }
            FftPlanner::new().plan_fft(len, FftDirection::Inverse).process(&mut buffer);
            for (value, original) in buffer.iter().zip(original) {
                assert!((value / len as f64 - original).norm() < 1e-12);
            }
        }
    }
}
