"""Customer lifetime value after Dwyer (1989): customers lost for good, and customers who are only away (chapter 4).

**Retention model** ("lost for good"): who does not renew is gone. With margin m, retention r and discount rate d per
period, the value of a customer is Σ m rᵗ/(1+d)ᵗ.
**Migration model** ("always a share"): who does not buy moves one cell down, and returns from recency cell j with
probability p_j. The tree of all buying histories (Dwyer) and the Markov chain over cells (Pfeifer & Carraway 2000) are
two ways to write the same sum.

Conventions are arguments, because half of the differences between published values come from them: whether the margin
of the purchase that makes the customer counts (`first_margin`), and when a period's promotion is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

from .told import Array, discount_rate, number, numbers, one_of, whole

if TYPE_CHECKING:
    import pandas as pd

FIRST_MARGIN = ("renewal", "now")


# --- Lost for good ----------------------------------------------------------------------------------------------------


def retention_clv(
    margin: float,
    retention: float | Sequence[float],
    discount: float,
    *,
    periods: int | None = None,
    first_margin: str = "renewal",
    promotion: float = 0.0,
    promotion_time: float = 0.5,
    acquisition: float = 0.0,
) -> float:
    """Present value of a customer who is lost for good when she does not renew.

    With S_t = r₁ r₂ … r_t the share of customers left after t renewals and n = `periods`:

        Σ_{t=1}^{n} m S_t/(1+d)^t  −  Σ_{t=1}^{n} M S_{t−1}/(1+d)^(t−1+τ)  −  acquisition,  plus m with "now".

    For constant r, without promotion and without end this is m r/(1 + d − r).

    Parameters
    ----------
    margin : float
        m, per customer and period; may be negative.
    retention : float in [0, 1], or a sequence of them
        r per period; a sequence gives the rate of renewal 1, 2, …, and its last rate holds from then on.
    discount : float in (−1, 1], usually ≥ 0
        d per period (not per year, unless periods are years).
    periods : int, optional
        n, renewals counted; default without end.
    first_margin : "renewal" or "now"
        "renewal": the first margin comes with the first renewal, one period from now, and only from those who renew
        (the value of a customer about to be asked). "now": the margin of the purchase that makes her a customer, at
        time 0, counts too (the value of a customer about to be won; Berger & Nasr 1998).
    promotion : float
        M, spent in every period on each customer still there at its start.
    promotion_time : float in [0, 1]
        τ, the part of the period that has passed when it is paid.
    acquisition : float
        Spent at time 0 to win the customer.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Values missing or out of range; a sum without end that does not converge (r ≥ 1 + d, as r = 1 with d = 0).

    References
    ----------
    Dwyer, F. R. (1989). Customer lifetime valuation to support marketing decision making. Journal of Direct Marketing,
    3(4), 8–15. Berger, P. D., & Nasr, N. I. (1998). Customer lifetime value: Marketing models and applications. Journal
    of Interactive Marketing, 12(1), 17–30, case 1.

    Examples
    --------
    >>> round(retention_clv(260, 0.75, 0.2, periods=10, promotion=50, first_margin="now"), 2)
    568.78
    >>> round(retention_clv(100, 0.8, 0.0), 6)
    400.0
    """
    m, d = number(margin, "margin"), discount_rate(discount)
    rates = _rates(retention)
    one_of(first_margin, FIRST_MARGIN, "first_margin")
    spent, when = number(promotion, "promotion"), number(promotion_time, "promotion_time", 0, 1)
    renewed, asked = _present_counts(rates, d, None if periods is None else whole(periods, "periods", 0))
    now = m if first_margin == "now" else 0.0
    return float(now + m * renewed - spent * asked / (1 + d) ** when - number(acquisition, "acquisition"))


def _rates(retention: Any) -> Array:
    rates = numbers(np.atleast_1d(np.asarray(retention, dtype=object)), "retention")
    wrong = (rates < 0) | (rates > 1)
    if wrong.any():
        raise InputError(
            f"retention: found {rates[wrong][0]:g}; expected a share between 0 and 1. Write 75 % as 0.75, and give "
            "the share "
            "who stay, not who leave."
        )
    return rates


def _present_counts(rates: Array, d: float, periods: int | None) -> tuple[float, float]:
    """Discounted renewals Σ S_t/(1+d)^t and customers asked Σ S_{t−1}/(1+d)^(t−1), over t = 1 … periods."""
    v = 1 / (1 + d)
    steps = len(rates) if periods is None else min(len(rates), periods)
    left = np.r_[1.0, np.cumprod(rates[:steps])] * v ** np.arange(steps + 1)
    renewed, asked = left[1:].sum(), left[:-1].sum()
    q = rates[-1] * v
    more: float = np.inf if periods is None else periods - steps
    if more and left[-1] > 0:
        if not np.isfinite(more) and q >= 1:
            raise InputError(
                f"retention_clv: with retention {rates[-1]:g} and discount {d:g} the value of a customer without "
                "end is "
                "infinite. Give a number of periods, a discount rate above 0, or a retention rate below 1."
            )
        tail = more if q == 1 else (1 - q**more) / (1 - q)
        renewed, asked = renewed + left[-1] * q * tail, asked + left[-1] * tail
    return float(renewed), float(asked)


def retention_cash_flow(
    margin: float,
    retention: float | Sequence[float],
    discount: float,
    *,
    periods: int,
    first_margin: str = "renewal",
    promotion: float = 0.0,
    promotion_time: float = 0.5,
    acquisition: float = 0.0,
) -> pd.DataFrame:
    """The sum of `retention_clv` term by term.

    Returns
    -------
    DataFrame, index period 0 … periods
        customers (share left after the renewal), margin, promotion (spent in the period that ends here; in row 0 the
        acquisition), factor (of the margin), present_value, cumulative. The last cumulative value is `retention_clv`.

    Examples
    --------
    >>> table = retention_cash_flow(260, 0.75, 0.2, periods=10, promotion=50, first_margin="now")
    >>> table["cumulative"].round(2).iloc[[0, 1, -1]].tolist()
    [260.0, 376.86, 568.78]
    """
    import pandas as pd

    value = retention_clv(
        margin, retention, discount, periods=periods, first_margin=first_margin, promotion=promotion,
        promotion_time=promotion_time, acquisition=acquisition,
    )  # fmt: skip
    rates = _rates(retention)
    t = np.arange(periods + 1)
    path = np.r_[rates, np.full(max(periods - len(rates), 0), rates[-1])][:periods]
    left = np.r_[1.0, np.cumprod(path)]
    margins = margin * left * ((t > 0) | (first_margin == "now"))
    spent = np.r_[acquisition, promotion * left[:-1]]
    factor = (1 + discount) ** -t.astype(float)
    paid = np.r_[1.0, (1 + discount) ** -(t[:-1] + promotion_time)]
    present = margins * factor - spent * paid
    table = pd.DataFrame(
        {"customers": left, "margin": margins, "promotion": spent, "factor": factor, "present_value": present},
        index=pd.RangeIndex(periods + 1, name="period"),
    ).assign(cumulative=present.cumsum())
    assert abs(table["cumulative"].iloc[-1] - value) <= 1e-9 * (1 + np.abs(present).sum())
    return table


def break_even_retention(margin: float, discount: float, **terms: Any) -> float:
    """The retention rate at which a customer is worth exactly what she costs.

    Parameters
    ----------
    margin, discount, **terms
        As for `retention_clv`, without `retention`: acquisition and promotion cost, periods, first_margin.

    Returns
    -------
    float in [0, 1]
        0 if she pays whatever her loyalty. Where promotion costs more than the margin brings, loyalty makes her worth
        less: then it is the rate above which she no longer pays.

    Raises
    ------
    InputError
        If she never pays, however loyal; or what `retention_clv` refuses.

    Examples
    --------
    >>> round(break_even_retention(100, 0.25, acquisition=200), 6)
    0.833333
    """
    from scipy.optimize import brentq

    def worth(retention: float) -> float:
        return retention_clv(margin, retention, discount, **terms)

    limit = min(1.0, (1 + discount_rate(discount)) * (1 - 1e-9)) if terms.get("periods") is None else 1.0
    low, high = worth(0.0), worth(limit)
    if low >= 0 and high >= 0:
        return 0.0
    if low < 0 and high < 0:
        raise InputError(
            f"break_even_retention: even with retention {limit:.6g} the customer is worth {high:,.2f}. Lower the "
            "cost of "
            "winning and keeping her, or raise the margin."
        )
    return float(brentq(worth, 0.0, limit, xtol=1e-14))


def clv_sensitivity(
    margin: float, retention: float, discount: float, *, change: float = 0.1, **terms: Any
) -> pd.DataFrame:
    """What the value becomes when margin, retention or discount is a little lower or higher, the largest swing first.

    Parameters
    ----------
    margin, retention, discount, **terms
        As for `retention_clv`; retention is one number.
    change : float in (0, 1)
        0.1 moves each input by 10 % of itself; retention and discount stop at 1. A discount of 0 does not move.

    Returns
    -------
    DataFrame, index retention, margin, discount: base, low, high (the input), clv_low, clv_high, swing

    Raises
    ------
    InputError
        What `retention_clv` refuses; a change that leads to a value without end.

    Examples
    --------
    >>> clv_sensitivity(100, 0.8, 0.1)[["clv_low", "clv_high"]].round(1).loc["retention"].tolist()
    [189.5, 400.0]
    """
    import pandas as pd

    share = number(change, "change", 0, 1, above=True)
    given = {"margin": margin, "retention": retention, "discount": discount}
    base = {name: number(value, name) for name, value in given.items()}
    retention_clv(base["margin"], base["retention"], base["discount"], **terms)
    most = min(base["retention"] * (1 + share), 1.0)
    if terms.get("periods") is None and most >= 1 + base["discount"]:
        raise InputError(
            f"clv_sensitivity: retention {base['retention']:g} raised by {100 * share:g} % is {most:g}, and with "
            f"discount {base['discount']:g} the value is then without end. Take a smaller change, or give periods."
        )
    rows = {}
    for name, value in base.items():
        ends = [value * (1 - share), value * (1 + share)]
        if name != "margin":
            ends[1] = min(ends[1], 1.0)
        moved = ({**base, name: end} for end in ends)
        low, high = (retention_clv(own["margin"], own["retention"], own["discount"], **terms) for own in moved)
        rows[name] = {
            "base": value,
            "low": ends[0],
            "high": ends[1],
            "clv_low": low,
            "clv_high": high,
            "swing": abs(high - low),
        }
    return (
        pd.DataFrame.from_dict(rows, orient="index")
        .rename_axis("input")
        .sort_values("swing", ascending=False, kind="stable")
    )


# --- Always a share ---------------------------------------------------------------------------------------------------


def migration_matrix(probabilities: Any) -> pd.DataFrame:
    """Transition probabilities between recency cells 1 … K and "lost".

    From cell j a customer buys with probability p_j and is then in cell 1, else she moves to j + 1; from the last cell
    she is lost, and lost customers stay so.

    Examples
    --------
    >>> migration_matrix([0.3, 0.2]).to_numpy().round(2).tolist()
    [[0.3, 0.7, 0.0], [0.2, 0.0, 0.8], [0.0, 0.0, 1.0]]
    """
    import pandas as pd

    p = _chances(probabilities)
    cells = [*range(1, len(p) + 1), "lost"]
    matrix = np.zeros((len(cells), len(cells)))
    matrix[:-1, 0] = p
    matrix[np.arange(len(p)), np.arange(1, len(cells))] += 1 - p
    matrix[-1, -1] = 1
    labels = pd.Index(cells, dtype=object, name="recency")
    return pd.DataFrame(matrix, labels, labels.rename("to"))


def migration_clv(
    margin: float,
    probabilities: Any,
    discount: float,
    *,
    periods: int | None = None,
    first_margin: str = "now",
    promotion: float = 0.0,
    method: str = "markov",
) -> pd.Series:
    """Present value of a customer in each recency cell, who may come back from any of them.

    Cell 1 holds those who have just bought. A customer in cells 1 … K gets the promotion at the start of the period
    and buys at its end with the probability of her cell. Markov form: V = (I − P/(1+d))⁻¹ R, with R = m − M in cell 1
    and −M in the others. Tree form: buyers C_i = Σ_j C_{i−j} p_j Π_{k<j} (1 − p_k).

    Parameters
    ----------
    margin : float
        m of a purchase.
    probabilities : array
        p_j for j = 1 … K periods since the last purchase.
    discount : float
        d per period, above 0 unless `periods` is given or no customer stays for ever.
    periods : int, optional
        Periods counted, with their purchases; default without end.
    first_margin : "now" or "renewal"
        "now": the purchase that has just put her into cell 1 counts (Pfeifer & Carraway). "renewal": only later ones.
    promotion : float
        M, spent at the start of every period on each customer who is not lost.
    method : "markov" or "tree"
        Two ways to the same numbers; the tree needs `periods`.

    Returns
    -------
    Series, index recency 1 … K, "lost"
        With `attrs["problems"]`.

    Raises
    ------
    InputError
        Values missing or out of range, a value without end, or a tree without `periods`.

    References
    ----------
    Dwyer (1989), see `retention_clv`. Pfeifer, P. E., & Carraway, R. L. (2000). Modeling customer relationships as
    Markov chains. Journal of Interactive Marketing, 14(2), 43–55.

    Examples
    --------
    >>> migration_clv(40, [0.3, 0.2, 0.15, 0.05], 0.2, promotion=4).round(3).tolist()
    [52.32, 5.554, 1.251, -1.82, 0.0]
    """
    import pandas as pd

    p = _chances(probabilities)
    m, spent = number(margin, "margin"), number(promotion, "promotion")
    d = discount_rate(discount)
    horizon = None if periods is None else whole(periods, "periods", 0)
    one_of(first_margin, FIRST_MARGIN, "first_margin")
    if one_of(method, ("markov", "tree"), "method") == "tree":
        if horizon is None:
            raise InputError("migration_clv: a tree has an end. Give periods, or use method='markov'.")
        later = np.array([_tree_value(p, cell, m, spent, d, horizon) for cell in range(len(p))])
    else:
        later = _markov_value(p, m, spent, d, horizon)
    value = np.r_[later, 0.0]
    if first_margin == "now":
        value[0] += m
    cells = pd.Index([*range(1, len(p) + 1), "lost"], dtype=object, name="recency")
    found = pd.Series(value, index=cells, name="value")
    unpaid = [cell for cell in cells[:-1] if found[cell] < 0]
    found.attrs["problems"] = [
        f"Customers last seen {', '.join(map(str, unpaid))} period(s) ago are worth less than nothing at this "
        "promotion: "
        "stop sending it to them, or make it cheaper."
    ] * bool(unpaid)
    return found


def _chances(probabilities: Any) -> Array:
    p = numbers(probabilities, "probabilities")
    if ((p < 0) | (p > 1)).any():
        raise InputError(
            f"probabilities: found {p[(p < 0) | (p > 1)][0]:g}; expected shares between 0 and 1, one for each "
            "recency cell."
        )
    return p


def _markov_value(p: Array, m: float, spent: float, d: float, periods: int | None) -> Array:
    """Value of the purchases to come, by cell."""
    moves = migration_matrix(p).to_numpy()[:-1, :-1] / (1 + d)
    earned = m * p / (1 + d) - spent
    if periods is None:
        if np.abs(np.linalg.eigvals(moves)).max() >= 1 - 1e-12:
            raise InputError(
                f"migration_clv: with discount {d:g} the value without end is infinite: a customer is never lost. "
                "Give a "
                "number of periods, or a discount rate above 0."
            )
        whole_value: Array = np.linalg.solve(np.eye(len(p)) - moves, earned)
        return whole_value
    value = np.zeros(len(p))
    for _ in range(periods):
        value = earned + moves @ value
    return value


def _tree_value(p: Array, cell: int, m: float, spent: float, d: float, periods: int) -> float:
    """Dwyer's tree from one cell: buyers of each period from the buyers before, and who is still written to."""
    silent = np.r_[1.0, np.cumprod(1 - p)]
    returns = p * silent[:-1]
    # Those who start in `cell` are buyers of `cell` periods ago who have stayed away since.
    own_silence = np.r_[1.0, np.cumprod(1 - p[cell:])]
    value, buyers = 0.0, np.zeros(periods + 1)
    for i in range(periods + 1):
        if i:
            first = p[cell + i - 1] * own_silence[i - 1] if cell + i <= len(p) else 0.0
            buyers[i] = first + sum(buyers[i - j] * returns[j - 1] for j in range(1, min(i, len(p) + 1)))
            value += m * buyers[i] / (1 + d) ** i
        if i < periods:
            written = own_silence[i] if cell + i < len(p) else 0.0
            written += sum(buyers[i - j] * silent[j] for j in range(min(i, len(p))))
            value -= spent * written / (1 + d) ** i
    return value
