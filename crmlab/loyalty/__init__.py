"""Loyalty 顾客忠诚: who is loyal, in which sense, why, and what complaints do to it (chapter 10; rows E8–E11, A3).

`jones_sasser`, `dick_basu` and `attachment` put customers into quadrants with chosen thresholds; `gremler_brown` sets
behaviour, intention and affect side by side; `composite_index` adds parts with chosen weights. `link_function` fits how
loyalty follows satisfaction, `moderation` whether switching costs change that. `nps` says what the net promoter score
throws away. `code_complaints` finds causes, `handling` counts steps and days, `recovery` tests the recovery paradox.
Perceived value and gaps (row E17) are in `crmlab.likert`.
"""

from crmlab.loyalty.complaints import ComplaintCodes, Handling, code_complaints, handling, read_words
from crmlab.loyalty.composite import CompositeIndex, composite_index
from crmlab.loyalty.links import Link, link_function
from crmlab.loyalty.measures import LoyaltyMeasures, gremler_brown
from crmlab.loyalty.moderation import Moderation, moderation
from crmlab.loyalty.promoters import Promoters, nps
from crmlab.loyalty.recovery import Recovery, recovery
from crmlab.loyalty.typology import Typology, attachment, dick_basu, jones_sasser

__all__ = [
    "ComplaintCodes",
    "CompositeIndex",
    "Handling",
    "Link",
    "LoyaltyMeasures",
    "Moderation",
    "Promoters",
    "Recovery",
    "Typology",
    "attachment",
    "code_complaints",
    "composite_index",
    "dick_basu",
    "gremler_brown",
    "handling",
    "jones_sasser",
    "link_function",
    "moderation",
    "nps",
    "read_words",
    "recovery",
]
