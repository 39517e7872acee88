"""Weights of indicators 指标权重: what counts how much in the index, and what difference it makes (chapter 8).

Subjective weights ask judges 主观赋权: `direct_rating`, `direct_comparison` 直接比较法, and pairs of items 对偶比较法
by `forced_choice`, `thurstone_case_v` and `ahp`. Objective ones ask the answers 客观赋权: `entropy`, `critic`,
`coefficient_of_variation`, `pca`. `from_model` asks the structural model, `combine` mixes. `compare` puts all of them
on one survey, `sensitivity` shakes one, and `roll_up` and `roll_down` carry weights through the four levels of a
questionnaire. `read_judgements` reads what judges wrote into a file; `write_judgement_sheet` and
`write_judgement_workbook` make what they write on.

A weight is a share: of all the points by which the index can move, the part that moves with the item. Weights are
non-negative and sum to one.
"""

from .choices import ForcedChoice, forced_choice, thurstone_case_v
from .compare import Comparison, combine, compare
from .direct import direct_comparison, direct_rating
from .judgements import Judgements, read_judgements
from .levels import roll_down, roll_up
from .model import from_model
from .objective import coefficient_of_variation, critic, entropy, pca
from .pairwise import RANDOM_INDEX, PairwiseWeights, ahp
from .shaking import Sensitivity, sensitivity
from .sheets import write_judgement_sheet, write_judgement_workbook
from .told import problems

__all__ = [
    "RANDOM_INDEX",
    "Comparison",
    "ForcedChoice",
    "Judgements",
    "PairwiseWeights",
    "Sensitivity",
    "ahp",
    "coefficient_of_variation",
    "combine",
    "compare",
    "critic",
    "direct_comparison",
    "direct_rating",
    "entropy",
    "forced_choice",
    "from_model",
    "pca",
    "problems",
    "read_judgements",
    "roll_down",
    "roll_up",
    "sensitivity",
    "thurstone_case_v",
    "write_judgement_sheet",
    "write_judgement_workbook",
]
