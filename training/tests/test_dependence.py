"""Known loadings are found again, whatever their signs and gaps; what the decisions do not tell is not made up."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from prescore_training.dependence import MAX_LOADING, MIN_COMMON, Decided, Dependence, estimate
from prescore_training.policies import LENDERS
from prescore_training.simulate import Simulation
from prescore_training.table import BANKS

Floats = npt.NDArray[np.float64]


def draw(loadings: list[float], *, rows: int = 8_000, seed: int = 1, unanswered: float = 0.1) -> Decided:
    """Draw applications as the model of the module has them."""
    rng = np.random.default_rng(seed)
    loading = np.array(loadings)
    probabilities = 1 / (1 + np.exp(-rng.normal(0, 1.3, (rows, loading.size))))
    factor = rng.standard_normal((rows, 1))
    own = np.sqrt(1 - loading**2) * rng.standard_normal(probabilities.shape)
    approved = ndtri(probabilities) + loading * factor + own > 0
    probabilities[rng.random(probabilities.shape) < unanswered] = np.nan
    names = tuple(f"bank_{at}" for at in range(loading.size))
    return Decided(names, probabilities, approved, np.arange(rows))


def found(decided: Decided, true: Floats | None = None) -> Dependence:
    dependence = estimate(decided, seed=1, true=true)
    assert dependence is not None
    return dependence


def values(dependence: Dependence) -> Floats:
    return np.array([one.value for one in dependence.loadings.values()])


@pytest.mark.parametrize(
    "loadings",
    [
        [0.3, 0.45, 0.6, 0.2, 0.5],
        [0.5, -0.4, 0.6],
        [0.9, 0.8, 0.85],
        [0.0, 0.5, 0.5, 0.4],
    ],
)
def test_known_loadings_are_found(loadings: list[float]) -> None:
    dependence = found(draw(loadings))
    assert np.abs(values(dependence) - loadings).max() < 0.1
    for one, true in zip(dependence.loadings.values(), loadings, strict=True):
        assert one.low - 0.03 < true < one.high + 0.03
        assert 0.01 < one.high - one.low < 0.2


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    loadings = [0.3, 0.5, 0.4]
    held = [
        one.low <= true <= one.high
        for seed in range(10)
        for one, true in zip(found(draw(loadings, rows=2_000, seed=seed)).loadings.values(), loadings, strict=True)
    ]
    assert np.mean(held) > 0.8


def test_of_two_banks_only_the_product_is_told_and_shared_equally() -> None:
    for pair in ([0.8, 0.3], [-0.8, 0.3]):
        one, two = values(found(draw(pair)))
        assert abs(one * two - pair[0] * pair[1]) < 0.05
        assert abs(abs(one) - abs(two)) < 0.01


def test_independent_banks_are_found_independent() -> None:
    dependence = found(draw([0.0, 0.0, 0.0]))
    for pair in dependence.pairs:
        assert abs(pair.expected - pair.independent) < 0.005
    products = np.outer(values(dependence), values(dependence))
    assert np.abs(products[np.triu_indices(3, 1)]).max() < 0.05


def test_banks_that_agree_stay_below_the_limit() -> None:
    decided = draw([0.5, 0.5, 0.5], rows=2_000, unanswered=0)
    same = Decided(
        decided.banks,
        np.full(decided.probabilities.shape, 0.4),
        np.repeat(decided.approved[:, :1], 3, axis=1),
        decided.applicants,
    )
    assert values(found(same)) == pytest.approx([MAX_LOADING] * 3)


def test_a_bank_with_few_common_applications_is_taken_as_independent() -> None:
    decided = draw([0.5, 0.5, 0.5, 0.5], rows=6_000, unanswered=0)
    decided.probabilities[: 6_000 - MIN_COMMON + 1, 2] = np.nan
    dependence = found(decided)
    few = dependence.loadings["bank_2"]
    assert (few.value, few.low, few.high, few.applications) == (0.0, -MAX_LOADING, MAX_LOADING, MIN_COMMON - 1)
    assert few.note is not None
    assert few.note.startswith("has fewer than")
    others = [one for bank, one in dependence.loadings.items() if bank != "bank_2"]
    assert all(one.note is None and abs(one.value - 0.5) < 0.1 for one in others)


def test_banks_without_common_applications_have_no_loadings() -> None:
    decided = draw([0.5, 0.5], rows=4_000, unanswered=0)
    decided.probabilities[::2, 0] = np.nan
    decided.probabilities[1::2, 1] = np.nan
    dependence = found(decided)
    assert values(dependence).tolist() == [0.0, 0.0]
    assert all(one.note and one.applications == 0 for one in dependence.loadings.values())
    assert dependence.pairs == ()


def test_a_bank_whose_partners_have_too_little_in_common_has_no_loading() -> None:
    decided = draw([0.5, 0.5, 0.5], rows=MIN_COMMON + 200, unanswered=0)
    decided.probabilities[: MIN_COMMON // 2, 1] = np.nan
    decided.probabilities[MIN_COMMON // 2 :, 2] = np.nan
    dependence = found(decided)
    assert dependence.loadings["bank_0"].applications == MIN_COMMON + 200
    assert all(one.note and one.value == 0 for one in dependence.loadings.values())


def test_one_bank_alone_has_no_dependence() -> None:
    assert estimate(draw([0.5]), seed=1) is None


def test_pairs_tell_how_often_both_refuse() -> None:
    for pair in found(draw([0.5, 0.6, 0.4], rows=12_000)).pairs:
        assert pair.independent < pair.expected
        assert abs(pair.expected - pair.observed) < 0.012


def test_probabilities_of_0_and_1_break_nothing() -> None:
    decided = draw([0.5, 0.5, 0.5], rows=3_000)
    decided.probabilities[:20], decided.approved[:20] = [0.0, 1.0, 0.0], [False, True, False]
    assert np.abs(values(found(decided)) - 0.5).max() < 0.15


def test_a_few_gross_errors_of_a_model_do_not_outweigh_all_else() -> None:
    decided = draw([0.5, 0.5, 0.5], rows=3_000, unanswered=0)
    decided.probabilities[:5, 0], decided.approved[:5, 0] = 0.0, True
    assert np.abs(values(found(decided)) - 0.5).max() < 0.15


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(4)), st.integers(0, 1_000))
def test_the_order_of_the_banks_does_not_matter(order: list[int], seed: int) -> None:
    decided = draw([0.3, 0.5, -0.4, 0.6], rows=1_500, seed=seed)
    other = Decided(
        tuple(decided.banks[at] for at in order),
        decided.probabilities[:, order],
        decided.approved[:, order],
        decided.applicants,
    )
    assert values(found(other)) == pytest.approx(values(found(decided))[order], abs=2e-4)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1_000))
def test_swapping_approvals_and_refusals_changes_nothing(seed: int) -> None:
    decided = draw([0.3, 0.5, 0.6], rows=1_500, seed=seed)
    other = Decided(decided.banks, 1 - decided.probabilities, ~decided.approved, decided.applicants)
    assert values(found(other)) == pytest.approx(values(found(decided)), abs=2e-4)


def test_simulated_lenders_share_their_applicants_credit_history(simulation: Simulation) -> None:
    """A lender's logistic noise is nearly a normal one 1.7 times as wide (within 0.01 of its distribution function)."""
    truth = np.column_stack([simulation.truth[bank] for bank in BANKS])
    decisions = np.column_stack([simulation.decisions[bank] for bank in BANKS])
    decided = Decided(BANKS, np.where(decisions >= 0, truth, np.nan), decisions == 1, np.arange(decisions.shape[0]))
    expected = [one.history_weight / np.hypot(one.history_weight, 1.7 * one.noise) for one in LENDERS]
    dependence = found(decided, true=truth)
    assert np.abs(values(dependence) - expected).max() < 0.06
    assert [one.best for one in dependence.loadings.values()] == pytest.approx(values(dependence).tolist())
    for pair in dependence.pairs:
        assert abs(pair.expected - pair.observed) < 0.006
