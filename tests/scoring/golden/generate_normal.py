"""Writes normal.json beside this file: what SciPy says, for scoring/normal.ts and scoring/plan.ts.

Run with Python 3.11 and SciPy 1.17.1 (of the package in training/). Known limit: the chance that more than
two banks refuse comes from an adaptive quadrature over the factor: the same integral by another rule.
"""

import json
from math import sqrt
from pathlib import Path

import numpy as np
from scipy.integrate import quad
from scipy.special import ndtr, ndtri, owens_t

HERE = Path(__file__).parent


def both_below(h: float, k: float, correlation: float) -> float:
    """Return the bivariate normal distribution function by Owen's T (D. B. Owen, 1956); h and k are not 0."""
    own = sqrt(1 - correlation**2)
    value = (ndtr(h) + ndtr(k)) / 2 - (h * k < 0) / 2
    value -= owens_t(h, (k - correlation * h) / (h * own))
    return float(value - owens_t(k, (h - correlation * k) / (k * own)))


def all_refuse(probabilities: list[float], loadings: list[float]) -> float:
    """Return the chance that all banks refuse by adaptive quadrature."""
    a, loading = ndtri(np.array(probabilities)), np.array(loadings)

    def density(z: float) -> float:
        given = ndtr(-(a + loading * z) / np.sqrt(1 - loading**2))
        return float(np.prod(given) * np.exp(-z * z / 2) / sqrt(2 * np.pi))

    points = [float(at) for at in -a / np.where(loading == 0, 1, loading) if abs(at) < 12]
    return float(quad(density, -12, 12, points=points, epsabs=1e-13, epsrel=1e-13, limit=500)[0])


def main() -> None:
    rng = np.random.default_rng(1)
    xs = [*np.linspace(-9, 9, 73).tolist(), -37.0, -20.0, 38.5]
    ps = [1e-300, 1e-50, 1e-12, 1e-6, 0.075, 0.0750001, 0.5, 0.925, 0.9999999, *rng.random(40).tolist()]
    pairs = []
    for strength in (0.05, 0.3, 0.6, 0.9, 0.99, 0.9999):
        for p in rng.random((12, 2)):
            one, two = (strength * rng.choice([-1, 1], 2)).tolist()
            refusal = both_below(float(-ndtri(p[0])), float(-ndtri(p[1])), one * two)
            pairs.append({"probabilities": p.tolist(), "loadings": [one, two], "refusal": refusal})
    several = []
    for banks in (3, 5):
        for _ in range(12):
            p, loadings = rng.random(banks).tolist(), rng.uniform(-0.98, 0.98, banks).tolist()
            several.append({"probabilities": p, "loadings": loadings, "refusal": all_refuse(p, loadings)})
    document = {
        "cdf": [[x, float(ndtr(x))] for x in xs],
        "quantile": [[p, float(ndtri(p))] for p in ps],
        "pairs": pairs,
        "several": several,
    }
    (HERE / "normal.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
