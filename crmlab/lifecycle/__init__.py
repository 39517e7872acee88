"""The customer lifecycle: phases, transitions, and what to do in each (chapter 1, course rows A1, E1, E2, E13, E14).

`periods` adds orders up by customer and period, `rules` holds the thresholds and the table of rules, `classification`
applies them; `markov` counts the steps from phase to phase and looks ahead; `agreement` compares found phases with
true ones; `relationships` chooses how close to come, and holds the funnel, the loyalty ladder and the course's tables.
"""

from crmlab.lifecycle.agreement import Agreement, agreement
from crmlab.lifecycle.classification import Explanation, Lifecycle, phases, trace
from crmlab.lifecycle.markov import Absorption, Forecast, Transitions, absorption, transitions
from crmlab.lifecycle.periods import by_period
from crmlab.lifecycle.relationships import (
    funnel,
    guide,
    loyalty_ladder,
    relationship_level,
    relationship_levels,
    steps_by_purchase,
)
from crmlab.lifecycle.rules import PHASES, RULES, Thresholds, rule_table

__all__ = [
    "PHASES",
    "RULES",
    "Absorption",
    "Agreement",
    "Explanation",
    "Forecast",
    "Lifecycle",
    "Thresholds",
    "Transitions",
    "absorption",
    "agreement",
    "by_period",
    "funnel",
    "guide",
    "loyalty_ladder",
    "phases",
    "relationship_level",
    "relationship_levels",
    "rule_table",
    "steps_by_purchase",
    "trace",
    "transitions",
]
