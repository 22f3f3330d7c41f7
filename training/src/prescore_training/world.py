"""The simulated world as data to train on, with its truth and its description for the model card."""

import inspect
from typing import Final

from . import policies, table
from .dataset import Dataset, read_dataset
from .pipeline import Origin
from .policies import CHANGE_DAY, LENDERS
from .population import DAYS, FIRST_DAY, REPEATED_SHARE
from .project import Project
from .simulate import ERROR_SHARE, simulate

DEFAULT_APPLICATIONS: Final = 60_000
"""48,000 earlier ones to learn from, and 12,000 later to test on (a standard error of the AUC of about 0.004)."""


def simulated(project: Project, *, applications: int, seed: int) -> tuple[Dataset, Origin]:
    """Simulate applications and read them back as the table that anybody else's would be."""
    simulation = simulate(project, applications=applications, seed=seed)
    data = read_dataset(project, simulation.configuration, simulation.to_csv())
    return data, Origin("Approval models of simulated lenders", describe(seed), simulation.truth)


def describe(seed: int) -> str:
    """Return the world in Markdown."""
    lenders = "\n\n".join(
        f"### {lender.bank}: {lender.policy.__name__.replace('_', ' ')}\n\n{inspect.getdoc(lender.policy)}\n\n"
        f"Noise: {lender.noise} points. A credit history one standard deviation better: "
        f"{lender.history_weight} points."
        for lender in LENDERS
    )
    return f"""
**The lenders are simulated.** The banks bank_a to bank_e are five policies written down below, applied to applicants
who do not exist. The models show that the service works and how well the method recovers a known truth; they say
nothing about any real bank. No row of a real application was used.

Seed {seed}. Applications are spread over {DAYS} days from {FIRST_DAY} on; {REPEATED_SHARE:.0%} are by applicants
who have another one; on day {CHANGE_DAY} two lenders tighten their policies. Education, employment, position, income
and expenses, age, family and loan hang together as in a plausible population of people who buy on credit in shops.
{table.SHORT_SHARE:.0%} of the questionnaires are short (half the answers left out), of the others
{table.SINGLE_MISSING_SHARE:.1%} of the answers are missing; {table.UNKNOWN_SHARE:.1%} of the categories are unknown;
job titles are cut off and mistyped. {ERROR_SHARE:.1%} of the requests a lender does not answer. Answers are missing
at random, nobody bends the truth, and there are no seasons.

{policies.__doc__ and inspect.cleandoc(policies.__doc__)}

{lenders}
"""
