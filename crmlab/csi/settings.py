"""Which engine estimates the index, with which options: checked once, then sent wherever estimates are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import sem
from ..errors import InputError
from ..sem.bootstrap import INTERVALS
from ..sem.moments import MISSING as PLS_MISSING
from ..sem.pls import path_model
from ..sem.pls_algorithm import SCHEMES, PathModel
from . import cbsem_engine, semopy_engine
from .engines import Engine
from .pls_engine import PLSEngine

if TYPE_CHECKING:
    import pandas as pd

ENGINES = ("pls", "cbsem", "semopy")


def check_numbers(bootstrap: int | None, seed: int, level: float = 0.95) -> None:
    """Raise `InputError` for resamples, a seed or a level that no engine can use, before anything is estimated.

    `bootstrap` is None for the engine's usual number.
    """
    if bootstrap is not None and bootstrap < 2:
        raise InputError(
            f"a bootstrap needs at least 2 resamples, found {bootstrap}; 1000 or more give a steady interval."
        )
    if seed < 0:
        raise InputError(f"seed must be 0 or more, found {seed}.")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, found {level}.")


@dataclass(frozen=True)
class Settings:
    """Engine and options of an estimate, as in `crmlab.csi.estimate`.

    Raises
    ------
    InputError
        An engine or option is unknown, or an option belongs to another engine.
    """

    engine: str = "pls"
    scheme: str = "path"
    consistent: bool = False
    estimator: str | None = None
    missing: str | None = None

    def __post_init__(self) -> None:
        known_missing = PLS_MISSING if self.engine == "pls" else cbsem_engine.MISSING
        for option, value, allowed in (
            ("engine", self.engine, ENGINES),
            ("scheme", self.scheme, SCHEMES),
            ("estimator", self.estimator, (None, *cbsem_engine.ESTIMATORS)),
            ("missing", self.missing, (None, *known_missing)),
        ):
            if value not in allowed:
                choices = ", ".join(filter(None, allowed))
                raise InputError(f"{option} {value!r} is unknown; choose one of {choices}.")
        if self.engine == "pls" and self.estimator is not None:
            raise InputError(f"estimator {self.estimator!r} belongs to CB-SEM; leave it out, or use engine='cbsem'.")
        if self.engine != "pls" and (self.consistent or self.scheme != "path"):
            given = "consistent" if self.consistent else "scheme"
            raise InputError(f"{given} belongs to PLS; leave it out, or use engine='pls'.")

    def check_interval(self, interval: str) -> None:
        """Raise `InputError` for an interval that the engine does not offer."""
        if interval not in INTERVALS:
            raise InputError(f"interval {interval!r} is unknown; choose one of {', '.join(INTERVALS)}.")
        if self.engine != "pls" and interval != "percentile":
            raise InputError(
                f"interval {interval!r} needs a jackknife and goes with engine 'pls' only; leave it out for "
                f"engine {self.engine!r}."
            )

    def shape(self, model: sem.Model) -> PathModel:
        """The path model behind a model text; raises `InputError` where there is none."""
        try:
            return path_model(model, self.consistent)
        except sem.SemError as error:
            raise InputError(str(error)) from error

    def fit(self, model: sem.Model, answers: pd.DataFrame) -> Engine:
        """Estimate the model from answers (n, items).

        Raises
        ------
        InputError
            An option does not go with the engine, or a construct is formative under CB-SEM.
        SemError
            The answers cannot be estimated from.
        """
        if self.engine == "pls":
            usual = self.missing or "mean"
            fit = sem.pls(model, answers, scheme=self.scheme, consistent=self.consistent, missing=usual)
            return PLSEngine(fit)
        estimate = {"cbsem": cbsem_engine.estimate, "semopy": semopy_engine.estimate}[self.engine]
        return estimate(model, self.shape(model), answers, estimator=self.estimator or "ML", missing=self.missing)
