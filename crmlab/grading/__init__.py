"""Grading customers by rules that are proved, and by scores that are weighed (chapter 5).

`DecisionTable`, of `crmlab.rules`, is the mechanism: rules as a table, proved complete and disjoint, then applied to
any number of customers and explained to each. `rubric` has those of the course; `order_measures` and `bonus_claims`
compute what the rules over orders ask for. `Scorecard` (and `scorecard`) adds weighted points; `Grid` with `Cut` sets
where high begins, `sensitivity` says who changes grade when a threshold moves, `tiers` cuts by share or score,
`deserved_investment` shares out a budget. `agreement` compares two graders, `backtest` a grade with later revenue;
`protected_inputs` and `disparity` ask whether the grade is fair.
"""

from crmlab.rules import TIERS, DecisionTable, TableCheck, tiers

from .agreement import Agreement, agreement
from .backtest import BackTest, backtest
from .fairness import PROTECTED, Disparity, disparity, protected_inputs
from .grids import Cut, FittedGrid, Grid, deserved_investment, sensitivity
from .orders import bonus_claims, order_measures
from .scorecards import SCORECARDS, Scorecard, Scores, scorecard
from .shipped import RUBRICS, rubric

__all__ = [
    "PROTECTED",
    "RUBRICS",
    "SCORECARDS",
    "TIERS",
    "Agreement",
    "BackTest",
    "Cut",
    "DecisionTable",
    "Disparity",
    "FittedGrid",
    "Grid",
    "Scorecard",
    "Scores",
    "TableCheck",
    "agreement",
    "backtest",
    "bonus_claims",
    "deserved_investment",
    "disparity",
    "order_measures",
    "protected_inputs",
    "rubric",
    "scorecard",
    "sensitivity",
    "tiers",
]
