"""What Likert items 李克特量表 say, one by one and together, before any model is built (chapter 7).

`distributions` counts answers, `items` judges each item within its construct, `shares` gives top-2-box and NPS with
intervals, `keying` looks for items that point the wrong way, `ordinal` sets the ordinal logit beside the straight line,
`response_style` asks how much of the answers is habit, `kano` sorts features by what their absence and presence do, and
`gaps` compares what was expected with what was found. `battery` holds what all of them need to know of the items.
"""

from crmlab.likert.battery import Battery
from crmlab.likert.distributions import Distribution, distribution
from crmlab.likert.gaps import Gaps, PerceivedValue, gaps, importance_performance, perceived_value, quadrants
from crmlab.likert.items import ItemAnalysis, item_analysis
from crmlab.likert.kano import Kano, PenaltyReward, kano, penalty_reward
from crmlab.likert.keying import Keying, reverse, reverse_keyed
from crmlab.likert.ordinal import OrdinalLogit, against_linear, ordinal_logit
from crmlab.likert.response_style import MethodCheck, ScaleUse, method_check, scale_use
from crmlab.likert.shares import net_promoter_interval, nps, share_interval, top2box

__all__ = [
    "Battery",
    "Distribution",
    "Gaps",
    "ItemAnalysis",
    "Kano",
    "Keying",
    "MethodCheck",
    "OrdinalLogit",
    "PenaltyReward",
    "PerceivedValue",
    "ScaleUse",
    "against_linear",
    "distribution",
    "gaps",
    "importance_performance",
    "item_analysis",
    "kano",
    "method_check",
    "net_promoter_interval",
    "nps",
    "ordinal_logit",
    "penalty_reward",
    "perceived_value",
    "quadrants",
    "reverse",
    "reverse_keyed",
    "scale_use",
    "share_interval",
    "top2box",
]
