"""Do two graders agree? Cohen's kappa, plain and weighted, with the standard errors of Fleiss, Cohen and Everitt.

Of what two graders could agree on beyond chance, kappa is the share they do agree on. With weights v_ij for grade i by
the one and j by the other (1 on the diagonal), p_o = Σ v_ij p_ij, p_c = Σ v_ij p_i. p_.j and κ = (p_o − p_c)/(1 − p_c).

References
----------
Cohen, J. (1968). Weighted kappa: nominal scale agreement with provision for scaled disagreement or partial credit.
Psychological Bulletin, 70(4), 213-220.
Fleiss, J. L., Cohen, J., & Everitt, B. S. (1969). Large sample standard errors of kappa and weighted kappa.
Psychological Bulletin, 72(5), 323-327.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

#: Fewer customers than this make the interval a rough guess.
FEW = 30


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far two graders agree.

    Attributes
    ----------
    kappa, se, ci_lower, ci_upper : estimate, its standard error, and the interval at `level`.
    p_value : two-sided, of kappa being 0 (with the standard error under that hypothesis, se_zero).
    observed, expected : weighted agreement found, and by chance alone.
    table : DataFrame, grades of the first × grades of the second; numbers of customers.
    weights : "none", "linear" or "quadratic".
    n, level : customers graded by both; level of the interval.
    problems : sentences.
    """

    kappa: float
    se: float
    ci_lower: float
    ci_upper: float
    se_zero: float
    p_value: float
    observed: float
    expected: float
    table: pd.DataFrame
    weights: str
    n: int
    level: float
    problems: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON."""
        names = ("kappa", "se", "ci_lower", "ci_upper", "p_value", "observed", "expected", "weights", "n", "level")
        return {**{name: getattr(self, name) for name in names}, "problems": [*self.problems]}


def agreement(
    first: Sequence[Any] | pd.Series,
    second: Sequence[Any] | pd.Series,
    *,
    order: Sequence[Any],
    weights: str = "quadratic",
    level: float = 0.95,
) -> Agreement:
    """Kappa of two graders of the same customers.

    Parameters
    ----------
    first, second : grades, (n,) each, in the same order; two Series must have the same index
        Customers that either has not graded are left out and told.
    order : the grades from best to worst; what lies far apart in it is a large disagreement.
    weights : "quadratic" (credit falls with the square of the distance), "linear", or "none"
    level : of the interval, between 0 and 1.

    Raises
    ------
    InputError
        For different lengths or indexes, a grade that is not in `order`, unknown weights, fewer than two customers, or
        if chance alone would agree completely.

    Examples
    --------
    >>> found = agreement(list("AABBCC"), list("AABBCA"), order="ABC")
    >>> round(found.kappa, 3)
    0.5
    """
    import pandas as pd

    names = [*order]
    if len(set(names)) < len(names):
        raise InputError(f"agreement: the order {names} names a grade twice; give each grade once.")
    codes, left_out = _codes(first, second, names)
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, tuple(codes), 1)
    n = int(counts.sum())
    if n < 2:
        raise InputError(f"agreement: {n} customers are graded by both; expected at least two.")
    if not 0 < level < 1:
        raise InputError(f"agreement: level is {level}; expected a number between 0 and 1, such as 0.95.")
    found = _kappa(counts / n, _credit(len(names), weights), n)
    table = pd.DataFrame(counts, pd.Index(names, name="first"), pd.Index(names, name="second"))
    reach = _normal_quantile(level) * found["se"]
    return Agreement(
        **found, ci_lower=max(found["kappa"] - reach, -1.0), ci_upper=min(found["kappa"] + reach, 1.0),
        table=table, weights=weights, n=n, level=level, problems=_problems(n, left_out, counts, names, found["se"]),
    )  # fmt: skip


def _codes(first: Any, second: Any, names: list[Any]) -> tuple[np.ndarray, int]:
    import pandas as pd

    if len(first) != len(second):
        raise InputError(
            f"agreement: one grader has {len(first)} customers, the other {len(second)}; expected the same."
        )
    if isinstance(first, pd.Series) and isinstance(second, pd.Series) and not first.index.equals(second.index):
        raise InputError("agreement: the two Series have different indexes; bring one into the order of the other.")
    columns = [pd.Series([*grades], dtype=object) for grades in (first, second)]
    for column in columns:
        odd = next((grade for grade in column.dropna().unique() if grade not in names), None)
        if odd is not None:
            raise InputError(f"agreement: the grade {odd!r} is not in the order {names}; add it, or correct the grade.")
    codes = np.stack([pd.Categorical(column, categories=names).codes for column in columns])
    both = (codes >= 0).all(axis=0)
    return codes[:, both], int((~both).sum())


def _credit(size: int, weights: str) -> np.ndarray:
    """v_ij: 1 for the same grade, less the farther apart two grades are."""
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / max(size - 1, 1)
    credits = {"quadratic": 1 - apart**2, "linear": 1 - apart, "none": (apart == 0).astype(float)}
    if weights not in credits:
        raise InputError(f"agreement: weights {weights!r} are not known; expected {', '.join(credits)}.")
    return credits[weights]


def _kappa(p: np.ndarray, v: np.ndarray, n: int) -> dict[str, float]:
    """Fleiss, Cohen & Everitt (1969), equations 8, 9 (null hypothesis) and 10 to 13."""
    from scipy.stats import norm

    rows, columns = p.sum(axis=1), p.sum(axis=0)
    chance = np.outer(rows, columns)
    observed, expected = float((v * p).sum()), float((v * chance).sum())
    if np.isclose(expected, 1):
        raise InputError("agreement: both graders give one grade only, so chance alone agrees; kappa has no value.")
    kappa = (observed - expected) / (1 - expected)
    mean = np.add.outer(v @ columns, rows @ v)
    spread = (p * (v * (1 - expected) - mean * (1 - observed)) ** 2).sum()
    variance = (spread - (observed * expected - 2 * expected + observed) ** 2) / (n * (1 - expected) ** 4)
    zero = ((chance * (v - mean) ** 2).sum() - expected**2) / (n * (1 - expected) ** 2)
    se_zero = float(np.sqrt(max(zero, 0.0)))
    return {
        "kappa": kappa, "se": float(np.sqrt(max(variance, 0.0))), "se_zero": se_zero,
        "p_value": float(2 * norm.sf(abs(kappa) / se_zero)) if se_zero > 0 else float("nan"),
        "observed": observed, "expected": expected,
    }  # fmt: skip


def _normal_quantile(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf((1 + level) / 2))


def _problems(n: int, left_out: int, counts: np.ndarray, names: list[Any], se: float) -> list[str]:
    said = []
    if left_out:
        said.append(f"{left_out:,} customers are left out: one of the two gave them no grade.")
    if min((counts.sum(axis=0) > 0).sum(), (counts.sum(axis=1) > 0).sum()) == 1:
        said.append("One grader gives everybody the same grade: kappa is then 0, whatever the other does.")
    elif np.isclose(se, 0):
        said.append(
            "No disagreement in these customers: the standard error is 0 and the interval has no width. That is no "
            "promise about other customers."
        )
    if n < FEW:
        said.append(f"Only {n} customers are graded by both: the interval rests on large samples and is a rough guess.")
    unused = [str(name) for name, both in zip(names, counts.sum(axis=0) + counts.sum(axis=1), strict=True) if both == 0]
    if unused:
        said.append(f"Nobody gave the grade {', '.join(unused)}; weights still count the steps across it.")
    return said
