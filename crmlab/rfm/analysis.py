"""An RFM analysis from transactions to segments, with everything a report says about it (chapter 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmlab.rfm.bands import Bands
from crmlab.rfm.measures import table
from crmlab.rfm.prediction import gain_curve, grid, revenue_of
from crmlab.rfm.scoring import bands_of, score
from crmlab.rfm.segments import Segments, segment

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crmlab.transactions import Transactions


@dataclass(frozen=True, eq=False)
class RfmAnalysis:
    """Customers with their scores and segments.

    Attributes
    ----------
    customers : DataFrame customer_id, recency_days, frequency, monetary, r, f, m, code, segment
    segments : DataFrame, index segment, in the order of the rules
        customers, share, revenue, revenue_share, recency_days (median), frequency and monetary (means); only segments
        that have customers.
    grid : DataFrame from :func:`crmlab.rfm.grid`
    pareto : dict top_20 (share of revenue from the 20 % of customers who paid most), for_80 (share of customers, those
        who paid most, that makes 80 % of the revenue); None where there is no revenue.
    bands, rules : the Bands and Segments applied
    as_of : date
    transactions : number of lines
    source : what messages call the data
    problems : list of str
    """

    customers: pd.DataFrame
    segments: pd.DataFrame
    grid: pd.DataFrame
    pareto: dict[str, float | None]
    bands: Bands
    rules: Segments
    as_of: Date
    transactions: int
    source: str
    problems: list[str]

    @property
    def headline(self) -> str:
        """The result in one sentence."""
        row = self.largest
        return (
            f"{len(self.customers):,} customers on {self.as_of}: {row.name} are {row['share']:.0%} of them and bring "
            f"{row['revenue_share']:.0%} of the revenue."
        )

    @property
    def largest(self) -> pd.Series:
        """The row of the segment with the largest revenue."""
        return self.segments.iloc[int(self.segments["revenue"].to_numpy().argmax())]

    def plot(self, kind: str = "segments", *, language: str = "en", ax: Axes | None = None) -> Axes:
        """Draw "segments", or the map of "customers" or "revenue" by recency and frequency score."""
        from crmlab.plots import rfm as plots

        if kind == "segments":
            labels = {name: str(self.rules.about.loc[name, "zh"]) for name in self.segments.index}
            return plots.segment_bars(
                self.segments, labels=labels if language == "zh" else None, language=language, ax=ax
            )
        best = {name: ends[1] for name, ends in self.bands.scale.items()}
        return plots.heat_map(self.grid, value=kind, best=best, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """The key numbers, as JSON holds them."""
        shares = self.segments[["customers", "share", "revenue_share"]]
        return {
            "customers": len(self.customers),
            "transactions": self.transactions,
            "as_of": str(self.as_of),
            "scheme": self.customers.attrs["scheme"],
            "segments": {
                str(name): {
                    "customers": int(row["customers"]),
                    "share": float(row["share"]),
                    "revenue_share": _known(row["revenue_share"]),
                }
                for name, row in shares.iterrows()
            },
            "pareto": self.pareto,
            "problems": self.problems,
        }

    def _repr_html_(self) -> str:
        import html

        said = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems) or "<li>No problem found.</li>"
        return f"<p><b>RFM</b>: {html.escape(self.headline)}</p><ul>{said}</ul>"


def analyse(
    transactions: Transactions,
    as_of: Date | str | None = None,
    *,
    scheme: str = "rubric",
    segments: Any = "default",
    monetary: str = "sum",
    orders: str = "auto",
    **options: Any,
) -> RfmAnalysis:
    """Measure, score and segment the customers of some transactions.

    Parameters
    ----------
    transactions, as_of, monetary, orders : as for :func:`crmlab.rfm.table`
    scheme, options : as for :func:`crmlab.rfm.score`; options are bands, bins, one_time_apart, unit and direction
    segments : as for :func:`crmlab.rfm.segment`

    Raises
    ------
    InputError
        As these three do.

    Examples
    --------
    >>> from crmlab.datasets import load_cdnow
    >>> from crmlab.transactions import Transactions
    >>> analysis = analyse(Transactions(load_cdnow(sample=True)), scheme="quantile")
    >>> print(analysis.headline)
    2,357 customers on 1998-06-30: Champions are 26% of them and bring 68% of the revenue.
    >>> round(analysis.pareto["top_20"], 2)
    0.67
    """
    rules = Segments.of(segments)
    measured = table(transactions, as_of, monetary=monetary, orders=orders)
    bands = bands_of(measured, scheme, **options)
    customers = segment(score(measured, scheme, **options), rules)
    revenue = revenue_of(customers)
    problems = [*transactions.problems, *customers.attrs["problems"]]
    return RfmAnalysis(
        customers,
        _segments(customers, revenue, rules),
        grid(customers),
        _pareto(revenue),
        bands,
        rules,
        Date.fromisoformat(measured.attrs["as_of"]),
        transactions.n - measured.attrs["left_out"],
        transactions.name,
        list(dict.fromkeys(problems)),
    )


def _segments(customers: pd.DataFrame, revenue: pd.Series, rules: Segments) -> pd.DataFrame:
    groups = customers.assign(revenue=revenue).groupby("segment")
    found = pd.DataFrame({"customers": groups.size(), "revenue": groups["revenue"].sum()})
    found.insert(1, "share", found["customers"] / len(customers))
    total = revenue.sum()
    found["revenue_share"] = found["revenue"] / total if total > 0 else float("nan")
    found["recency_days"] = groups["recency_days"].median()
    found["frequency"] = groups["frequency"].mean()
    found["monetary"] = groups["monetary"].mean()
    return found.loc[[name for name in rules.names if name in found.index]]


def _pareto(revenue: pd.Series) -> dict[str, float | None]:
    """How concentrated the revenue is; what customers took back counts as nothing."""
    paid = revenue.clip(lower=0)
    if not paid.sum() > 0:
        return {"top_20": None, "for_80": None}
    curve = gain_curve(paid, paid, points=1000)
    enough = curve.loc[curve["gain"] >= 0.8, "share"]
    return {"top_20": float(curve["gain"].iloc[200]), "for_80": float(enough.iloc[0])}


def _known(value: float) -> float | None:
    return float(value) if value == value else None
