"""Exploratory factor analysis 探索性因子分析 by maximum likelihood, and how many factors to keep (chapter 7).

The correlations are R = ΛΦΛ' + Ψ. For given uniquenesses Ψ the best loadings follow from the leading eigenvectors of
Ψ^(−½)RΨ^(−½), so the likelihood is searched over Ψ alone with its gradient (Jöreskog 1967). `rotation` turns the result
into one that can be read. Agrees with `fa(fm="ml")` of psych 2.2.9 and R's `factanal`.

References
----------
Bartlett, M. S. (1950). Tests of significance in factor analysis. British Journal of Psychology (Statistical Section) 3,
77–85.
Horn, J. L. (1965). A rationale and test for the number of factors in factor analysis. Psychometrika 30, 179–185.
Jöreskog, K. G. (1967). Some contributions to maximum likelihood factor analysis. Psychometrika 32, 443–482.
Kaiser, H. F. & Rice, J. (1974). Little Jiffy, Mark IV. Educational and Psychological Measurement 34, 111–117.
Lawley, D. N. & Maxwell, A. E. (1971). Factor analysis as a statistical method, 2nd ed. Butterworths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import SemError
from .measures import rmsea, rmsea_interval
from .moments import Array
from .polychoric import polychoric
from .rotation import Rotated, oblimin, promax, tidied, unrotated, varimax
from .samples import read_samples

if TYPE_CHECKING:
    import pandas as pd

ROTATIONS: dict[str, Callable[[Array], Rotated]] = {
    "oblimin": oblimin,
    "promax": promax,
    "varimax": varimax,
    "none": unrotated,
}
CORRELATIONS = ("pearson", "polychoric")
HEYWOOD = 0.005  # lowest uniqueness the search allows, as in psych and factanal
CLEAR_LOADING = 0.40
LOW_KMO = 0.60  # Kaiser & Rice (1974): below it "mediocre" ends and "miserable" begins
_BATCH_BYTES = 64_000_000


@dataclass(frozen=True)
class FactorAnalysis:
    """An exploratory factor analysis, as tidy tables.

    Attributes
    ----------
    n : int
        Respondents used.
    rotation, correlation : str
        How the factors were turned; which correlations were analysed.
    loadings : DataFrame (items × factors)
        The pattern, factors in order of explained variance; items in the order of the data (`sorted` for reading).
    correlations : DataFrame (factors × factors)
    items : DataFrame, index item: communality, uniqueness, msa, complexity
        msa: Kaiser's measure of sampling adequacy, 0–1; complexity: Hofmann's (Σλ²)²/Σλ⁴, 1 for an item on one factor.
    variance : DataFrame, index factor: ss_loadings, proportion, cumulative
    fit_measures : Series
        chisq, df, pvalue (Bartlett's correction), rmsea with its 90 % interval, tli, bic, objective; kmo;
        bartlett_chisq, bartlett_df, bartlett_pvalue of the test that all correlations are zero.
    eigenvalues : Series, index component
        Of the correlation matrix.
    converged : bool
    problems : list of str
    """

    n: int
    rotation: str
    correlation: str
    loadings: pd.DataFrame
    correlations: pd.DataFrame
    items: pd.DataFrame
    variance: pd.DataFrame
    fit_measures: pd.Series
    eigenvalues: pd.Series
    converged: bool
    problems: list[str]

    @property
    def sorted(self) -> pd.DataFrame:
        """Loadings with the items gathered under the factor they load on most, strongest first, and `communality`."""
        strongest = self.loadings.abs().to_numpy().argmax(axis=1)
        order = np.lexsort([-self.loadings.abs().max(axis=1).to_numpy(), strongest])
        return self.loadings.iloc[order].assign(communality=self.items["communality"].iloc[order])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, ready for JSON."""
        return {
            "n": self.n,
            "rotation": self.rotation,
            "correlation": self.correlation,
            "converged": self.converged,
            "loadings": self.loadings.to_dict("index"),
            "correlations": self.correlations.to_dict("index"),
            "uniquenesses": self.items["uniqueness"].to_dict(),
            "fit_measures": {name: None if np.isnan(v) else float(v) for name, v in self.fit_measures.items()},
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return self.sorted.round(3).to_html()


def efa(
    data: pd.DataFrame,
    factors: int,
    *,
    rotation: str = "oblimin",
    correlation: str = "pearson",
) -> FactorAnalysis:
    """Exploratory factor analysis of every column of a table.

    Parameters
    ----------
    data : DataFrame (n, p)
        Answers, one row a respondent. Respondents with a missing answer are left out, and counted in the problems.
    factors : int, at least 1
        See `parallel_analysis` for how many.
    rotation : {"oblimin", "promax", "varimax", "none"}
        oblimin (quartimin) and promax let factors correlate, varimax keeps them apart.
    correlation : {"pearson", "polychoric"}
        polychoric sees each answer as a normal variable cut into categories. χ² and what follows from it are then only
        a rough guide, and the problems say so.

    Returns
    -------
    FactorAnalysis

    Raises
    ------
    SemError
        Unknown option, more factors than the items can tell apart, an item that is constant, text or a repetition of
        others, too few respondents.

    Notes
    -----
    χ² = (n − 1 − (2p + 5)/6 − 2k/3) · F with F = ln|Σ̂| − ln|R| + tr(RΣ̂⁻¹) − p and ((p − k)² − p − k)/2 degrees of
    freedom (Bartlett 1950; Lawley & Maxwell 1971, section 4.4).

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(400, 2)) @ np.array([[1, 0.5], [0, 0.866]])
    >>> answers = pd.DataFrame(trait[:, [0, 0, 0, 1, 1, 1]] + 0.8 * rng.normal(size=(400, 6)), columns=list("abcdef"))
    >>> result = efa(answers, 2)
    >>> result.sorted.iloc[[0, 3]].index.tolist(), round(float(result.correlations.loc["F1", "F2"]), 1)
    (['c', 'e'], 0.4)
    """
    _check_options(rotation, correlation)
    r, n, names, notes = _correlations(data, correlation)
    p = len(names)
    df = ((p - factors) ** 2 - p - factors) // 2
    if factors < 1 or df < 0:
        most = max(k for k in range(p) if (p - k) ** 2 - p - k >= 0)
        raise SemError(
            f"factors: found {factors} for {p} items, which can tell at most {most} apart. Ask for 1 to {most}"
        )
    uniqueness, converged = _uniquenesses(r, factors)
    rotated = ROTATIONS[rotation](_loadings(r, uniqueness, factors))
    rotated = tidied(rotated)
    return _result(r, n, names, rotated, uniqueness, rotation, correlation, converged, notes)


@dataclass(frozen=True)
class ParallelAnalysis:
    """Eigenvalues of the answers beside those of answers without any relation.

    Attributes
    ----------
    table : DataFrame, index component
        eigenvalue; normal_mean, normal_limit (samples of independent normal variables; absent for polychoric
        correlations); resampled_mean, resampled_limit (each item's own answers, shuffled).
    factors : int
        Leading eigenvalues above the limit of the shuffled answers.
    percentile : float
        Of the limits.
    n : int
        Respondents.
    problems : list of str
    """

    table: pd.DataFrame
    factors: int
    percentile: float
    n: int
    problems: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "factors": self.factors,
            "percentile": self.percentile,
            "n": self.n,
            "eigenvalues": {name: column.tolist() for name, column in self.table.items()},
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return self.table.round(3).to_html()


def parallel_analysis(
    data: pd.DataFrame, *, correlation: str = "pearson", samples: int = 500, percentile: float = 95, seed: int = 0
) -> ParallelAnalysis:
    """How many factors: as many as there are eigenvalues larger than chance makes them (Horn 1965).

    Parameters
    ----------
    data : DataFrame (n, p)
    correlation : {"pearson", "polychoric"}
        With polychoric correlations each sample costs as much as the answers themselves: 100 samples will do.
    samples : int, at least 20
        Of each kind.
    percentile : float, 50 to 99
        Limit that an eigenvalue must exceed.
    seed : int

    Returns
    -------
    ParallelAnalysis

    Raises
    ------
    SemError
        As `efa`, and for options out of range.

    Notes
    -----
    The correlation matrix of n independent normal rows is drawn at once, as a Wishart matrix with n − 1 degrees of
    freedom, by Bartlett's triangle.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(400, 2))
    >>> answers = pd.DataFrame(trait[:, [0, 0, 0, 1, 1, 1]] + 0.8 * rng.normal(size=(400, 6)), columns=list("abcdef"))
    >>> parallel_analysis(answers, samples=100).factors
    2
    """
    import pandas as pd

    _check_options("none", correlation)
    if samples < 20 or not 50 <= percentile <= 99:
        raise SemError(
            f"samples is at least 20 and percentile 50 to 99; found {samples} and {percentile:g}. 500 samples and the "
            "95th percentile are usual"
        )
    r, n, names, notes = _correlations(data, correlation)
    values = data[list(names)].dropna().to_numpy(dtype=float)
    rng = np.random.default_rng(seed)
    drawn = {} if correlation == "polychoric" else {"normal": _wishart_eigenvalues(n, len(names), samples, rng)}
    drawn["resampled"] = _shuffled_eigenvalues(values, names, correlation, samples, rng)
    columns = {"eigenvalue": _eigenvalues(r)}
    for kind, eigenvalues in drawn.items():
        columns[f"{kind}_mean"] = eigenvalues.mean(axis=0)
        columns[f"{kind}_limit"] = np.percentile(eigenvalues, percentile, axis=0)
    table = pd.DataFrame(columns, index=pd.RangeIndex(1, len(names) + 1, name="component"))
    counts = {kind: _leading_above(table["eigenvalue"], table[f"{kind}_limit"]) for kind in drawn}
    if len(set(counts.values())) > 1:
        notes = [
            *notes,
            f"Normal samples suggest {counts['normal']} factors and shuffled answers {counts['resampled']}: an "
            "eigenvalue lies at the limit. Look at both solutions.",
        ]
    return ParallelAnalysis(table, counts["resampled"], percentile, n, notes)


# -------------------------------------------------------------------------------------------------- the likelihood


def _uniquenesses(r: Array, factors: int) -> tuple[Array, bool]:
    """Ψ of greatest likelihood, (p,), each between `HEYWOOD` and 1, and whether the search came to rest."""
    from scipy.optimize import minimize

    p = len(r)
    start = np.clip((1 - factors / (2 * p)) / np.diagonal(np.linalg.inv(r)), HEYWOOD, 1.0)
    options = {"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9}
    bounds = [(HEYWOOD, 1.0)] * p
    found = minimize(
        _discrepancy, start, args=(r, factors), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    slope = found.x - np.clip(found.x - _discrepancy(found.x, r, factors)[1], HEYWOOD, 1.0)
    return found.x, bool(np.abs(slope).max() < 1e-5)


def _discrepancy(uniqueness: Array, r: Array, factors: int) -> tuple[float, Array]:
    """F = Σ_{j>k}(θⱼ − ln θⱼ − 1) over the small eigenvalues θ of Ψ^(−½)RΨ^(−½), and diag(Σ − R)/ψ², its gradient."""
    scale = 1 / np.sqrt(uniqueness)
    small = np.linalg.eigvalsh(r * np.outer(scale, scale))[: len(r) - factors]
    loadings = _loadings(r, uniqueness, factors)
    gradient = (np.sum(loadings**2, axis=1) + uniqueness - 1) / uniqueness**2
    return float(np.sum(small - np.log(small) - 1)), gradient


def _loadings(r: Array, uniqueness: Array, factors: int) -> Array:
    """Λ = Ψ^½ Ω (Θ − I)^½ of the leading eigenvectors Ω and eigenvalues Θ of Ψ^(−½)RΨ^(−½), (p, k)."""
    scale = np.sqrt(uniqueness)
    values, vectors = np.linalg.eigh(r / np.outer(scale, scale))
    leading = np.sqrt(np.maximum(values[::-1][:factors] - 1, 0))
    return scale[:, None] * vectors[:, ::-1][:, :factors] * leading


# -------------------------------------------------------------------------------------------------- the tables


def _result(
    r: Array,
    n: int,
    names: tuple[str, ...],
    rotated: Rotated,
    uniqueness: Array,
    rotation: str,
    correlation: str,
    converged: bool,
    notes: list[str],
) -> FactorAnalysis:
    import pandas as pd

    items, factors = pd.Index(names, name="item"), [f"F{j + 1}" for j in range(rotated.loadings.shape[1])]
    loadings, phi = rotated.loadings, rotated.correlations
    explained = np.diagonal(phi @ loadings.T @ loadings)
    overall, by_item = _kaiser(r)
    squared = loadings**2
    table = pd.DataFrame(
        {
            "communality": np.sum(loadings @ phi * loadings, axis=1),
            "uniqueness": uniqueness,
            "msa": by_item,
            "complexity": np.sum(squared, axis=1) ** 2 / np.sum(squared**2, axis=1),
        },
        index=items,
    )
    shares = {"ss_loadings": explained, "proportion": explained / len(r), "cumulative": np.cumsum(explained) / len(r)}
    result = FactorAnalysis(
        n=n,
        rotation=rotation,
        correlation=correlation,
        loadings=pd.DataFrame(loadings, index=items, columns=factors),
        correlations=pd.DataFrame(phi, index=factors, columns=factors),
        items=table,
        variance=pd.DataFrame(shares, index=pd.Index(factors, name="factor")),
        fit_measures=_fit_measures(r, n, uniqueness, len(factors), overall),
        eigenvalues=pd.Series(_eigenvalues(r), pd.RangeIndex(1, len(r) + 1, name="component"), name="eigenvalue"),
        converged=converged and rotated.converged,
        problems=notes,
    )
    result.problems.extend(_problems(result, converged, rotated))
    return result


def _fit_measures(r: Array, n: int, uniqueness: Array, factors: int, kmo: float) -> pd.Series:
    import pandas as pd
    from scipy.stats import chi2

    p = len(r)
    objective = _discrepancy(uniqueness, r, factors)[0]
    df = ((p - factors) ** 2 - p - factors) // 2
    chisq = max(n - 1 - (2 * p + 5) / 6 - 2 * factors / 3, 0.0) * objective
    independence, pairs = -(n - 1 - (2 * p + 5) / 6) * np.linalg.slogdet(r)[1], p * (p - 1) // 2
    lower, upper = rmsea_interval([chisq], [df], n)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_df = np.float64(chisq) / df
        tli = (independence / pairs - per_df) / (independence / pairs - 1) if df else np.nan
    return pd.Series(
        {
            "chisq": chisq,
            "df": float(df),
            "pvalue": float(chi2.sf(chisq, df)) if df else np.nan,
            "rmsea": float(rmsea(chisq, df, n)),
            "rmsea_ci_lower": float(lower[0]),
            "rmsea_ci_upper": float(upper[0]),
            "tli": float(tli),
            "bic": chisq - df * np.log(n),
            "objective": objective,
            "kmo": kmo,
            "bartlett_chisq": independence,
            "bartlett_df": float(pairs),
            "bartlett_pvalue": float(chi2.sf(independence, pairs)),
        },
        name="value",
    )


def _kaiser(r: Array) -> tuple[float, Array]:
    """Kaiser–Meyer–Olkin Σr²/(Σr² + Σq²), q the partial (anti-image) correlations: overall and by item (p,)."""
    inverse = np.linalg.inv(r)
    sd = np.sqrt(np.diagonal(inverse))
    off = 1 - np.eye(len(r))
    simple, partial = (r**2 * off).sum(axis=0), ((inverse / np.outer(sd, sd)) ** 2 * off).sum(axis=0)
    return float(simple.sum() / (simple.sum() + partial.sum())), simple / (simple + partial)


def _problems(result: FactorAnalysis, converged: bool, rotated: Rotated) -> list[str]:
    """What a careful analyst would object to."""
    found, measures = [], result.fit_measures
    heywood = result.items.index[result.items["uniqueness"] <= HEYWOOD * 1.001].tolist()
    clear = result.loadings.abs() >= CLEAR_LOADING
    rules = (
        (not converged, "The likelihood did not come to rest: do not use the loadings. Ask for fewer factors."),
        (not rotated.converged, f"The {result.rotation} rotation did not come to rest; its loadings are approximate."),
        (
            bool(heywood),
            f"{', '.join(heywood)}: no unique variance is left (a Heywood case, held at {HEYWOOD}). The solution is "
            "improper: ask for fewer factors, or look for items that say the same thing.",
        ),
        (
            rotated.minima > 1,
            f"The rotation has {rotated.minima} minima; the lowest is shown. Other readings fit the data equally well.",
        ),
        (
            measures["kmo"] < LOW_KMO,
            f"Kaiser–Meyer–Olkin {measures['kmo']:.2f} lies under {LOW_KMO}: the items share little that factors "
            "could explain.",
        ),
        (
            result.correlation == "polychoric",
            "χ², RMSEA, TLI and BIC take the polychoric correlations for ordinary ones: read them as a rough guide.",
        ),
        (measures["df"] == 0, "There are no degrees of freedom left: any data would fit, and the fit is not tested."),
        (
            result.n < 5 * len(result.items),
            f"{result.n} respondents for {len(result.items)} items are few: a new survey may give other loadings.",
        ),
    )
    found += [text for applies, text in rules if applies]
    for factor, items in clear.items():
        if 0 < items.sum() < 3:
            named = ", ".join(items.index[items])
            found.append(f"{factor} has clear loadings on {named} only; a factor needs three to stand on.")
        elif not items.any():
            found.append(f"{factor} has no loading of {CLEAR_LOADING:.2f} or more: it is hardly a factor.")
    return found


# -------------------------------------------------------------------------------------------------- correlations


def _check_options(rotation: str, correlation: str) -> None:
    for name, value, known in (
        ("rotation", rotation, tuple(ROTATIONS)),
        ("correlation", correlation, CORRELATIONS),
    ):
        if value not in known:
            raise SemError(f"{name} {value!r} is unknown; choose one of {', '.join(known)}")


def _correlations(data: pd.DataFrame, kind: str) -> tuple[Array, int, tuple[str, ...], list[str]]:
    """Correlations (p, p) of the respondents with complete answers, how many they are, the items, and problems."""
    names = tuple(map(str, getattr(data, "columns", ())))
    samples, notes = read_samples(data, names, None, "listwise")
    if kind == "polychoric":
        found = polychoric(data[list(names)])
        r, notes = found.correlations.to_numpy(), list(dict.fromkeys([*notes, *found.problems]))
        if np.linalg.eigvalsh(r)[0] <= 1e-8:
            raise SemError(
                "the polychoric correlations are not positive definite, so no factor model can reproduce them. Merge "
                "rare categories, leave out items that repeat each other, or use Pearson correlations"
            )
        return r, found.n, names, notes
    sd = np.sqrt(np.diagonal(samples[0].cov))
    return samples[0].cov / np.outer(sd, sd), samples[0].n, names, list(notes)


def _eigenvalues(r: Array) -> Array:
    """Largest first; of one matrix or a batch."""
    return np.asarray(np.linalg.eigvalsh(r)[..., ::-1], dtype=np.float64)


def _leading_above(eigenvalues: pd.Series, limit: pd.Series) -> int:
    above = (eigenvalues > limit).to_numpy()
    return int(len(above) if above.all() else np.argmin(above))


def _wishart_eigenvalues(n: int, p: int, samples: int, rng: np.random.Generator) -> Array:
    """Eigenvalues (samples, p) of the correlations of n rows of p independent normal variables."""
    triangle = np.tril(rng.normal(size=(samples, p, p)), -1)
    diagonal = np.arange(p)
    triangle[:, diagonal, diagonal] = np.sqrt(rng.chisquare(n - 1 - diagonal, size=(samples, p)))
    triangle /= np.sqrt(np.sum(triangle**2, axis=2, keepdims=True))
    return _eigenvalues(triangle @ triangle.transpose(0, 2, 1))


def _shuffled_eigenvalues(
    values: Array, names: tuple[str, ...], correlation: str, samples: int, rng: np.random.Generator
) -> Array:
    """Eigenvalues (samples, p) when every item's answers (n, p) are shuffled among the respondents."""
    import pandas as pd

    if correlation == "polychoric":
        shuffled = (pd.DataFrame(rng.permuted(values, axis=0), columns=list(names)) for _ in range(samples))
        return np.stack([_eigenvalues(polychoric(answers).correlations.to_numpy()) for answers in shuffled])
    standard = (values - values.mean(axis=0)) / values.std(axis=0)
    size = max(1, _BATCH_BYTES // (8 * standard.size))
    batches = []
    for start in range(0, samples, size):
        drawn = np.repeat(standard[None], min(size, samples - start), axis=0)
        drawn = rng.permuted(drawn, axis=1)
        batches.append(_eigenvalues(drawn.transpose(0, 2, 1) @ drawn / len(values)))
    return np.concatenate(batches)
