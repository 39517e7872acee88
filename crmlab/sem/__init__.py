"""Latent-variable engine: model text, PLS path modelling, bootstrap, reliability. Knows nothing of customers."""

from .blocks import htmt, reliability
from .bootstrap import Bootstrap
from .errors import ModelError, SemError
from .fit import Fit, fit
from .pls import PLSFit, pls
from .syntax import Model

__all__ = ["Bootstrap", "Fit", "Model", "ModelError", "PLSFit", "SemError", "fit", "htmt", "pls", "reliability"]
