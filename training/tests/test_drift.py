"""Training bins add up to 1, whatever the values, and a shift shows in the stability index."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import bare_configuration, problem

from prescore_training.drift import decile_edges, drift_json, population_stability, shares_in

CELLS = st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6, width=32), st.sampled_from([0.0, 1.0, -1.0]))


@settings(max_examples=50)
@given(st.lists(st.tuples(*[CELLS] * 4), min_size=1, max_size=80))
def test_shares_add_up_to_one(rows: list[tuple[float, ...]]) -> None:
    matrix = np.array(rows, np.float32)
    document = json.loads(drift_json(bare_configuration(), matrix, {"bank": np.full(len(rows), 0.5)}))
    assert list(document["features"]) == ["f0", "f1", "f2", "f3"]
    for bins in [*document["features"].values(), document["scores"]["bank"]]:
        assert sum(bins["shares"]) + bins["missing"] + bins.get("other", 0) == pytest.approx(1, abs=1e-4)
        if bins["kind"] == "quantiles":
            assert len(bins["shares"]) == len(bins["edges"]) + 1
            assert bins["edges"] == sorted(set(bins["edges"]))
        else:
            assert len(bins["shares"]) == len(bins["values"]) <= 50


def test_a_shift_shows_and_chance_does_not() -> None:
    then, same, shifted = (problem(5_000, seed=seed).matrix[:, 1].astype(float) for seed in (1, 2, 3))
    edges = decile_edges(then)
    reference = shares_in(then, edges)
    assert population_stability(reference, reference) == 0
    assert population_stability(reference, shares_in(same, edges)) < 0.02
    assert population_stability(reference, shares_in(shifted * 1.5, edges)) > 0.1
    assert population_stability(reference, shares_in(np.full(100, np.nan), edges)) > 1
