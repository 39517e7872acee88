"""The customer satisfaction index 顾客满意度指数: a structural model of a survey, read from 0 to 100 (chapter 9).

`estimate` makes the index of one survey, by PLS, by CB-SEM or by semopy; `estimate_many` makes that of every company of
a table, each on its own. `differences` compares groups with an allowance for how many are compared, `change` two waves.
"""

from .checks import check, respondents_needed
from .companies import estimate_many
from .comparisons import differences
from .estimation import estimate
from .many import SatisfactionIndices, group_seed
from .result import SatisfactionIndex
from .settings import ENGINES, Settings
from .waves import Change, change

__all__ = [
    "ENGINES",
    "Change",
    "SatisfactionIndex",
    "SatisfactionIndices",
    "Settings",
    "change",
    "check",
    "differences",
    "estimate",
    "estimate_many",
    "group_seed",
    "respondents_needed",
]
