"""Latent-variable engine: model text, covariance-based and PLS estimation, tests, reliability. Knows no customers."""

from .blocks import htmt, reliability
from .bootstrap import Bootstrap
from .comparison import Comparison, Invariance, compare, invariance
from .errors import ModelError, SemError
from .fit import Fit, fit
from .fit_bootstrap import FitBootstrap
from .pls import PLSFit, pls
from .polychoric import Polychoric, polychoric
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
    "SemError",
    "compare",
    "fit",
    "htmt",
    "invariance",
    "pls",
    "polychoric",
    "reliability",
]
