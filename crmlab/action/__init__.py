"""From index to action: who is at risk, who is worth keeping, and what to do with a budget (chapter 11).

`link` joins orders and survey by pseudonymous id into one row a customer: phase, RFM, value, satisfaction, loyalty.
`learn` reads a randomised pilot: what the levels of retention change, and for whom. `at_risk` says of every customer
how likely she is lost within a year and what that would cost. `allocate` shares a budget out among levels and
customers, carries what is not known through by simulation, and leaves alone whom it expects to harm; `naive_plans`
are what it has to beat.
"""

from .allocation import Allocation, allocate
from .knapsack import Optimum, greedy, optimise
from .levels import retention_levels
from .linking import Linked, link
from .naive import naive_plans
from .pilot import Lessons, learn
from .risk import AtRisk, at_risk

__all__ = [
    "Allocation",
    "AtRisk",
    "Lessons",
    "Linked",
    "Optimum",
    "allocate",
    "at_risk",
    "greedy",
    "learn",
    "link",
    "naive_plans",
    "optimise",
    "retention_levels",
]
