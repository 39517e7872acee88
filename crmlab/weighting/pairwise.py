"""The analytic hierarchy process 层次分析法: every pair of items compared as a ratio (chapter 8; Saaty 1980).

A judge says for each pair how many times as important the first is as the second, on the scale 1/9 … 9. If the
judgements were consistent, a_ij = w_i / w_j, the matrix would have rank one; the principal eigenvalue λ says how far it
is from that: CI = (λ − n)/(n − 1), and CR = CI/RI compares it with matrices filled at random. Pairs may be left out
(Harker 1987), and several judges combined. The judgement that spoils consistency most is shown with a proposed repair;
nothing is repaired here.

References
----------
Aczél, J. & Saaty, T. L. (1983). Procedures for synthesizing ratio judgements. Journal of Mathematical Psychology 27.
Bozóki, S., Fülöp, J. & Rónyai, L. (2010). On optimal completion of incomplete pairwise comparison matrices.
Mathematical and Computer Modelling 52, 318–333.
Crawford, G. & Williams, C. (1985). A note on the analysis of subjective judgment matrices. Journal of Mathematical
Psychology 29, 387–405.
Harker, P. T. (1987). Incomplete pairwise comparisons in the analytic hierarchy process. Mathematical Modelling 9.
Saaty, T. L. (1980). The Analytic Hierarchy Process. McGraw-Hill.
Saaty, T. L. (2005). Theory and Applications of the Analytic Network Process. RWS Publications.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

from .scaling import connected, kendall_w, least_squares
from .told import ROUNDING, Array, as_weights

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("eigenvector", "geometric")
AGGREGATES = ("judgements", "priorities")
#: Mean consistency index of matrices filled at random, by number of items. Two items cannot contradict each other.
RANDOM_INDEX: dict[str, dict[int, float]] = {
    "saaty1980": dict(zip(range(3, 10), (0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45), strict=True)),
    "saaty2005": dict(zip(range(3, 11), (0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49), strict=True)),
}
ACCEPTABLE = 0.10  # Saaty 1980
LARGEST = 9
_SCALE = np.array([1 / k for k in range(9, 1, -1)] + [float(k) for k in range(1, 10)])


@dataclass(frozen=True)
class PairwiseWeights:
    """Weights from pairwise comparisons.

    Attributes
    ----------
    weights : Series (n,)
        Positive, sum 1.
    lambda_max, consistency_index, consistency_ratio : float
        Of the group's matrix; the ratio is 0 for two items and nan where the table of random indices ends.
    random_index : str
        The table used.
    method, aggregate : str
    matrix : DataFrame (n, n)
        The group's judgements, row against column; nan where nobody judged.
    judgements : DataFrame: first, second, judged, implied, proposal, consistency_ratio
        Every judged pair, the one whose change would help most first: what the other judgements imply for it, the
        nearest value of the scale, and the consistency ratio if that were the judgement.
    judges : DataFrame, index judge: the items' weights, consistency_ratio
    agreement : float
        Kendall's W of the judges' weights; nan for a single judge.
    problems : list of str
    """

    weights: pd.Series
    lambda_max: float
    consistency_index: float
    consistency_ratio: float
    random_index: str
    method: str
    aggregate: str
    matrix: pd.DataFrame
    judgements: pd.DataFrame
    judges: pd.DataFrame
    agreement: float
    problems: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts; nan becomes None."""
        return {
            "weights": {str(item): float(weight) for item, weight in self.weights.items()},
            **{name: _plain(getattr(self, name)) for name in ("lambda_max", "consistency_ratio", "agreement")},
            **{name: getattr(self, name) for name in ("random_index", "method", "aggregate", "problems")},
        }

    def _repr_html_(self) -> str:
        from html import escape

        told = "".join(f"<li>{escape(problem)}</li>" for problem in self.problems)
        head = f"λ = {self.lambda_max:.4f}, CR = {self.consistency_ratio:.3f} ({self.random_index})"
        return f"<p>{head}</p>{self.weights.round(3).to_frame().to_html()}<ul>{told}</ul>"


def ahp(
    matrix: Any,
    *,
    method: str = "eigenvector",
    random_index: str = "saaty1980",
    aggregate: str = "judgements",
) -> PairwiseWeights:
    """Weights from a matrix of pairwise comparisons, or from those of several judges.

    Parameters
    ----------
    matrix : DataFrame, array or nested list (n, n); or mapping of judge to such a matrix
        Entry (i, j): how many times as important i is as j, above 0; "1/3" is read as a fraction. One of (i, j) and
        (j, i) is enough; nan (None) where a pair was not judged.
    method : {"eigenvector", "geometric"}
        Principal eigenvector (Saaty 1980; with missing pairs Harker 1987), or logarithmic least squares, which for a
        complete matrix is the geometric mean of the rows (Crawford & Williams 1985; with missing pairs Bozóki et al.
        2010).
    random_index : {"saaty1980", "saaty2005"}
        The table that the consistency ratio is computed with; the two differ in the third decimal of the ratio.
    aggregate : {"judgements", "priorities"}
        Several judges: geometric mean of their judgements, entry by entry, as if the group had judged (Aczél & Saaty
        1983), or geometric mean of the judges' own weights.

    Returns
    -------
    PairwiseWeights

    Raises
    ------
    InputError
        Not square, fewer than two items, a value that is no positive number, a pair judged in both directions that
        does not fit, items that no judged pair connects, judges with different items, an unknown option.

    Examples
    --------
    >>> import pandas as pd
    >>> items = ["quality", "price", "service"]
    >>> result = ahp(pd.DataFrame([[1, 3, 5], ["1/3", 1, 2], ["1/5", "1/2", 1]], items, items))
    >>> result.weights.round(3).to_dict(), round(result.consistency_ratio, 3)
    ({'quality': 0.648, 'price': 0.23, 'service': 0.122}, 0.003)
    """
    for option, value, allowed in (
        ("method", method, METHODS),
        ("random_index", random_index, tuple(RANDOM_INDEX)),
        ("aggregate", aggregate, AGGREGATES),
    ):
        if value not in allowed:
            raise InputError(f"ahp: {option} is {value!r}; choose one of {', '.join(allowed)}.")
    given = matrix if isinstance(matrix, Mapping) else {"one judge": matrix}
    judged = {str(judge): _read(one, str(judge)) for judge, one in given.items()}
    items = _common_items(judged)
    matrices = {judge: table.loc[items, items].to_numpy() for judge, table in judged.items()}
    group = _geometric_mean(list(matrices.values()))
    _require_connected(group, items, "together" if len(matrices) > 1 else "")
    if aggregate == "priorities":
        for judge, one in matrices.items():
            _require_connected(one, items, f"by judge {judge}")
    return _result(items, matrices, group, method, random_index, aggregate)


def _result(
    items: list[str], matrices: dict[str, Array], group: Array, method: str, random_index: str, aggregate: str
) -> PairwiseWeights:
    import pandas as pd

    lonely = {judge: bool(connected(~np.isnan(one)).all()) for judge, one in matrices.items()}
    own = {judge: _priorities(one, method)[0] for judge, one in matrices.items() if lonely[judge]}
    weights, lambda_max = _priorities(group, method)
    if aggregate == "priorities":
        weights = _normal(np.exp(np.log(list(own.values())).mean(axis=0)))
        lambda_max = _lambda(group, weights)
    judges = pd.DataFrame.from_dict(own, orient="index", columns=list(items)).rename_axis("judge")
    judges["consistency_ratio"] = [_ratio(matrices[judge], method, random_index) for judge in own]
    agreement = kendall_w(judges[list(items)].to_numpy())[0]
    judgements = _judgements(items, group, method, random_index)
    index = _consistency_index(lambda_max, len(items))
    ratio = _consistency_ratio(index, len(items), random_index)
    problems = [
        *_matrix_problems(items, group, ratio, random_index, judgements),
        *_judge_problems(judges, lonely, agreement),
    ]
    return PairwiseWeights(
        weights=as_weights(weights, items, "AHP", problems),
        lambda_max=lambda_max,
        consistency_index=index,
        consistency_ratio=ratio,
        random_index=random_index,
        method=method,
        aggregate=aggregate,
        matrix=pd.DataFrame(group, items, items),
        judgements=judgements,
        judges=judges,
        agreement=agreement,
        problems=problems,
    )


# --- Reading a matrix ------------------------------------------------------------------------------------------------


def ratio(value: Any) -> float:
    """A judgement as a number: 3, 0.5, "1/3"; nan for nothing. Raises ValueError for anything else.

    Examples
    --------
    >>> ratio("1/4"), ratio(3), ratio(None)
    (0.25, 3.0, nan)
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return float("nan")
    if isinstance(value, bool):
        raise ValueError(value)
    try:
        number = float(Fraction(value.strip())) if isinstance(value, str) else float(value)
    except ZeroDivisionError as error:
        raise ValueError(value) from error
    if number <= 0 or np.isinf(number):
        raise ValueError(value)
    return number


def _read(matrix: Any, judge: str) -> pd.DataFrame:
    """A judge's matrix as numbers, both directions of every judged pair filled in."""
    import pandas as pd

    table = matrix if isinstance(matrix, pd.DataFrame) else pd.DataFrame([list(row) for row in matrix])
    items = list(table.index)
    if list(table.columns) != items and set(table.columns) == set(items):
        table = table[items]
    if table.shape[0] != table.shape[1] or list(table.columns) != items or len(set(items)) < len(items):
        raise InputError(
            f"ahp: the matrix of {judge} is {table.shape[0]} × {table.shape[1]}; expected as many columns as rows, "
            "with the same names, each once."
        )
    if len(items) < 2:
        raise InputError(f"ahp: the matrix of {judge} has {len(items)} item; expected two or more.")
    values = np.array(
        [
            [_number(value, judge, first, second) for second, value in zip(items, row, strict=True)]
            for first, row in zip(items, table.to_numpy(dtype=object), strict=True)
        ]
    )
    return pd.DataFrame(_reciprocal(values, judge, items), items, items)


def _number(value: Any, judge: str, first: str, second: str) -> float:
    try:
        return ratio(value)
    except (ValueError, TypeError):
        raise InputError(
            f"ahp: {judge}, {first} against {second}: found {value!r}; expected a number above 0 or a fraction such as "
            "1/3. Correct the judgement, or leave it empty."
        ) from None


def _reciprocal(values: Array, judge: str, items: Sequence[str]) -> Array:
    """Both directions of every pair, exactly reciprocal: 0.33 beside 3 is read as 1/3."""
    for i, j in combinations(range(len(items)), 2):
        one, other = values[i, j], values[j, i]
        if not np.isnan(one) and not np.isnan(other) and abs(one * other - 1) > ROUNDING:
            raise InputError(
                f"ahp: {judge}: {items[i]} against {items[j]} is {one:g}, and {items[j]} against {items[i]} is "
                f"{other:g}; expected {1 / one:.3g} there, the reciprocal. Correct one of the two."
            )
        if np.isnan(one) or other > one:
            one = 1 / other
        values[i, j], values[j, i] = one, 1 / one
    for i, item in enumerate(items):
        if not np.isnan(values[i, i]) and values[i, i] != 1:
            raise InputError(
                f"ahp: {judge}: {item} against itself is {values[i, i]:g}; expected 1. Correct the diagonal."
            )
    np.fill_diagonal(values, 1.0)
    return values


def _common_items(judged: Mapping[str, pd.DataFrame]) -> list[str]:
    if not judged:
        raise InputError("ahp: found no judge; expected at least one matrix.")
    first, *others = judged
    items = list(judged[first].index)
    for judge in others:
        if odd := set(judged[judge].index) ^ set(items):
            raise InputError(
                f"ahp: the matrices of {first} and {judge} differ in {min(map(str, odd))}; expected the same items "
                "from every judge."
            )
    return items


def _require_connected(matrix: Array, items: Sequence[str], judge: str) -> None:
    reached = connected(~np.isnan(matrix))
    if not reached.all():
        apart = [item for item, there in zip(items, reached, strict=True) if not there]
        whom = f" {judge}" if judge else ""
        raise InputError(
            f"ahp: the pairs judged{whom} connect {', '.join(map(str, apart))} with none of the other items; expected "
            f"a chain of judged pairs between any two. Judge {apart[0]} against {items[0]}, say."
        )


def _geometric_mean(matrices: Sequence[Array]) -> Array:
    """Entry by entry, over the judges who judged the pair."""
    logs = np.log(np.stack(matrices))
    counts = (~np.isnan(logs)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean: Array = np.exp(np.where(counts > 0, np.nansum(logs, axis=0) / np.maximum(counts, 1), np.nan))
    return mean


# --- Weights and consistency -----------------------------------------------------------------------------------------


def _normal(values: Array) -> Array:
    total: Array = values / values.sum()
    return total


def _priorities(matrix: Array, method: str) -> tuple[Array, float]:
    """Weights (n,) and λ of a matrix (n, n) with nan for pairs that were not judged."""
    if method == "geometric":
        weights = _normal(np.exp(least_squares(np.log(matrix))))
        return weights, _lambda(matrix, weights)
    values, vectors = np.linalg.eig(_harker(matrix))
    principal = int(np.argmax(values.real))
    return _normal(np.abs(vectors[:, principal].real)), float(values[principal].real)


def _harker(matrix: Array) -> Array:
    """0 for a pair not judged, and as many more on the diagonal: what w_i/w_j would have added (Harker 1987)."""
    missing = np.isnan(matrix)
    return np.where(missing, 0.0, matrix) + np.diag(missing.sum(axis=1)).astype(float)


def _lambda(matrix: Array, weights: Array) -> float:
    """What λ is when the weights are not the eigenvector: the mean of (A w)_i / w_i."""
    return float(np.mean(_harker(matrix) @ weights / weights))


def _consistency_index(lambda_max: float, n: int) -> float:
    """(λ − n)/(n − 1); λ is never below n, but for rounding."""
    return max(0.0, (lambda_max - n) / (n - 1))


def _consistency_ratio(index: float, n: int, table: str) -> float:
    if n == 2:
        return 0.0
    return index / RANDOM_INDEX[table].get(n, float("nan"))


def _ratio(matrix: Array, method: str, table: str) -> float:
    n = len(matrix)
    return _consistency_ratio(_consistency_index(_priorities(matrix, method)[1], n), n, table)


def _judgements(items: list[str], matrix: Array, method: str, table: str) -> pd.DataFrame:
    """Each judged pair against what the others imply; the one whose repair would help most stands first."""
    import pandas as pd

    rows = []
    for i, j in combinations(range(len(items)), 2):
        if np.isnan(matrix[i, j]):
            continue
        without = matrix.copy()
        without[i, j] = without[j, i] = np.nan
        implied = proposal = after = float("nan")
        if connected(~np.isnan(without)).all():
            weights = _priorities(without, method)[0]
            implied = weights[i] / weights[j]
            proposal = float(_SCALE[np.abs(np.log(_SCALE / implied)).argmin()])
            without[i, j], without[j, i] = proposal, 1 / proposal
            after = _ratio(without, method, table)
        rows.append((items[i], items[j], matrix[i, j], implied, proposal, after))
    columns = ["first", "second", "judged", "implied", "proposal", "consistency_ratio"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values("consistency_ratio", kind="stable", ignore_index=True)


# --- What has to be said ---------------------------------------------------------------------------------------------


def _matrix_problems(
    items: Sequence[str], matrix: Array, ratio: float, table: str, judgements: pd.DataFrame
) -> list[str]:
    n, told = len(items), []
    missing = int(np.isnan(matrix).sum()) // 2
    if ratio > ACCEPTABLE:
        worst = judgements.iloc[0]
        told.append(
            f"The comparisons contradict each other (consistency ratio {ratio:.3f}, above {ACCEPTABLE:.2f}; table "
            f"{table}). Most of all: {worst['first']} against {worst['second']} is judged {_spoken(worst['judged'])}, "
            f"the other judgements imply {_spoken(worst['implied'])}. With {_spoken(worst['proposal'])} the ratio "
            f"would be {worst['consistency_ratio']:.3f}. Ask the judge; nothing was changed."
        )
    if missing:
        told.append(
            f"{missing} of {n * (n - 1) // 2} pairs were not judged; the others stand in for them (Harker 1987). The "
            "random index is that of complete matrices, so the consistency ratio looks better than it is."
        )
    if n > max(RANDOM_INDEX[table]):
        told.append(
            f"There is no random index for {n} items in the table {table}, so no consistency ratio. Compare at most "
            f"{LARGEST} items at a time (Saaty 1980): put them into groups."
        )
    return told


def _judge_problems(judges: pd.DataFrame, whole: Mapping[str, bool], agreement: float) -> list[str]:
    from .direct import LOW_AGREEMENT

    told = []
    if len(whole) > 1:
        told += [
            f"Judge {judge} contradicts himself or herself (consistency ratio {ratio:.3f}, above {ACCEPTABLE:.2f})."
            for judge, ratio in judges["consistency_ratio"].items()
            if ratio > ACCEPTABLE
        ]
        told += [
            f"Judge {judge} left out so many pairs that there are no weights of that judge alone; the judgements count "
            "in the group's."
            for judge, there in whole.items()
            if not there
        ]
    if agreement < LOW_AGREEMENT:
        told.append(
            f"AHP: the {len(judges)} judges agree little on the order (Kendall's W {agreement:.2f}); their mean speaks "
            "for nobody in particular. Let them talk, and judge again."
        )
    return told


def _spoken(value: float) -> str:
    return f"{value:.3g}" if value >= 1 else f"1/{1 / value:.3g}"


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
