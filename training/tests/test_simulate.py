"""The simulated population and lenders are reproducible, plausible, and as their policies say."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prescore_training import metrics
from prescore_training.configuration import read_configuration
from prescore_training.policies import CHANGE_DAY, LENDERS, Applications
from prescore_training.project import Project, find_project
from prescore_training.questionnaire import load_questionnaire
from prescore_training.simulate import Simulation, simulate
from prescore_training.table import BANKS, COLUMNS, UNKNOWN_ANSWERS
from prescore_training.vocabulary import GOODS, POSITIONS, REGIONS, SHOPS_PER_CATEGORY, region_of_shop

LENDER_BY_BANK = {lender.bank: lender for lender in LENDERS}
QUESTIONNAIRE = load_questionnaire(find_project(Path(__file__).parent))


def column(simulation: Simulation, name: str) -> np.ndarray:
    return simulation.matrix[:, simulation.applications.names.index(name)].astype(np.float64)


def test_same_seed_same_bytes_and_other_seed_other_bytes(project: Project) -> None:
    one = simulate(project, applications=50, seed=11).to_csv()
    assert one == simulate(project, applications=50, seed=11).to_csv()
    assert one != simulate(project, applications=50, seed=12).to_csv()


def test_a_single_application_can_be_simulated(project: Project) -> None:
    assert simulate(project, applications=1, seed=0).matrix.shape[0] == 1


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
    assert np.nanmax(age) < 82
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
def test_lenders_approve_and_can_be_predicted_within_the_stated_bounds(simulation: Simulation, bank: str) -> None:
    decisions, truth = simulation.decisions[bank], simulation.truth[bank]
    answered = decisions >= 0
    assert 0.005 < np.mean(~answered) < 0.025
    assert 0.3 < np.mean(decisions[answered]) < 0.8
    assert abs(np.mean(decisions[answered]) - np.mean(truth)) < 0.02
    assert 0.72 < metrics.auc(decisions[answered], truth[answered]) < 0.9


def test_lenders_differ(simulation: Simulation) -> None:
    correlations = np.corrcoef([simulation.truth[bank] for bank in BANKS])
    assert np.max(correlations - np.eye(len(BANKS))) < 0.7


def directions(bank: str) -> dict[str, int]:
    return dict(read_configuration(find_project(Path(__file__).parent)).directions[bank])


OF_BANK = {"bank_a": directions("bank_a"), "bank_e": directions("bank_e"), "bank_b": directions("bank_b")}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_configured_directions_are_those_of_the_policies(applications: Applications, data: st.DataObject) -> None:
    bank = data.draw(st.sampled_from(sorted(OF_BANK)))
    name = data.draw(st.sampled_from(sorted(OF_BANK[bank])))
    at = applications.names.index(name)
    low, high = sorted(data.draw(st.tuples(*[st.floats(0, 1e6, width=32)] * 2)))
    rows = applications.matrix[:200].copy()
    probabilities = []
    for value in (low, high):
        rows[:, at] = value
        view = replace(applications, matrix=rows.copy(), tightened=applications.tightened[:200])
        probabilities.append(LENDER_BY_BANK[bank].visible_probability(view))
    assert np.all((probabilities[1] - probabilities[0]) * OF_BANK[bank][name] >= -1e-12)


@pytest.mark.parametrize("bank", BANKS)
def test_the_visible_truth_is_the_mean_over_hidden_histories(applications: Applications, bank: str) -> None:
    lender = LENDER_BY_BANK[bank]
    few = replace(applications, matrix=applications.matrix[:40], tightened=applications.tightened[:40])
    rng = np.random.default_rng(1)
    drawn = np.mean([lender.full_probability(few, np.full(40, h)) for h in rng.standard_normal(20_000)], axis=0)
    assert lender.visible_probability(few) == pytest.approx(drawn, abs=0.01)


def test_refusals_hang_together_beyond_the_answers(simulation: Simulation) -> None:
    """What the answers do not explain correlates between lenders, by the credit history that all of them see."""
    left = [
        np.where(simulation.decisions[bank] >= 0, simulation.decisions[bank] - simulation.truth[bank], 0)
        for bank in BANKS
    ]
    correlations = np.corrcoef(left)[np.triu_indices(len(BANKS), 1)]
    assert correlations.min() > 0.01
    assert correlations.mean() > 0.05


def test_policies_tighten_on_their_day(simulation: Simulation) -> None:
    later = simulation.applied_day >= CHANGE_DAY
    for bank in BANKS:
        truth = simulation.truth[bank]
        gap = truth[~later].mean() - truth[later].mean()
        assert gap > 0.05 if bank in ("bank_a", "bank_e") else abs(gap) < 0.02, bank


def test_some_applicants_apply_again(simulation: Simulation) -> None:
    people = list(
        zip(simulation.answers["BirthDate"], simulation.answers["Gender"], simulation.answers["Position"], strict=True)
    )
    assert len(set(people)) < len(people)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999_999))
def test_policies_give_a_probability_for_any_row(applications: Applications, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (50, len(applications.names))
    values = rng.choice([np.nan, -1, 0, 1e-30, 5, 60, 1e5, 1e8, -1e8], size=shape).astype(np.float32)
    view = replace(applications, matrix=values, tightened=rng.random(50) < 0.5)
    for lender in LENDERS:
        for probability in (lender.visible_probability(view), lender.full_probability(view, rng.normal(size=50))):
            assert probability.shape == (50,)
            assert np.all((probability >= -1e-12) & (probability <= 1 + 1e-12))


def test_every_shop_of_the_mapping_has_a_region() -> None:
    codes = np.array([1, 3, 4, 7, 10, 80, 0, 81, np.nan])
    assert region_of_shop(codes).tolist() == [0, 0, 1, 2, 3, 3, -1, -1, -1]
    assert len(REGIONS) == 4
