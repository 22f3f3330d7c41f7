//! The link program: the steps from a forest's raw sum to a probability.
//!
//! Why its bounds: with at most `MAX_STEPS` steps and parameters of at most `MAX_PARAMETER`, a
//! finite sum of floats cannot overflow a double on the way, so a probability is never NaN.

/// Largest magnitude of an affine step's parameters.
pub const MAX_PARAMETER: f64 = 1e30;

/// One step of the link program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// `x * scale + shift`
    Affine { scale: f64, shift: f64 },
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// The nearest number in `lo..=hi`.
    Clamp { lo: f64, hi: f64 },
}

impl Step {
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Affine { scale, shift } => x * scale + shift,
            Self::Sigmoid => sigmoid(x),
            Self::Clamp { lo, hi } => x.max(lo).min(hi),
        }
    }

    /// Whether every result is a probability, whatever the input.
    pub fn gives_probability(self) -> bool {
        match self {
            Self::Affine { .. } => false,
            Self::Sigmoid => true,
            Self::Clamp { lo, hi } => 0.0 <= lo && hi <= 1.0,
        }
    }

    /// # Errors
    /// When a parameter is not a number, too large, or `lo` is above `hi`.
    pub fn check(self) -> Result<(), String> {
        match self {
            Self::Affine { scale, shift } if within(scale) && within(shift) => Ok(()),
            Self::Affine { scale, shift } => Err(format!(
                "affine({scale}, {shift}): both parameters must lie within ±{MAX_PARAMETER:e}"
            )),
            Self::Sigmoid => Ok(()),
            Self::Clamp { lo, hi } if within(lo) && within(hi) && lo <= hi => Ok(()),
            Self::Clamp { lo, hi } => Err(format!(
                "clamp({lo}, {hi}): the first bound must not exceed the second, and both must lie \
                 within ±{MAX_PARAMETER:e}"
            )),
        }
    }
}

fn within(parameter: f64) -> bool {
    parameter.abs() <= MAX_PARAMETER
}

/// Both branches keep the exponent negative, so that `exp` cannot overflow.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}
