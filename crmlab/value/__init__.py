"""What customers are worth: concentration, profit, lifetime value, forecasts, clusters (chapter 4).

**Past.** `pareto_share`, `pareto`, `abc` and `contribution` say who and what brings the revenue; `customer_profit` and
`whale_curve` who is left when the cost to serve is taken off.
**Future by rule.** `retention_clv` and `migration_clv` are Dwyer's two models, `compare_models` puts both on the same
customers, `event_value` values foreseen events.
**Future by probability.** `bg_nbd`, `pareto_nbd`, `sbg` and `bg_bb` say how often customers will buy and whether they
are still there, `gamma_gamma` how much they spend; `expected_clv` and `value_parts` turn that into money, `back_test`
holds it against what customers did.
**Groups.** `clusters`, with a profile and a stability of each.
"""

from .buying import BgNbd, BuyingModel, ParetoNbd, bg_nbd, pareto_nbd
from .clusters import Clusters, adjusted_rand, clusters, silhouette
from .concentration import (
    Pareto,
    WhaleCurve,
    abc,
    abc_table,
    contribution,
    customer_profit,
    pareto,
    pareto_share,
    whale_curve,
)
from .dwyer import (
    break_even_retention,
    clv_sensitivity,
    migration_clv,
    migration_matrix,
    retention_cash_flow,
    retention_clv,
)
from .events import EventValue, event_value, read_ledger
from .forecast import BackTest, ValueParts, back_test, clv_intervals, expected_clv, value_parts
from .histories import purchase_summary
from .likelihood import Estimate
from .renewals import BgBb, ShiftedBetaGeometric, bg_bb, sbg
from .returning import CustomerValues, compare_models, purchase_periods, return_rates
from .spending import GammaGamma, gamma_gamma

__all__ = [
    "BackTest",
    "BgBb",
    "BgNbd",
    "BuyingModel",
    "Clusters",
    "CustomerValues",
    "Estimate",
    "EventValue",
    "GammaGamma",
    "Pareto",
    "ParetoNbd",
    "ShiftedBetaGeometric",
    "ValueParts",
    "WhaleCurve",
    "abc",
    "abc_table",
    "adjusted_rand",
    "back_test",
    "bg_bb",
    "bg_nbd",
    "break_even_retention",
    "clusters",
    "clv_intervals",
    "clv_sensitivity",
    "compare_models",
    "contribution",
    "customer_profit",
    "event_value",
    "expected_clv",
    "gamma_gamma",
    "migration_clv",
    "migration_matrix",
    "pareto",
    "pareto_nbd",
    "pareto_share",
    "purchase_periods",
    "purchase_summary",
    "read_ledger",
    "retention_cash_flow",
    "retention_clv",
    "return_rates",
    "sbg",
    "silhouette",
    "value_parts",
    "whale_curve",
]
