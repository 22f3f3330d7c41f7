"""Judges decisions by the simulated lenders' own policies.

    python judge.py FOLDER RESULT

Reads what `clients.py` and the decisions left in FOLDER, writes RESULT (JSON) and prints its summary. "True" is a
lender's own probability: given the answers alone (`answers`: the best that a model can know), or given the client's
credit history, too (`history`: refused clients have a worse one than others, which makes offers look worse).
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from prescore_training.configuration import read_configuration
from prescore_training.dataset import feature_matrix
from prescore_training.policies import LENDERS, Applications
from prescore_training.project import find_project
from prescore_training.simulate import Simulation, simulate
from prescore_training.table import BANKS, to_csv

from clients import Banks, refused_by_all, refused_by_chance, refused_by_likeliest
from drivers import Derivation, shapley_of_fields
from strategies import Costs, Refusals

Floats = npt.NDArray[np.float64]
Decisions = Sequence[dict[str, Any]]
Summary = dict[str, Any]

REFERENCE: Final = 200
"""Clients whose answers stand for the usual ones when the drivers of a decision are asked for."""
Z_95: Final = 1.959964
SAME: Final = 1e-9
"""Probabilities that differ by less are the same, computed in two ways."""


@dataclass(frozen=True)
class Loan:
    """A loan that a client could ask a bank for."""

    row: int
    """Of the world."""
    bank: str
    amount: float
    term: float
    changed: bool
    said: float
    """The model's probability."""


class Judge:
    """The truth about a world's clients."""

    def __init__(self, world: Simulation) -> None:
        """Prepare to answer for `world`."""
        self.world = world
        self.project = find_project()
        self.configuration = read_configuration(self.project)

    def asked_of(self, rows: npt.NDArray[np.int64], matrix: npt.NDArray[np.float32] | None = None) -> Applications:
        """Return applications of the rows as they stand, or with other features."""
        whole = self.world.applications
        return replace(whole, matrix=whole.matrix[rows] if matrix is None else matrix, tightened=whole.tightened[rows])

    def of_loans(self, loans: Sequence[Loan]) -> tuple[Floats, Floats]:
        """Return the true probability of each loan given the answers, and given the history, too."""
        rows = np.array([loan.row for loan in loans])
        cells = {column: [values[row] for row in rows.tolist()] for column, values in self.world.answers.items()}
        cells["Loan_amount"] = [f"{loan.amount:.10g}" for loan in loans]
        cells["Loan_term"] = [f"{loan.term:.10g}" for loan in loans]
        matrix = feature_matrix(self.project, self.configuration, to_csv(cells), dated=True)
        asked = self.asked_of(rows, matrix)
        answers, history = np.empty(rows.size), np.empty(rows.size)
        for lender in LENDERS:
            own = np.array([loan.bank == lender.bank for loan in loans])
            part = replace(asked, matrix=matrix[own], tightened=asked.tightened[own])
            answers[own] = lender.visible_probability(part)
            history[own] = lender.full_probability(part, self.world.history[rows[own]])
        return answers, history


def judge_offers(judge: Judge, rows: npt.NDArray[np.int64], decisions: Decisions) -> Summary:
    """Judge every offer that changes the loan, against the same bank and the loan as it was asked for."""
    loans = [
        loan_of(row, one["bank"], offer)
        for row, decision in zip(rows.tolist(), decisions, strict=True)
        for one in decision["banks"]
        for offer in one["offers"]
        if offer["changed"]
    ]
    answers, history = judge.of_loans(loans)
    before = before_of(judge, loans)
    by_bank = {}
    for bank in ("all", *BANKS):
        own = np.array([bank in ("all", loan.bank) for loan in loans])
        by_bank[bank] = compared(before[0][own], answers[own], before[1][own], history[own]) | {
            "said": mean(np.array([loan.said for loan in loans])[own])
        }
    return by_bank


def before_of(judge: Judge, loans: Sequence[Loan]) -> tuple[Floats, Floats]:
    """Return the true probabilities of the loans' banks for the applications as they stand."""
    rows = np.array([loan.row for loan in loans])
    asked = judge.asked_of(rows)
    answers, history = np.empty(rows.size), np.empty(rows.size)
    for lender in LENDERS:
        own = np.array([loan.bank == lender.bank for loan in loans])
        part = replace(asked, matrix=asked.matrix[own], tightened=asked.tightened[own])
        answers[own] = lender.visible_probability(part)
        history[own] = lender.full_probability(part, judge.world.history[rows[own]])
    return answers, history


def judge_following(judge: Judge, rows: npt.NDArray[np.int64], decisions: Decisions, refusing: Banks) -> Summary:
    """Judge the first offers of the refused against what they were refused."""
    refused = [
        (row, decision, BANKS[refusing[row]])
        for row, decision in zip(rows.tolist(), decisions, strict=True)
        if refusing[row] >= 0
    ]
    none = Counter(
        str(one["none"]) for _, decision, _ in refused if not decision["ranking"] for one in decision["banks"]
    )
    return {
        "clients": len(refused),
        "whyNone": dict(none.most_common()),
        "firstOffer": judge_firsts(judge, refused, better=False),
        "firstBetterOffer": judge_firsts(judge, refused, better=True),
    }


def judge_firsts(judge: Judge, refused: Sequence[tuple[int, dict[str, Any], str]], *, better: bool) -> Summary:
    """Judge the first offer of each, or the first whose estimate is better than that of what was refused."""
    firsts = [(first_offer(*client, better=better), client[2]) for client in refused]
    followed = [first for first, _ in firsts if first is not None]
    before = [replace(first, bank=bank) for first, bank in firsts if first is not None]
    answers, history = judge.of_loans(followed)
    before_answers, before_history = before_of(judge, before)
    same_bank = np.array([loan.bank == old.bank for loan, old in zip(followed, before, strict=True)])
    changed = np.array([loan.changed for loan in followed])
    parts = {
        "all": np.ones_like(changed),
        "sameBankOtherLoan": same_bank,
        "otherBankSameLoan": ~same_bank & ~changed,
        "otherBankOtherLoan": ~same_bank & changed,
    }
    return {
        name: compared(before_answers[part], answers[part], before_history[part], history[part])
        for name, part in parts.items()
    } | {"said": mean(np.array([loan.said for loan in followed]))}


def first_offer(row: int, decision: Mapping[str, Any], refusing: str, *, better: bool) -> Loan | None:
    """Return the first offer of the ranking; what has just been refused is none."""
    banks = {one["bank"]: one for one in decision["banks"]}
    least = banks[refusing]["probability"] if better else 0.0
    for bank in decision["ranking"]:
        for offer in banks[bank]["offers"]:
            if (bank != refusing or offer["changed"]) and offer["probability"] > least:
                return loan_of(row, bank, offer)
    return None


def loan_of(row: int, bank: str, offer: Mapping[str, Any]) -> Loan:
    """Return an offer as the loan that it is."""
    return Loan(row, bank, offer["amount"], offer["term"], bool(offer["changed"]), offer["probability"])


def judge_plans(refusals: Refusals, decisions: Decisions, costs: Costs, plans: Sequence[Any]) -> Summary:
    """Judge plans, and what they are compared with, by their true expected value."""
    values: dict[str, Floats] = {}
    for name in ("plan", "bestSingle", "independent", "allAtOnce"):
        chosen = [(plan if name == "plan" else plan["comparisons"][name])["banks"] for plan in plans]
        value = refusals.value_at_once if name == "allAtOnce" else refusals.value_in_turn
        values[name] = np.array([float(value(client, banks, costs)) for client, banks in enumerate(chosen)])
    values["bestByTheTruth"] = refusals.best_values(costs)
    said = np.array([plan["expectedValue"] for plan in plans])
    hopeful = np.array([product_value(plan, decision, costs) for plan, decision in zip(plans, decisions, strict=True)])
    found: Summary = {
        "clients": len(plans),
        "banksAsked": dict(sorted(Counter(len(plan["banks"]) for plan in plans).items())),
        "trueValue": {name: mean(value) for name, value in values.items()},
        "saidValue": {"plan": mean(said), "ifIndependent": mean(hopeful)},
    }
    for other in ("bestSingle", "independent", "allAtOnce"):
        gain = values["plan"] - values[other]
        differ = np.abs(gain) > SAME
        found[f"over_{other}"] = {
            "mean": mean(gain),
            "error95": rounded(Z_95 * gain.std() / np.sqrt(gain.size)),
            "differ": int(differ.sum()),
            "betterWhereTheyDiffer": mean(gain[differ] > 0),
            "meanWhereTheyDiffer": mean(gain[differ]),
        }
    return found


def product_value(plan: Mapping[str, Any], decision: Mapping[str, Any], costs: Costs) -> float:
    """Return what the plan would be worth if refusals were independent."""
    chances = {one["bank"]: one["probability"] for one in decision["banks"]}
    refusal, value = 1.0, 0.0
    for bank in plan["banks"]:
        value += refusal * (costs.approval * chances[bank] - costs.inquiry)
        refusal *= 1 - chances[bank]
    return value


def judge_reasons(judge: Judge, rows: npt.NDArray[np.int64], decisions: Decisions, refusing: Banks) -> Summary:
    """Judge how often the field that truly drives a lender's points is among the first two reasons."""
    derivation = Derivation(judge.project, judge.configuration, judge.world.matrix[:2_000])
    others = np.setdiff1d(np.flatnonzero(judge.world.applications.tightened), rows)[:REFERENCE]
    clients, reference = judge.asked_of(rows), judge.asked_of(others)
    found: Summary = {}
    hits, at_refusing = [], []
    for at, lender in enumerate(LENDERS):
        values = shapley_of_fields(lender, clients, reference, derivation, judge.configuration)
        fields = list(values)
        sizes = np.abs(np.column_stack([values[field] for field in fields]))
        drivers = [fields[place] for place in sizes.argmax(axis=1).tolist()]
        reasons = [decision["banks"][at]["reasons"] for decision in decisions]
        among = np.array([driver in told[:2] for driver, told in zip(drivers, reasons, strict=True)])
        first = np.array([told[:1] == [driver] for driver, told in zip(drivers, reasons, strict=True)])
        known = np.array(["insufficient" not in decision["banks"][at] for decision in decisions])
        of_refusing = refusing == at
        ranked = np.sort(sizes, axis=1)
        clear = ranked[:, -1] > 1.25 * ranked[:, -2]
        missed = Counter(
            f"{driver} -> {', '.join(told[:2])}"
            for driver, told, hit in zip(drivers, reasons, among.tolist(), strict=True)
            if not hit
        )
        found[lender.bank] = {
            "amongFirstTwo": mean(among),
            "first": mean(first),
            "amongFirstTwoWhereClear": mean(among[clear]),
            "byDriver": {
                field: {"clients": int(own.sum()), "amongFirstTwo": mean(among[own])}
                for field in fields
                for own in [np.array([driver == field for driver in drivers])]
                if own.any()
            },
            "mostMissed": dict(missed.most_common(8)),
            "insufficientData": int((~known).sum()),
        }
        hits.append(among)
        at_refusing.append(among[of_refusing])
    found["all"] = {"amongFirstTwo": mean(np.concatenate(hits)), "clients": rows.size}
    found["atTheRefusingBank"] = {"amongFirstTwo": mean(np.concatenate(at_refusing))}
    return found


def compared(before: Floats, after: Floats, before_history: Floats, after_history: Floats) -> Summary:
    """Return how much a change is truly worth."""
    return {
        "count": before.size,
        "raised": {"answers": mean(after - before > SAME), "history": mean(after_history - before_history > SAME)},
        "before": {"answers": mean(before), "history": mean(before_history)},
        "after": {"answers": mean(after), "history": mean(after_history)},
        "rise": {"answers": mean(after - before), "history": mean(after_history - before_history)},
    }


def mean(values: npt.NDArray[Any]) -> float | None:
    """Return the mean, of nothing none."""
    return rounded(float(values.mean())) if values.size else None


def rounded(value: float) -> float:
    """Return the value as it is published."""
    return round(float(value), 4)


def main() -> None:
    """Judge and write."""
    folder, result = Path(sys.argv[1]), Path(sys.argv[2])
    described = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    world = simulate(find_project(), applications=described["applications"], seed=described["seed"])
    rows = np.array(described["rows"])
    decisions = [json.loads(line) for line in (folder / "decisions.ndjson").read_text(encoding="utf-8").splitlines()]
    judge = Judge(world)
    policy = json.loads((judge.project.configs / "policy.json").read_text(encoding="utf-8"))["planner"]
    following = {}
    for name, banks in {
        "byABankAtRandom": refused_by_chance(world),
        "byTheLikeliest": refused_by_likeliest(world),
        "byAll": refused_by_all(world),
    }.items():
        following[name] = judge_following(judge, rows, decisions, banks)
    chosen = np.flatnonzero(refused_by_chance(world)[rows] >= 0)
    own_rows, own = rows[chosen], [decisions[at] for at in chosen.tolist()]
    refusals = Refusals(judge.asked_of(rows))
    report = {
        "seed": described["seed"],
        "clients": rows.size,
        "refused": following,
        "offersByBank": judge_offers(judge, own_rows, own),
        "plansByInquiryCost": {
            cost: judge_plans(
                refusals,
                decisions,
                Costs(policy["mostBanks"], float(cost), policy["approvalValue"]),
                [decision["plans"][cost] for decision in decisions],
            )
            for cost in decisions[0]["plans"]
        },
        "reasons": judge_reasons(judge, own_rows, own, refused_by_chance(world)[own_rows]),
    }
    result.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
