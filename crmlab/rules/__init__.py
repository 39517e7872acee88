"""Rules as a table: proved complete and disjoint, then applied to any number of customers and explained to each.

`DecisionTable` is the door: `conditions` says what a cell may ask and `reading` what a file may hold; `axes` cuts every
input into the cells that the rules tell apart, and `boxes` are combinations of cells, over which `proof` looks for gaps
and overlaps and `evaluation` decides. `tiers` makes such a table from shares or limits of a score. Segments (chapter 3)
and grades (chapter 5) are built on it.
"""

from .decisions import DecisionTable
from .proof import TableCheck
from .tiering import TIERS, tiers

__all__ = ["TIERS", "DecisionTable", "TableCheck", "tiers"]
