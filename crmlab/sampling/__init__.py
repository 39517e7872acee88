"""Sampling design: how many to ask, whom, what it costs, and what such a survey could find (chapter 6, 抽样设计).

`sizes` holds the calculators for a share, a mean, a finite population, clusters and a path model, and their inverses;
`allocation` divides a sample among strata; `fieldwork` goes from invitations to usable answers and their cost; `power`
tries a planned survey out on a population that is known.

References
----------
Cochran, W. G. (1977). Sampling techniques (3rd ed.). Wiley.
Kish, L. (1965). Survey sampling. Wiley.
Kock, N., & Hadaya, P. (2018). Minimum sample size estimation in PLS-SEM: the inverse square root and
gamma-exponential methods. Information Systems Journal 28(1), 227–261.
"""

from crmlab.sampling.allocation import Allocation, allocate
from crmlab.sampling.fieldwork import Fieldwork, fieldwork, nonresponse_bounds
from crmlab.sampling.power import PathPower, path_power
from crmlab.sampling.sizes import (
    cluster_design_effect,
    margin_of_mean,
    margin_of_proportion,
    pls_size,
    pls_smallest_path,
    precision,
    size_for_mean,
    size_for_proportion,
    ten_times_rule,
)

__all__ = [
    "Allocation",
    "Fieldwork",
    "PathPower",
    "allocate",
    "cluster_design_effect",
    "fieldwork",
    "margin_of_mean",
    "margin_of_proportion",
    "nonresponse_bounds",
    "path_power",
    "pls_size",
    "pls_smallest_path",
    "precision",
    "size_for_mean",
    "size_for_proportion",
    "ten_times_rule",
]
