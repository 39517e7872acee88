"""What a grade may not depend on, and whether it falls unequally on groups (chapter 5).

Two questions that are often confused. Does the rule *ask* for a protected attribute? `protected_inputs` reads the names
of its inputs. Does the grade *fall* unequally on groups, though nobody asked? `disparity` compares the shares.

References
----------
Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
Statistical Association, 22, 209-212.
Katz, D., Baptista, J., Azen, S. P., & Pike, M. C. (1978). Obtaining confidence intervals for the risk ratio in cohort
studies. Biometrics, 34(3), 469-474.
Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D (the four-fifths rule).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

#: Attributes that a grade should not depend on, with the words by which they are known, English and Chinese.
PROTECTED: Mapping[str, tuple[str, ...]] = {
    "sex": ("sex", "gender", "male", "female", "性别", "男女"),
    "ethnicity": ("ethnicity", "ethnic", "race", "nationality", "民族", "种族", "国籍"),
    "religion": ("religion", "religious", "belief", "宗教", "信仰"),
    "age": ("age", "birthday", "birth", "birthdate", "年龄", "出生", "生日"),
    "disability": ("disability", "disabled", "health", "残疾", "残障", "健康"),
    "family": ("marital", "married", "pregnant", "pregnancy", "children", "婚姻", "婚否", "怀孕", "生育", "子女"),
    "orientation": ("orientation", "性取向"),
    "origin": ("birthplace", "hometown", "hukou", "籍贯", "户籍", "户口"),
    "politics": ("party", "politics", "political", "政治面貌", "党派"),
}
#: A group whose share is below this part of the best-off group's is commonly taken for disadvantaged.
FOUR_FIFTHS = 0.8
#: The words of customer_age, customerAge, CUSTOMER_AGE.
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def protected_inputs(names: Iterable[str] | Any, protected: Mapping[str, Collection[str]] = PROTECTED) -> list[str]:
    """Sentences on inputs whose names say that they hold a protected attribute; empty if none does.

    Parameters
    ----------
    names : a name or names of inputs, or a DecisionTable or Scorecard, whose names and titles are read.
    protected : attribute → words. A word in Latin letters must stand alone ("age" is not found in "average_spend");
        Chinese words may stand anywhere.

    Examples
    --------
    >>> protected_inputs(["average_spend", "customer_age", "性别"])[0]
    'customer_age asks for age: a grade should not depend on it. Take it out, or show why the law allows it here.'
    """
    told: dict[str, str] = {}
    for name, text in _named(names):
        words = {word.lower() for word in _WORD.findall(text)}
        for attribute, known in protected.items():
            if any(word in words if word.isascii() else word in text for word in known):
                told.setdefault(
                    name,
                    f"{name} asks for {attribute}: a grade should not depend on it. Take it out, or show why the law "
                    "allows it here.",
                )
    return [*told.values()]


def _named(names: Any) -> list[tuple[str, str]]:
    """(name, all that it is called) of every input."""
    if isinstance(names, str):
        names = [names]
    inputs = getattr(names, "inputs", None)
    if inputs is None:
        return [(str(name), str(name)) for name in names]
    columns = [column for column in ("of", "en", "zh") if column in inputs.columns]
    return [
        (str(name), " ".join([str(name), *map(str, row)]))
        for name, row in zip(inputs.index, inputs[columns].to_numpy(), strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Disparity:
    """How a grade falls on groups.

    Attributes
    ----------
    table : DataFrame, index group, largest share first: n, favourable (customers with a favourable grade), share,
        ci_lower, ci_upper (Wilson), ratio (of the share to the reference group's), ratio_lower, ratio_upper (Katz;
        no upper limit where nobody is favoured: such a group is told if the Wilson intervals lie apart).
    reference : the group that the ratios compare with.
    favourable : the grades that are counted.
    level : of the intervals.
    problems : sentences.
    """

    table: pd.DataFrame
    reference: Any
    favourable: tuple[Any, ...]
    level: float
    problems: list[str]


def disparity(
    grades: pd.Series,
    group: pd.Series,
    *,
    favourable: Collection[Any],
    reference: Any = None,
    level: float = 0.95,
) -> Disparity:
    """Shares of favourable grades by group, with intervals, and their ratios to a reference group.

    Parameters
    ----------
    grades, group : Series with the same index; customers without a grade count as not favoured, those without a group
        are left out; both are told.
    favourable : the grades that a customer is glad to get, or one of them.
    reference : the group to compare with; default the one with the largest share.
    level : of the intervals.

    Raises
    ------
    InputError
        For different indexes, fewer than two groups, a favourable grade or reference that does not occur.

    Examples
    --------
    >>> import pandas as pd
    >>> found = disparity(pd.Series(list("AAABABBB")), pd.Series(list("ffffmmmm")), favourable="A")
    >>> found.table["share"].to_dict()
    {'f': 0.75, 'm': 0.25}
    """
    import pandas as pd

    if not 0 < level < 1:
        raise InputError(f"disparity: level is {level}; expected a number between 0 and 1, such as 0.95.")
    if not grades.index.equals(group.index):
        raise InputError("disparity: grades and groups have different indexes; bring one into the order of the other.")
    good = [favourable] if isinstance(favourable, str) and (grades == favourable).any() else [*favourable]
    odd = [grade for grade in good if not (grades == grade).any()]
    if odd:
        raise InputError(f"disparity: nobody has the favourable grade {', '.join(map(str, odd))}; grades are "
                         f"{', '.join(map(str, grades.dropna().unique()))}.")  # fmt: skip
    counts = pd.DataFrame({"got": grades.isin(good).to_numpy(), "group": group.to_numpy()}).dropna(subset="group")
    by_group = counts.groupby("group", observed=True)["got"]
    table = pd.DataFrame({"n": by_group.size(), "favourable": by_group.sum().astype(int)})
    if len(table) < 2:
        raise InputError(f"disparity: there are {len(table)} groups; expected at least two.")
    table["share"] = table["favourable"] / table["n"]
    table = table.sort_values("share", ascending=False, kind="stable")
    base = table.index[0] if reference is None else reference
    if base not in table.index:
        raise InputError(f"disparity: there is no group {base!r}; expected one of {', '.join(map(str, table.index))}.")
    table = table.assign(**_wilson(table, level), **_ratios(table, base, level))
    table = table[["n", "favourable", "share", "ci_lower", "ci_upper", "ratio", "ratio_lower", "ratio_upper"]]
    return Disparity(table, base, tuple(good), level, _problems(table, base, grades, group))


def _wilson(table: pd.DataFrame, level: float) -> dict[str, Any]:
    """Wilson (1927): the shares that a score test would not reject."""
    from scipy.stats import norm

    z, n, p = norm.ppf((1 + level) / 2), table["n"], table["share"]
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return {"ci_lower": (middle - reach).clip(lower=0), "ci_upper": (middle + reach).clip(upper=1)}


def _ratios(table: pd.DataFrame, base: Any, level: float) -> dict[str, Any]:
    """Katz and others (1978): the logarithm of a ratio of shares, with variance Σ (1 − p)/(n p)."""
    from scipy.stats import norm

    own = table.loc[base]
    ratio = table["share"] / own["share"] if own["share"] > 0 else table["share"] * np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (1 - table["share"]) / table["favourable"] + (1 - own["share"]) / own["favourable"]
        reach = norm.ppf((1 + level) / 2) * np.sqrt(variance)
        lower, upper = ratio * np.exp(-reach), ratio * np.exp(reach)
    itself = table.index == base
    none = (table["favourable"] == 0) & ~itself
    return {"ratio": ratio, "ratio_lower": lower.mask(none, 0.0).mask(itself, 1.0),
            "ratio_upper": upper.mask(none, np.nan).mask(itself, 1.0)}  # fmt: skip


def _problems(table: pd.DataFrame, base: Any, grades: pd.Series, group: pd.Series) -> list[str]:
    said = []
    if table.loc[base, "favourable"] == 0:
        said.append(f"Nobody in {base}, the reference group, has a favourable grade: there are no ratios to it.")
    apart = (table["favourable"] == 0) & (table["ci_upper"] < table.loc[base, "ci_lower"])
    beyond = (table["ratio_upper"] < 1) | apart
    low = table[(table["ratio"] < FOUR_FIFTHS) & beyond]
    for name, row in low.iterrows():
        said.append(
            f"Group {name} gets a favourable grade {row['ratio']:.2f} times as often as {base}, less than four fifths, "
            "and by more than chance. Find the input that does it, and ask whether the business needs it."
        )
    few = table[(table["n"] < 30)]
    if len(few):
        said.append(f"Fewer than 30 customers in {', '.join(map(str, few.index))}: their shares say little.")
    without = int(grades.isna().sum())
    if without:
        said.append(f"{without:,} customers have no grade and count as not favoured.")
    if group.isna().any():
        said.append(f"{int(group.isna().sum()):,} customers have no group and are left out.")
    return said
