"""The simulated population and lenders are reproducible, plausible, and as their policies say."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prescore_training import metrics
from prescore_training.policies import LENDERS, Applications, Lender
from prescore_training.project import find_project
from prescore_training.questionnaire import load_questionnaire
from prescore_training.simulate import Simulation, simulate
from prescore_training.table import BANKS, COLUMNS, UNKNOWN_ANSWERS
from prescore_training.vocabulary import GOODS, POSITIONS, REGIONS, SHOPS_PER_CATEGORY, region_of_shop

LENDER_BY_BANK = {lender.bank: lender for lender in LENDERS}
QUESTIONNAIRE = load_questionnaire(find_project(Path(__file__).parent))


def column(simulation: Simulation, name: str) -> np.ndarray:
    return simulation.matrix[:, simulation.space.names.index(name)].astype(np.float64)


def test_same_seed_same_bytes_and_other_seed_other_bytes(project: Path) -> None:
    one = simulate(project, applicants=50, seed=11).to_csv()
    assert one == simulate(project, applicants=50, seed=11).to_csv()
    assert one != simulate(project, applicants=50, seed=12).to_csv()


def test_a_single_application_can_be_simulated(project: Path) -> None:
    assert simulate(project, applicants=1, seed=0).matrix.shape[0] == 1


def test_table_has_the_public_header_and_line_ends(simulation: Simulation) -> None:
    data = simulation.to_csv()
    assert data.startswith(";".join(COLUMNS).encode() + b"\r\n")
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=";"))
    assert len(rows) == simulation.matrix.shape[0]
    assert {row["BankA_decision"] for row in rows} == {"success", "denied", "error"}
    assert sum(row["Position"] == "NULL" for row in rows) > 0


def test_amounts_and_terms_stay_in_their_ranges(simulation: Simulation) -> None:
    amount = column(simulation, "loan_amount")
    assert np.nanmin(amount) >= 4_000
    assert np.nanmax(amount) <= 200_000
    assert set(np.unique(column(simulation, "loan_term"))[:4]) == {6, 12, 18, 24}


def test_answers_hang_together(simulation: Simulation) -> None:
    age, income = column(simulation, "age_years"), column(simulation, "monthprofit")
    tenure, education = column(simulation, "job_tenure_months"), column(simulation, "education")
    known = ~np.isnan(age + income + tenure + education) & (education >= 0) & (income > 1_000)
    assert np.nanmin(age) >= 18
    assert np.all((tenure / 12 <= age - 14)[known])
    assert np.corrcoef(age[known], tenure[known])[0, 1] > 0.2
    assert np.corrcoef(education[known], np.log(income[known]))[0, 1] > 0.15
    assert 90_000 < np.nanmedian(income) < 160_000


def test_goods_are_sold_in_their_own_shops(simulation: Simulation) -> None:
    goods, shop = column(simulation, "goods_category"), column(simulation, "merch_code")
    for label, (ten, _) in GOODS.items():
        of_goods = shop[goods == QUESTIONNAIRE.code("goods_category", label)]
        known = of_goods[of_goods <= 80]
        assert np.all((known - 1) // SHOPS_PER_CATEGORY == ten)


def test_missing_and_unknown_answers_occur_at_moderate_rates(simulation: Simulation) -> None:
    missing = np.isnan(simulation.matrix).mean(axis=0)
    assert np.all(missing > 0.001)
    assert np.all(missing < 0.15)
    for name in ("education", "employment_status", "family_status", "goods_category"):
        assert 0.005 < np.mean(column(simulation, name) == -1) < 0.03


def test_unknown_answers_are_unknown_to_the_questionnaire() -> None:
    for name, answers in UNKNOWN_ANSWERS.items():
        known = QUESTIONNAIRE.answers[name.lower().replace(" ", "_")].values()
        assert not set(answers) & set(known)


def test_position_titles_fall_into_their_groups(simulation: Simulation) -> None:
    groups = column(simulation, "position_group")
    for label in POSITIONS:
        code = -1 if label == "Other" else QUESTIONNAIRE.code("position_group", label)
        assert np.mean(groups == code) > 0.02, label


@pytest.mark.parametrize("bank", BANKS)
def test_lenders_approve_and_can_be_predicted_within_the_stated_bounds(
    simulation: Simulation, bank: str
) -> None:
    decisions, truth = simulation.decisions[bank], simulation.truth[bank]
    answered = decisions >= 0
    assert 0.005 < np.mean(~answered) < 0.025
    assert 0.35 < np.mean(decisions[answered]) < 0.78
    assert abs(np.mean(decisions[answered]) - np.mean(truth)) < 0.02
    assert 0.75 < metrics.auc(decisions[answered], truth[answered]) < 0.88


def test_lenders_differ(simulation: Simulation) -> None:
    correlations = np.corrcoef([simulation.truth[bank] for bank in BANKS])
    assert np.max(correlations - np.eye(len(BANKS))) < 0.7


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_truth_is_monotone_where_the_lender_says(applications: Applications, data: st.DataObject) -> None:
    bank = data.draw(st.sampled_from([lender.bank for lender in LENDERS if lender.monotone]))
    lender: Lender = LENDER_BY_BANK[bank]
    name = data.draw(st.sampled_from(sorted(lender.monotone)))
    at = applications.names.index(name)
    low, high = sorted(data.draw(st.tuples(*[st.floats(0, 1e6, width=32)] * 2)))
    rows = applications.matrix[:200].copy()
    probabilities = []
    for value in (low, high):
        rows[:, at] = value
        view = Applications(applications.names, rows.copy(), applications.questionnaire)
        probabilities.append(lender.approval_probability(view))
    assert np.all((probabilities[1] - probabilities[0]) * lender.monotone[name] >= 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999_999))
def test_policies_give_a_probability_for_any_row(applications: Applications, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (50, len(applications.names))
    values = rng.choice([np.nan, -1, 0, 1e-30, 5, 60, 1e5, 1e8, -1e8], size=shape).astype(np.float32)
    view = Applications(applications.names, values, applications.questionnaire)
    for lender in LENDERS:
        probability = lender.approval_probability(view)
        assert probability.shape == (50,)
        assert np.all((probability >= 0) & (probability <= 1))


def test_every_shop_of_the_mapping_has_a_region() -> None:
    codes = np.array([1, 3, 4, 7, 10, 80, 0, 81, np.nan])
    assert region_of_shop(codes).tolist() == [0, 0, 1, 2, 3, 3, -1, -1, -1]
    assert len(REGIONS) == 4
