"""Latent-variable engine: model text, covariance-based and PLS estimation, tests, reliability. Knows no customers."""

from .blocks import htmt, reliability
from .bootstrap import Bootstrap
from .comparison import Comparison, Invariance, compare, invariance
from .covariance import fit
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
    "Fit",
    "FitBootstrap",
    "Invariance",
    "Model",
    "ModelError",
    "PLSFit",
    "Polychoric",
    "Power",
    "SemError",
    "compare",
    "fit",
    "htmt",
    "invariance",
    "pls",
    "polychoric",
    "power",
    "reliability",
    "simulate",
]
