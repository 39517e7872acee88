"""What a path model says once estimated, as tidy tables and as objections in words, whoever estimated it (chapter 9).

An estimate is a set of arrays in the order of `pls_algorithm.statistic_keys`. `PLSFit` makes them from composites;
a covariance-based fit read as a path model makes the same ones from common factors.

References
----------
Fornell, C. & Larcker, D. F. (1981). Evaluating structural equation models with unobservable variables and measurement
error. Journal of Marketing Research 18, 39–50.
Hair, J. F., Risher, J. J., Sarstedt, M. & Ringle, C. M. (2019). When to use and how to report the results of PLS-SEM.
European Business Review 31, 2–24.
Henseler, J., Ringle, C. M. & Sarstedt, M. (2015). A new criterion for assessing discriminant validity in variance-based
structural equation modeling. Journal of the Academy of Marketing Science 43, 115–135.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .bootstrap import key_names
from .moments import Array
from .pls_algorithm import RELIABILITY, Keys, PathModel, is_admissible, statistic_keys

if TYPE_CHECKING:
    import pandas as pd

HTMT_LIMIT = 0.90  # Henseler et al. 2015
VIF_LIMIT = 5.0  # Hair et al. 2019


class PathTables:
    """Tables of an estimated path model; a class that estimates one states `shape` and `values`."""

    shape: PathModel

    @property
    def values(self) -> dict[str, Array]:
        """Every statistic as an array (1, ·) in the order of `keys`."""
        raise NotImplementedError

    @cached_property
    def keys(self) -> Keys:
        """What each entry of each statistic speaks of."""
        return statistic_keys(self.shape)

    def table(self, name: str, value: str = "estimate") -> pd.DataFrame:
        """One statistic as a tidy table: its keys and its value."""
        import pandas as pd

        keys = pd.DataFrame(self.keys[name], columns=list(key_names(name)))
        return keys.assign(**{value: self.values[name][0]})

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Outer weights: construct, item, weight."""
        return self.table("weights", "weight")

    @cached_property
    def loadings(self) -> pd.DataFrame:
        """Loadings: construct, item, loading."""
        return self.table("loadings", "loading")

    @cached_property
    def cross_loadings(self) -> pd.DataFrame:
        """Correlation of every item with every construct, items × constructs."""
        flat = self.table("cross_loadings", "loading").drop_duplicates(["item", "construct"])
        return flat.pivot(index="item", columns="construct", values="loading").loc[
            list(dict.fromkeys(flat["item"])), list(self.shape.constructs)
        ]

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Path coefficients: from, to, estimate."""
        return self.table("paths")

    @cached_property
    def r_squared(self) -> pd.Series:
        """Explained variance of each endogenous construct."""
        return self.table("r_squared", "r_squared").set_index("construct")["r_squared"]

    @cached_property
    def effects(self) -> pd.DataFrame:
        """Effects along every directed route: from, to, direct, indirect, total."""
        return self.table("direct", "direct").assign(indirect=self.values["indirect"][0], total=self.values["total"][0])

    @cached_property
    def vif(self) -> pd.DataFrame:
        """Variance inflation of each predictor in its equation: from, to, vif."""
        return self.table("vif", "vif")

    @cached_property
    def item_vif(self) -> pd.DataFrame:
        """Variance inflation of each item within its block: construct, item, vif."""
        return self.table("item_vif", "vif")

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """Correlations of the constructs (corrected for attenuation when consistent), constructs × constructs."""
        return self._square("correlations")

    @cached_property
    def htmt(self) -> pd.DataFrame:
        """Heterotrait–monotrait ratios, constructs × constructs; nan for formative constructs."""
        return self._square("htmt")

    @cached_property
    def fornell_larcker(self) -> pd.DataFrame:
        """Construct correlations with √AVE on the diagonal, which should be the largest of its row."""
        import pandas as pd

        square = self.correlations.to_numpy().copy()
        np.fill_diagonal(square, np.sqrt(self.values["ave"][0]))
        return pd.DataFrame(square, index=self.correlations.index, columns=self.correlations.columns)

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """Reliability by construct: n_items, alpha, alpha_std, omega, rho_a, rho_c, ave."""
        import pandas as pd

        columns = {name: self.values[name][0] for name in RELIABILITY}
        n_items = [len(self.shape.blocks[name]) for name in self.shape.constructs]
        return pd.DataFrame({"n_items": n_items, **columns}, index=pd.Index(self.shape.constructs, name="construct"))

    def _square(self, name: str) -> pd.DataFrame:
        import pandas as pd

        constructs = list(self.shape.constructs)
        square = np.eye(len(constructs))
        i, j = np.triu_indices(len(constructs), 1)
        square[i, j] = square[j, i] = self.values[name][0]
        return pd.DataFrame(square, index=pd.Index(constructs, name="construct"), columns=constructs)

    @property
    def measurement_problems(self) -> list[str]:
        """What speaks against the measurement of the constructs, in words."""
        return list(_measurement_problems(self))

    @property
    def structure_problems(self) -> list[str]:
        """What speaks against the constructs' relations, in words."""
        return list(_structure_problems(self))


def _measurement_problems(fit: PathTables) -> list[str]:
    problems = []
    for (construct, item), weight, loading in zip(
        fit.keys["weights"], fit.values["weights"][0], fit.values["loadings"][0], strict=True
    ):
        if weight < 0:
            problems.append(
                f"Item {item} has a negative weight ({weight:.3f}) in {construct}: a better answer lowers the score. "
                "Check its coding (reverse?) or its place in the block."
            )
        elif loading < 0.4 and fit.shape.modes[construct] == "A":
            problems.append(
                f"Item {item} hardly belongs to {construct} (loading {loading:.2f}, below 0.40): it shares little with "
                "the other items."
            )
    for construct in dict.fromkeys(
        construct
        for (construct, _), inflation in zip(fit.keys["item_vif"], fit.values["item_vif"][0], strict=True)
        if not np.isfinite(inflation)
    ):
        problems.append(f"The items of {construct} are collinear: one repeats another or is a sum of others.")
    counted: dict[str, list[str]] = {}
    for construct, item in fit.shape.indicators:
        counted.setdefault(item, []).append(construct)
    problems += [
        f"Item {item} stands in {' and in '.join(names)}, which are related for that reason alone; HTMT counts it too."
        for item, names in counted.items()
        if len(names) > 1
    ]
    for construct, alpha, rho_a in zip(
        fit.shape.constructs, fit.values["alpha_std"][0], fit.values["rho_a"][0], strict=True
    ):
        if alpha < 0.6:
            problems.append(f"{construct} is measured unreliably (standardised alpha {alpha:.2f}, below 0.60).")
        if fit.shape.consistent and not np.isnan(rho_a) and not 0 < rho_a <= 1:
            problems.append(
                f"{construct}: rho_A is {rho_a:.2f}, outside 0–1; the correction for attenuation is not usable."
            )
    return problems


def _structure_problems(fit: PathTables) -> list[str]:
    problems = []
    if fit.shape.consistent and not is_admissible(fit.shape, fit.values)[0]:
        problems.append(
            "The corrected correlations of the constructs are impossible together (not positive definite): the survey "
            "cannot tell the constructs apart after the correction. Use plain PLS or merge constructs."
        )
    for (one, other), ratio, correlation in zip(
        fit.keys["htmt"], fit.values["htmt"][0], fit.values["correlations"][0], strict=True
    ):
        if ratio > HTMT_LIMIT:
            problems.append(
                f"{one} and {other} are hard to tell apart (HTMT {ratio:.2f}, above {HTMT_LIMIT:.2f}): respondents "
                "answer them almost as one thing, so the split of effects between them is uncertain."
            )
        if abs(correlation) > 1:
            problems.append(
                f"{one} and {other}: the corrected correlation is {correlation:.2f}, which no two variables can have. "
                "Use plain PLS or merge the two."
            )
    for (source, target), inflation in zip(fit.keys["vif"], fit.values["vif"][0], strict=True):
        if not inflation <= VIF_LIMIT:
            problems.append(
                f"{source} → {target}: the predictors overlap (VIF {inflation:.1f}, above {VIF_LIMIT:.0f}); this path "
                "is poorly determined."
            )
    for (construct,), explained in zip(fit.keys["r_squared"], fit.values["r_squared"][0], strict=True):
        if explained > 1:
            problems.append(f"{construct}: R² is {explained:.2f}, above 1; the corrected model is not admissible.")
    return problems
