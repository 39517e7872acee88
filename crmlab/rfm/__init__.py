"""Recency, frequency and monetary value: the table, its scores and segments, and whether they predict (chapter 3).

`measures` makes the table and updates it, `bands` says which values get which score and finds what a published rubric
leaves open, `scoring` scores by rubric, quantile or bands, `segments` groups customers by a table of rules,
`prediction` checks scores against later orders. Tables are pandas frames with `attrs["problems"]`; scores and segments
also take an Ibis table and stay on its engine then.

References
----------
Hughes, A. M. (1994). Strategic Database Marketing. Probus.
Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). RFM and CLV: Using iso-value curves for customer base analysis.
Journal of Marketing Research, 42(4), 415-430.
"""

from crmlab.rfm.analysis import RfmAnalysis, analyse
from crmlab.rfm.bands import Bands, BandsCheck, Scale, course_rubric
from crmlab.rfm.measures import expression, table, update
from crmlab.rfm.prediction import Holdout, compare, gain_curve, grid, holdout
from crmlab.rfm.scoring import bands_of, score, weigh
from crmlab.rfm.segments import TIERS, Segments, segment, tier

__all__ = [
    "TIERS",
    "Bands",
    "BandsCheck",
    "Holdout",
    "RfmAnalysis",
    "Scale",
    "Segments",
    "analyse",
    "bands_of",
    "compare",
    "course_rubric",
    "expression",
    "gain_curve",
    "grid",
    "holdout",
    "score",
    "segment",
    "table",
    "tier",
    "update",
    "weigh",
]
