"""Latent-variable engine: model text, covariance-based and PLS estimation, tests, reliability. Knows no customers."""

from .blocks import htmt, htmt_intervals, reliability, reliability_intervals
from .bootstrap import Bootstrap
from .comparison import Comparison, Invariance, compare, invariance
from .covariance import fit
from .efa import FactorAnalysis, ParallelAnalysis, efa, parallel_analysis
from .errors import ModelError, SemError
from .fit import Fit
from .fit_bootstrap import FitBootstrap
from .pls import PLSFit, pls
from .polychoric import Polychoric, polychoric
from .simulation import Power, power, simulate
from .syntax import Model

__all__ = [
    "Bootstrap",
    "Comparison",
    "FactorAnalysis",
    "Fit",
    "FitBootstrap",
    "Invariance",
    "Model",
    "ModelError",
    "PLSFit",
    "ParallelAnalysis",
    "Polychoric",
    "Power",
    "SemError",
    "compare",
    "efa",
    "fit",
    "htmt",
    "htmt_intervals",
    "invariance",
    "parallel_analysis",
    "pls",
    "polychoric",
    "power",
    "reliability",
    "reliability_intervals",
    "simulate",
]
