"""Orders and survey, one row a customer: phase × RFM × value × satisfaction × loyalty (rows A1, A3, D3, D6).

The two tables meet in a pseudonymous id. Ids without a partner are counted both ways. Most customers did not answer;
what they would have said stays unknown. Beside it stands what customers alike in their orders have said, with the
error that this guess makes on customers it has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd

from crmlab import csi, lifecycle, rfm, value
from crmlab.customers.privacy import DIGITS, pseudonymise
from crmlab.errors import InputError
from crmlab.loyalty.inputs import measured, worded
from crmlab.questionnaire import Questionnaire
from crmlab.responses import read_responses
from crmlab.results import page, plain
from crmlab.transactions import Transactions, to_frame
from crmlab.transactions.fields import day_of
from crmlab.transactions.sources import open_source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

_FOLDS, _YEAR = 10, timedelta(days=365)
#: Fewer linked answers than this say nothing of those who did not answer.
_FEWEST = 30


@dataclass(frozen=True, eq=False)
class Linked:
    """Customers with everything known of them.

    Attributes
    ----------
    customers : DataFrame by customer_id (keyed hash)
        phase; recency_days, frequency (days with an order), monetary (sum), segment; revenue (of the last 365 days);
        historical, current, potential (value, in money), probability_alive; rate (margin of a year, as long as she
        stays); surveyed; satisfaction and loyalty (0–100), and the further measures asked for, missing where she did
        not answer; each measure again as <measure>_expected (the answer, or what is expected of her without it).
    counts : Series: customers, respondents, linked, without_survey, without_orders, repeated (answers), without_id
        (answers)
    prediction : DataFrame, index measure
        r_squared (cross-validated), error (root mean squared, of customers not used), customers (it was learnt from).
    as_of : date
    problems : list of str
    """

    customers: pd.DataFrame
    counts: pd.Series
    prediction: pd.DataFrame
    as_of: Date
    problems: list[str]

    @property
    def measures(self) -> list[str]:
        """What the survey measured of each respondent."""
        return [str(name) for name in self.prediction.index]

    def by(self, column: str) -> pd.DataFrame:
        """Customers, share surveyed, value and mean scores by phase or segment.

        Raises
        ------
        InputError
            For another column.
        """
        if column not in ("phase", "segment"):
            raise InputError(f"by: {column!r} is not known; expected phase or segment.")
        groups = self.customers.groupby(column, observed=True)
        told = groups.agg(customers=("surveyed", "size"), surveyed=("surveyed", "mean"), potential=("potential", "sum"))
        return told.join(groups[self.measures].mean())

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw satisfaction by phase, with the share of customers who answered."""
        from crmlab.plots.action import phase_scores

        return phase_scores(self.by("phase"), language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "as_of": self.as_of.isoformat(),
            "counts": plain(self.counts),
            "r_squared": plain(self.prediction["r_squared"]),
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return page(self.by("phase").round(2).to_html(), problems=self.problems, heading="Linked customers")


def link(
    orders: Transactions | pd.DataFrame | str | Path,
    survey: pd.DataFrame,
    *,
    questionnaire: Questionnaire | None = None,
    measures: Sequence[str] = (),
    key: bytes | str | None = None,
    as_of: Date | str | None = None,
    discount: float = 0.1,
) -> Linked:
    """Join what customers did with what they said.

    Parameters
    ----------
    orders : Transactions, or DataFrame or file with customer_id, date, amount, and cost if known
    survey : DataFrame with customer_id, the items of the questionnaire, and the columns of `measures`
        A customer who answered twice counts with her last answer.
    questionnaire : Questionnaire, optional
        With constructs Satisfaction and Loyalty; default the shipped `course_csi`.
    measures : names of further columns of numbers of the survey
    key : bytes or text, optional
        Replaces ids by a keyed hash, see `crmlab.customers.pseudonymise`. Needed unless both tables hold such ids.
    as_of : date or text, optional
        Last day for which all orders are there; default the last day of the orders.
    discount : float
        Per year, of potential value.

    Returns
    -------
    Linked

    Raises
    ------
    InputError
        Ids that lead to the person and no key; no survey answers; no id in both tables; a measure that is no number,
        has no answer, or is called like a column of the result; what `csi.estimate`, `lifecycle.trace`, `rfm.analyse`
        and `value.value_parts` refuse.

    Examples
    --------
    >>> from crmlab.datasets import simulate_company
    >>> company = simulate_company(400, seed=1, pilot=40)
    >>> linked = link(company.orders, company.survey, measures=["stake"])
    >>> linked.counts[["customers", "linked"]].to_dict()["customers"]
    400
    """
    asked = Questionnaire.shipped("course_csi") if questionnaire is None else questionnaire
    transactions, answers = _pseudonymous(orders, survey, key)
    day = transactions.period[1] if as_of is None else day_of(as_of)
    known, told = _behaviour(transactions, as_of, day, discount)
    _check_measures(asked, answers, measures, known)
    scores, repeated, of_index = _scores(asked, answers, measures)
    linked = scores.index.isin(known.index)
    if not linked.any():
        raise InputError(
            f"link: none of the {len(scores)} ids of the survey is among the {len(known)} of the orders (first: "
            f"{scores.index[0]!r} and {known.index[0]!r}). Replace both by a keyed hash with one and the same key."
        )
    customers = known.join(scores[linked])
    for name in scores.columns[customers[scores.columns].isna().all()]:
        raise InputError(f"link: nobody with orders answered {name}. Leave it out of measures.")
    customers["surveyed"] = customers.index.isin(scores.index)
    expected, prediction = _expected(customers, [*scores.columns])
    counts = pd.Series(
        {
            "customers": len(known),
            "respondents": len(scores),
            "linked": int(linked.sum()),
            "without_survey": len(known) - int(linked.sum()),
            "without_orders": len(scores) - int(linked.sum()),
            "repeated": repeated,
            "without_id": len(survey) - len(answers),
        },
        name="number",
    )
    problems = [*transactions.problems, *told, *of_index, *_about(counts, prediction)]
    return Linked(customers.join(expected), counts, prediction, day, problems)


def _pseudonymous(orders: Any, survey: pd.DataFrame, key: bytes | str | None) -> tuple[Transactions, pd.DataFrame]:
    if not isinstance(survey, pd.DataFrame):
        raise InputError(f"link: the survey is a {type(survey).__name__}; expected a DataFrame with customer_id.")
    if "customer_id" not in survey.columns:
        raise InputError(f"link: the survey has no column customer_id; it has {', '.join(map(str, survey.columns))}.")
    answers = survey[survey["customer_id"].notna()]
    if answers.empty:
        raise InputError("link: the survey holds no answer with a customer_id. Give the table of answers.")
    if isinstance(orders, Transactions):
        transactions = orders
    else:
        columns = orders if isinstance(orders, pd.DataFrame) else open_source(orders, None, None, None).table.columns
        transactions = Transactions(orders, cost="cost" if "cost" in columns else None, name="orders")
    if key is not None:
        return pseudonymise(transactions, key), pseudonymise(answers, key)
    ids = to_frame(transactions.table.select("customer_id").distinct())
    for name, column in (("orders", ids["customer_id"]), ("survey", answers["customer_id"])):
        raw = column[~column.astype("str").str.fullmatch(rf"[0-9a-f]{{{DIGITS}}}")]
        if len(raw):
            raise InputError(
                f"link: the {name} hold ids that can lead to the person ({len(raw)} of them); expected a keyed hash of "
                f"{DIGITS} hexadecimal digits. Give key=, the same for both tables, and they are replaced."
            )
    return transactions, answers


def _behaviour(
    transactions: Transactions, as_of: Date | str | None, day: Date, discount: float
) -> tuple[pd.DataFrame, list[str]]:
    """Phase, RFM and value of every customer, and what the models of value have to say."""
    traced = lifecycle.trace(transactions, complete_to=as_of)
    phase = traced.phases.groupby("customer_id")["phase"].last()
    scored = rfm.analyse(transactions, as_of, scheme="quantile").customers.set_index("customer_id")
    parts = value.value_parts(transactions, as_of=as_of, discount=discount)
    worth = parts.table.set_index("customer_id")
    found = scored[["recency_days", "frequency", "monetary", "segment"]].join(phase, how="left")
    found["phase"] = found["phase"].fillna("exploration")  # her first order lies in a month that has not ended
    found = found.join(worth[["historical", "current", "potential", "probability_alive"]])
    found["revenue"] = _revenue(transactions, day).reindex(found.index, fill_value=0.0)
    found["rate"] = found["potential"] / found["probability_alive"].clip(lower=0.02)
    order = ["phase", "recency_days", "frequency", "monetary", "segment", "revenue"]
    return found[[*order, *(name for name in found.columns if name not in order)]], parts.problems


def _revenue(transactions: Transactions, day: Date) -> pd.Series:
    """What each customer spent in the year up to a day."""
    table = transactions.table
    recent = table.filter(table.date > ibis.literal(day - _YEAR), table.date <= ibis.literal(day))
    sums = to_frame(recent.group_by("customer_id").agg(revenue=recent.amount.sum()))
    return sums.set_index("customer_id")["revenue"]


def _check_measures(asked: Questionnaire, answers: pd.DataFrame, measures: Sequence[str], known: pd.DataFrame) -> None:
    lacking = [name for name in ("Satisfaction", "Loyalty") if name not in asked.constructs.index]
    absent = [name for name in measures if name not in answers.columns]
    if lacking or absent:
        raise InputError(
            f"link: {', '.join([*lacking, *absent])} not found in questionnaire or survey. Correct the name."
        )
    taken = [*known.columns, "surveyed", "satisfaction", "loyalty", "alive", "silence", "declining", "unknown"]
    for name in measures:
        if name in taken:
            raise InputError(
                f"link: the measure {name} is called like a column of the result. Rename it in the survey."
            )


def _scores(
    asked: Questionnaire, answers: pd.DataFrame, measures: Sequence[str]
) -> tuple[pd.DataFrame, int, list[str]]:
    """Satisfaction and loyalty from the index (PLS weights), and the further measures, by customer_id.

    With it, how many answers were repeated, and what the index has to say.
    """
    last = answers.drop_duplicates("customer_id", keep="last")
    responses = read_responses(last[[*asked.items.index]].reset_index(drop=True), asked)
    # Two resamples are the fewest there can be: the scores need none.
    index = csi.estimate(asked, responses, bootstrap=2)
    ids = pd.Series(last["customer_id"].to_numpy(), index=responses.data.index).loc[index.scores.index]
    numbers = measured("link", {name: last[name] for name in measures}) if measures else last[[]]
    further = numbers.set_axis(responses.data.index).loc[index.scores.index]
    # Two resamples say nothing of intervals, and ids and groups are looked at here and not by the questionnaire.
    told = [each for each in index.problems if "resamples" not in each and "has no column" not in each]
    scores = index.scores[["Satisfaction", "Loyalty"]].rename(columns=str.lower).join(further)
    return scores.set_index(pd.Index(ids, name="customer_id")), len(answers) - len(last), told


# --- What those who did not answer would have said ------------------------------------------------------------------


def _expected(customers: pd.DataFrame, measures: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Least squares on the orders, judged on customers it was not fitted to; the mean where that is no better."""
    x = _features(customers)
    expected, told = {}, []
    for name in measures:
        seen = customers[name].notna().to_numpy()
        y = customers[name].to_numpy(dtype=float)
        r_squared, error = _cross_validated(x[seen], y[seen])
        useful = seen.sum() >= _FEWEST and r_squared > 0
        guess = x @ _least_squares(x[seen], y[seen]) if useful else np.full(len(x), y[seen].mean())
        expected[f"{name}_expected"] = np.where(seen, y, guess)
        told.append({"measure": name, "r_squared": r_squared, "error": error, "customers": int(seen.sum())})
    return pd.DataFrame(expected, index=customers.index), pd.DataFrame(told).set_index("measure")


def _features(customers: pd.DataFrame) -> Array:
    """Intercept, phase, and what the orders say, as columns."""
    phase = pd.get_dummies(customers["phase"].astype("str"), drop_first=True, dtype=float).to_numpy()
    logs = np.log1p(customers[["recency_days", "frequency", "monetary"]].clip(lower=0).to_numpy(dtype=float))
    return np.column_stack([np.ones(len(customers)), customers["probability_alive"], logs, phase])


def _least_squares(x: Array, y: Array) -> Array:
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=float)


def _cross_validated(x: Array, y: Array) -> tuple[float, float]:
    """R² and error of each tenth of the customers, foretold from the others; the order of hashed ids is random."""
    fold = np.arange(len(y)) % min(_FOLDS, len(y))
    foretold = np.full(len(y), y.mean())
    for each in np.unique(fold) if len(y) >= _FEWEST else ():
        inside = fold != each
        foretold[~inside] = x[~inside] @ _least_squares(x[inside], y[inside])
    errors = float(((y - foretold) ** 2).mean())
    spread = float(y.var())
    return (1 - errors / spread if spread > 0 else 0.0), float(np.sqrt(errors))


def _about(counts: pd.Series, prediction: pd.DataFrame) -> list[str]:
    explained, error = prediction.loc[["satisfaction"], ["r_squared", "error"]].to_numpy()[0]
    said = [
        f"{counts['without_survey']:,} of {counts['customers']:,} customers did not answer the survey. What is "
        f"expected of them comes from their orders, which explain {max(explained, 0):.0%} of the differences "
        f"in satisfaction (cross-validated; error {error:.0f} points), and supposes that they feel as "
        "those do who answered."
    ]
    alone, again, nameless = (int(counts[name]) for name in ("without_orders", "repeated", "without_id"))
    if alone:
        said.append(
            f"{alone:,} of {counts['respondents']:,} respondents "
            f"{worded(alone, 'has no orders under the id; it is', 'have no orders under their id; they are')} left out."
        )
    if again:
        said.append(
            f"{again:,} {worded(again, 'answer repeats', 'answers repeat')} a customer who answered later; the last "
            "answer counts."
        )
    if nameless:
        said.append(
            f"{nameless:,} {worded(nameless, 'answer has no id and is', 'answers have no id and are')} left out."
        )
    return said
