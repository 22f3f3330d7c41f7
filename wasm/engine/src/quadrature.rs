//! Gauss-Legendre quadrature on [0, 1].
//!
//! With n nodes it is exact for polynomials up to degree 2n - 1. The nodes are the roots of the
//! Legendre polynomial of degree n, which those of degree n - 1 and the ends of the interval keep
//! apart. So each is found between two of them, without the trigonometry of the usual estimates,
//! whose code is larger than the rest.

/// A node and its weight.
pub type Point = (f64, f64);

/// The nodes, in rising order, and weights that sum to 1.
pub fn gauss_legendre(count: usize) -> Vec<Point> {
    let mut roots = Vec::new();
    for degree in 1..=count {
        let bounds: Vec<f64> = [-1.0].into_iter().chain(roots).chain([1.0]).collect();
        roots = bounds.windows(2).map(|between| root(degree, between[0], between[1])).collect();
    }
    let point = |x: f64| {
        let slope = legendre(count, x).1;
        ((1.0 + x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    roots.into_iter().map(point).collect()
}

/// The one root between two bounds, by halving to the last bit.
fn root(degree: usize, mut low: f64, mut high: f64) -> f64 {
    let sign = |x: f64| legendre(degree, x).0 > 0.0;
    // At -1 the polynomial is 1 or -1, which its sign there says; roots of the lower degree are none.
    let at_low = sign(low);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if sign(middle) == at_low {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The Legendre polynomial of a degree and its derivative; the latter inside (-1, 1).
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for k in 0..degree {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0));
    }
    let n = degree as f64;
    (value, n * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_integrated_exactly() {
        for count in [1, 2, 3, 4, 8, 16, 64, 128] {
            let points = gauss_legendre(count);
            assert_eq!(points.len(), count);
            for power in 0..2 * count {
                let sum: f64 = points.iter().map(|(x, w)| w * x.powi(power as i32)).sum();
                let exact = 1.0 / (power as f64 + 1.0);
                assert!((sum - exact).abs() < 1e-13, "{count} nodes, power {power}: {sum}");
            }
        }
    }
}
