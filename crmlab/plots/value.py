"""Figures of customer value (chapter 4): Pareto and whale curve, Dwyer's models, events, forecasts, clusters.

Each function takes a plain table, draws one message, and returns the Axes with title, axis names and alternative text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .csi_texts import number
from .rows import broken, intervals, name_rows, require, row_centres, title, value_column
from .style import PALETTE, SERIES, axes_or_new, set_alt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Everything the figures print or say, by language.
TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "join": "; ",
        "pareto_title": "The best {top} % of the customers bring {share} % of the revenue",
        "pareto_x": "Customers, from the best on (%)",
        "pareto_y": "Revenue, cumulative (%)",
        "pareto_alt": "Cumulative revenue over customers, from the best on: the best {top} % bring {share} % "
        "(interval {low} to {high} %). The dashed diagonal would be equal customers.",
        "whale_title": "Profit peaks at {peak} % of the total, then {losing} % of the customers take it back",
        "whale_title_none": "No customer takes profit back",
        "whale_y": "Profit, cumulative (% of the total)",
        "whale_alt": "Cumulative profit over customers, from the most profitable on. It reaches {peak} % of the "
        "total at "
        "{at} % of the customers and ends at 100 %; {losing} % of the customers bring a loss.",
        "models_title": "The same customers, worth {low} or {high}",
        "models_x": "Present value of the purchases to come (money per new customer)",
        "models_alt": "Value per customer with interval: {listing}.",
        "lost for good": "lost for good",
        "always a share": "always a share",
        "rates_title": "Who pauses may come back",
        "rates_x": "Periods since the last purchase",
        "rates_y": "Buy in the next period (%)",
        "rates_alt": "Bars of return rates with 95 % intervals by periods since the last purchase: {listing}.",
        "tornado_title": "What the value hangs on: each input {change} % lower or higher",
        "tornado_x": "Customer lifetime value (money); now {now}. Pale hatched: input lower; dark: higher",
        "tornado_alt": "Bars around a value of {now} with each input {change} % lower and higher: {listing}.",
        "tornado_row": "{name} {low} to {high}",
        "retention": "retention",
        "margin": "margin",
        "discount": "discount rate",
        "events_title": "What is foreseen of each customer, and how sure it is",
        "events_x": "Net present value (money); line: interval of the simulation",
        "events_alt": "Net present value with interval by customer: {listing}.",
        "events_row": "{name} {npv} ({low} to {high})",
        "loss": "{p} % loss",
        "tracking_title": "Repeat purchases, foretold and counted",
        "tracking_x": "{unit} since the first day",
        "days_1": "Days",
        "days_7": "Weeks",
        "days_other": "Periods of {days:g} days",
        "tracking_y": "Repeat purchases, cumulative (number)",
        "tracking_alt": "Cumulative repeat purchases over time, counted and expected. At the end of the calibration "
        "{a} counted, {b} expected; at the end of the holdout {c} and {d}.",
        "counted": "counted",
        "expected": "expected",
        "holdout": "not seen by the model",
        "frequency_title": "Customers by repeat purchases in the calibration period",
        "frequency_x": "Repeat purchases in the calibration period",
        "frequency_y": "Customers (number)",
        "frequency_alt": "Customers by number of repeat purchases, counted and expected: {listing}.",
        "pair": "{name}: {a} and {b}",
        "conditional_title": "What customers did next, by what they had done",
        "conditional_y": "Purchases in the holdout period (mean)",
        "conditional_alt": "Mean purchases in the holdout period by repeat purchases before, counted and expected: "
        "{listing}.",
        "parts_title": "Past and future value of the customers, best tenth first",
        "parts_x": "Tenth of the customers, by total value",
        "parts_y": "Value (money, sum of the tenth)",
        "parts_alt": "Stacked bars of historical, current and potential value by tenth of the customers. The first "
        "tenth: {first}. All: {all}.",
        "historical": "historical",
        "current": "current",
        "potential": "potential",
        "contribution_title": "Where the contribution comes from",
        "contribution_x": "Share (%). Dark: contribution; pale hatched: revenue",
        "contribution_alt": "Shares of contribution and revenue: {listing}.",
        "contribution_row": "{name} contribution {a} %, revenue {b} %",
        "profile_title": "How each cluster differs from the mean customer",
        "profile_x": "Mean of the cluster as a multiple of that of all customers (1: the same)",
        "profile_alt": "Dots of cluster means as multiples of the overall mean. {listing}.",
        "profile_row": "cluster {name}, {share} % of the customers: {means}",
        "cluster": "cluster {name} ({share} %)",
    },
    "zh": {
        "join": "；",
        "pareto_title": "最好的 {top}% 顾客带来 {share}% 的收入",
        "pareto_x": "顾客，由好到差（%）",
        "pareto_y": "累计收入（%）",
        "pareto_alt": "由好到差的累计收入：最好的 {top}% 顾客带来 {share}%（区间 {low}% 到 {high}%）。"
        "虚线为人人相同的情形。",
        "whale_title": "利润最高达总额的 {peak}%，随后被 {losing}% 的顾客抵消",
        "whale_title_none": "没有顾客抵消利润",
        "whale_y": "累计利润（占总额的百分比）",
        "whale_alt": "由高到低的累计利润：在 {at}% 的顾客处达到总额的 {peak}%，最终为 100%；{losing}% 的顾客亏损。",
        "models_title": "同一批顾客，价值为 {low} 或 {high}",
        "models_x": "未来购买的现值（每位新顾客，货币单位）",
        "models_alt": "每位顾客的价值及区间：{listing}。",
        "lost for good": "一去不返",
        "always a share": "暂时离开",
        "rates_title": "停购的顾客可能回来",
        "rates_x": "距上次购买的期数",
        "rates_y": "下一期购买（%）",
        "rates_alt": "按距上次购买期数的回购率及 95% 区间：{listing}。",
        "tornado_title": "价值取决于什么：各输入降低或提高 {change}%",
        "tornado_x": "顾客终身价值（货币单位）；现为 {now}。浅色斜纹：输入降低；深色：提高",
        "tornado_alt": "以 {now} 为中心，各输入降低或提高 {change}% 时的价值：{listing}。",
        "tornado_row": "{name} {low} 到 {high}",
        "retention": "保持率",
        "margin": "毛利",
        "discount": "贴现率",
        "events_title": "各顾客的预期价值及其把握",
        "events_x": "净现值（货币单位）；横线：模拟区间",
        "events_alt": "各顾客的净现值及区间：{listing}。",
        "events_row": "{name} {npv}（{low} 到 {high}）",
        "loss": "亏损 {p}%",
        "tracking_title": "重复购买：预测与实际",
        "tracking_x": "自第一天起的时间（{unit}）",
        "days_1": "天",
        "days_7": "周",
        "days_other": "每单位 {days:g} 天",
        "tracking_y": "累计重复购买（次）",
        "tracking_alt": "累计重复购买，实际与预期。校准期末实际 {a}，预期 {b}；保留期末为 {c} 与 {d}。",
        "counted": "实际",
        "expected": "预期",
        "holdout": "模型未见",
        "frequency_title": "校准期内各重复购买次数的顾客数",
        "frequency_x": "校准期内的重复购买次数",
        "frequency_y": "顾客（人数）",
        "frequency_alt": "各重复购买次数的顾客数，实际与预期：{listing}。",
        "pair": "{name}：{a} 与 {b}",
        "conditional_title": "顾客此后的购买，按此前的购买次数",
        "conditional_y": "保留期内的购买次数（均值）",
        "conditional_alt": "按此前重复购买次数的保留期平均购买次数，实际与预期：{listing}。",
        "parts_title": "顾客的过去与未来价值，最好的十分之一在前",
        "parts_x": "按总价值排列的顾客十分位",
        "parts_y": "价值（货币单位，该十分位之和）",
        "parts_alt": "各十分位的历史、当前与潜在价值。第一十分位：{first}。全部：{all}。",
        "historical": "历史价值",
        "current": "当前价值",
        "potential": "潜在价值",
        "contribution_title": "贡献来自哪里",
        "contribution_x": "份额（%）。深色：贡献；浅色斜纹：收入",
        "contribution_alt": "贡献与收入的份额：{listing}。",
        "contribution_row": "{name} 贡献 {a}%，收入 {b}%",
        "profile_title": "各类顾客与平均顾客的差别",
        "profile_x": "该类均值为全体均值的倍数（1：相同）",
        "profile_alt": "各类均值为全体均值的倍数。{listing}。",
        "profile_row": "第 {name} 类，占 {share}%：{means}",
        "cluster": "第 {name} 类（{share}%）",
    },
}

_MARKERS = ("o", "s", "D", "^", "v", "P")


def _words(language: str) -> dict[str, str]:
    if language not in TEXTS:
        raise ValueError(f"language: {language!r} is not known; expected one of {', '.join(TEXTS)}.")
    return TEXTS[language]


def _label(ax: Axes, heading: str, x: str, y: str = "") -> None:
    title(ax, heading)
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def _legend(ax: Axes) -> None:
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=4)


# --- Concentration ----------------------------------------------------------------------------------------------------


def pareto_curve(
    curve: pd.DataFrame,
    *,
    top: float,
    share: float,
    interval: tuple[float, float] = (np.nan, np.nan),
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw cumulative revenue over customers, from the best on, with the point of the top share.

    Parameters
    ----------
    curve : DataFrame: customer_share, value_share, both rising from 0 to 1
    top, share : float
        The point.
    interval : pair of float
        Of the share.
    language : "en" or "zh"
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"customer_share": [0, 0.5, 1], "value_share": [0, 0.8, 1]})
    >>> pareto_curve(curve, top=0.5, share=0.8).get_title(loc="left")
    'The best 50 % of the customers bring 80 % of the revenue'
    """
    say = _words(language)
    require(curve, ("customer_share", "value_share"), "pareto_curve")
    ax = axes_or_new(ax, height=3.6)
    ax.plot([0, 100], [0, 100], linestyle="--", color=PALETTE["grey"], linewidth=1)
    ax.plot(100 * curve["customer_share"], 100 * curve["value_share"], color=PALETTE["highlight"], linewidth=2)
    ax.plot([100 * top] * 2 + [0], [0] + [100 * share] * 2, color=PALETTE["grey"], linestyle=":", linewidth=1.2)
    if np.isfinite(interval).all():
        ax.plot([100 * top] * 2, 100 * np.array(interval), color=PALETTE["ink"], linewidth=3, solid_capstyle="butt")
    ax.scatter([100 * top], [100 * share], s=45, color=SERIES[1], zorder=4)
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 102)
    said = {"top": f"{100 * top:g}", "share": f"{100 * share:.0f}"}
    _label(ax, say["pareto_title"].format(**said), say["pareto_x"], say["pareto_y"])
    low, high = (f"{100 * limit:.1f}" for limit in interval)
    set_alt(ax, say["pareto_alt"].format(top=said["top"], share=f"{100 * share:.1f}", low=low, high=high))
    return ax


def whale(curve: pd.DataFrame, *, losing: float, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw cumulative profit over customers, from the most profitable on, with its peak.

    Parameters
    ----------
    curve : DataFrame: customer_share, profit_share
    losing : float
        Share of the customers with a loss.
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"customer_share": [0, 0.5, 0.8, 1], "profit_share": [0, 1.5, 1.5, 1]})
    >>> whale(curve, losing=0.2).get_title(loc="left")
    'Profit peaks at 150 % of the total, then 20 % of the customers take it back'
    """
    say = _words(language)
    require(curve, ("customer_share", "profit_share"), "whale")
    ax = axes_or_new(ax, height=3.6)
    x, y = 100 * curve["customer_share"].to_numpy(), 100 * curve["profit_share"].to_numpy()
    top = int(y.argmax())
    ax.fill_between(x[top:], y[top:], 100, color=PALETTE["pale"], hatch="////", edgecolor=PALETTE["hatch"], linewidth=0)
    ax.axhline(100, color=PALETTE["grey"], linestyle=":", linewidth=1.2)
    ax.plot(x, y, color=PALETTE["highlight"], linewidth=2)
    ax.scatter([x[top]], [y[top]], s=45, color=SERIES[1], zorder=4)
    ax.set_xlim(0, 100)
    ax.set_ylim(bottom=min(0, y.min()))
    said = {"peak": f"{y[top]:.0f}", "losing": f"{100 * losing:.0f}"}
    heading = say["whale_title"].format(**said) if losing else say["whale_title_none"]
    _label(ax, heading, say["pareto_x"], say["whale_y"])
    set_alt(ax, say["whale_alt"].format(at=f"{x[top]:.0f}", **said))
    return ax


def contribution_bars(
    table: pd.DataFrame, by: str, *, language: str = "en", ax: Axes | None = None, most: int = 12
) -> Axes:
    """Draw shares of contribution and of revenue side by side, for the largest rows.

    Parameters
    ----------
    table : DataFrame: the column `by`, contribution_share, revenue_share
    by : column whose values name the rows
    most : int
        Rows drawn at most.
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"region": ["north"], "contribution_share": [1.0], "revenue_share": [1.0]})
    >>> [text.get_text() for text in contribution_bars(table, "region").get_yticklabels()]
    ['north']
    """
    say = _words(language)
    require(table, (by, "contribution_share", "revenue_share"), "contribution_bars")
    table = table.head(most)
    names = [broken(str(name)) for name in table[by]]
    rows, room = row_centres(names, inches=0.42)
    ax = axes_or_new(ax, height=1.3 + 0.42 * room)
    centres = np.array(rows)
    bars: dict[str, Any] = {"height": 0.36, "edgecolor": PALETTE["ink"], "linewidth": 0.6}
    ax.barh(centres - 0.19, 100 * table["contribution_share"], color=PALETTE["main"], **bars)
    ax.barh(centres + 0.19, 100 * table["revenue_share"], color=PALETTE["pale"], hatch="////", **bars)
    name_rows(ax, names, rows)
    _label(ax, say["contribution_title"], say["contribution_x"])
    pairs = zip(names, table["contribution_share"], table["revenue_share"], strict=True)
    listing = [
        say["contribution_row"].format(name=name, a=f"{100 * own:.0f}", b=f"{100 * revenue:.0f}")
        for name, own, revenue in pairs
    ]
    set_alt(ax, say["contribution_alt"].format(listing=say["join"].join(listing)))
    return ax


# --- Dwyer ------------------------------------------------------------------------------------------------------------


def model_values(values: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the value of a customer under each model as a dot with its interval.

    Parameters
    ----------
    values : DataFrame, index model: clv, lower, upper
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"clv": [20.0, 45.0], "lower": [18, 40], "upper": [22, 50]})
    >>> table.index = ["lost for good", "always a share"]
    >>> model_values(table).get_title(loc="left")
    'The same customers, worth 20.0 or 45.0'
    """
    say = _words(language)
    require(values, ("clv", "lower", "upper"), "model_values")
    names = [say.get(str(name), str(name)) for name in values.index]
    rows, room = row_centres(names, inches=0.45)
    ax = axes_or_new(ax, height=1.3 + 0.45 * room)
    intervals(ax, rows, values["lower"], values["upper"], width=1.6)
    ax.scatter(values["clv"], rows, s=52, color=PALETTE["highlight"], zorder=4)
    name_rows(ax, names, rows)
    printed = [
        f"{number(value, 1)} ({number(low, 1)}–{number(high, 1)})"
        for value, low, high in zip(values["clv"], values["lower"], values["upper"], strict=True)
    ]
    value_column(ax, rows, printed)
    ax.set_xlim(left=min(0.0, float(values["lower"].min()) * 1.1))
    low, high = number(values["clv"].min(), 1), number(values["clv"].max(), 1)
    _label(ax, say["models_title"].format(low=low, high=high), say["models_x"])
    listing = say["join"].join(f"{name} {value}" for name, value in zip(names, printed, strict=True))
    set_alt(ax, say["models_alt"].format(listing=listing))
    return ax


def return_bars(rates: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the share who buy in the next period, by periods since the last purchase, with intervals.

    Parameters
    ----------
    rates : DataFrame, index recency: probability, lower, upper
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> rates = pd.DataFrame({"probability": [0.3, 0.2], "lower": [0.25, 0.15], "upper": [0.35, 0.25]}, index=[1, 2])
    >>> [float(bar.get_height()) for bar in return_bars(rates).patches]
    [30.0, 20.0]
    """
    say = _words(language)
    require(rates, ("probability", "lower", "upper"), "return_bars")
    ax = axes_or_new(ax, height=3.2)
    place = np.arange(len(rates))
    height = 100 * rates["probability"].to_numpy()
    ax.bar(place, height, width=0.6, color=PALETTE["main"], edgecolor=PALETTE["ink"], linewidth=0.6)
    reach = np.abs(100 * rates[["lower", "upper"]].to_numpy().T - height)
    ax.errorbar(place, height, yerr=reach, fmt="none", ecolor=PALETTE["ink"], capsize=4, linewidth=1.4)
    ax.set_xticks(place, [str(name) for name in rates.index])
    ax.grid(False, axis="x")
    _label(ax, say["rates_title"], say["rates_x"], say["rates_y"])
    listing = say["join"].join(f"{name}: {value:.1f} %" for name, value in zip(rates.index, height, strict=True))
    set_alt(ax, say["rates_alt"].format(listing=listing))
    return ax


def clv_tornado(
    swings: pd.DataFrame, now: float, *, change: float = 0.1, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw the value with each input lower and higher as bars around the value.

    Parameters
    ----------
    swings : DataFrame, index input, the longest bar first: clv_low, clv_high
    now : float
        The value with the inputs as they are.
    change : float
        Share by which inputs were moved; printed only.
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> swings = pd.DataFrame({"clv_low": [190.0, 240.0], "clv_high": [400.0, 293.0]}, ["retention", "margin"])
    >>> [text.get_text() for text in clv_tornado(swings, 267.0).get_yticklabels()]
    ['retention', 'margin']
    """
    say = _words(language)
    require(swings, ("clv_low", "clv_high"), "clv_tornado")
    names = [say.get(str(name), str(name)) for name in swings.index]
    rows, room = row_centres(names, inches=0.42)
    ax = axes_or_new(ax, height=1.4 + 0.42 * room)
    bars: dict[str, Any] = {"left": now, "height": 0.6, "edgecolor": PALETTE["ink"], "linewidth": 0.6}
    ax.barh(rows, swings["clv_low"] - now, color=PALETTE["pale"], hatch="////", **bars)
    ax.barh(rows, swings["clv_high"] - now, color=PALETTE["main"], **bars)
    ax.axvline(now, color=PALETTE["ink"], linewidth=1)
    name_rows(ax, names, rows)
    said = {"now": number(now, 1), "change": f"{100 * change:g}"}
    _label(ax, say["tornado_title"].format(**said), say["tornado_x"].format(**said))
    listing = [
        say["tornado_row"].format(name=name, low=number(low, 1), high=number(high, 1))
        for name, low, high in zip(names, swings["clv_low"], swings["clv_high"], strict=True)
    ]
    set_alt(ax, say["tornado_alt"].format(listing=say["join"].join(listing), **said))
    return ax


def event_values(statement: pd.DataFrame, *, language: str = "en", ax: Axes | None = None, most: int = 15) -> Axes:
    """Draw the net present value of each customer with its interval and the chance of a loss.

    Parameters
    ----------
    statement : DataFrame, index customer, the most valuable first: npv, lower, upper, chance_of_loss
    most : int
        Customers drawn at most.
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.DataFrame({"npv": [50.0], "lower": [-10.0], "upper": [90.0], "chance_of_loss": [0.2]}, index=["Li"])
    >>> [text.get_text() for text in event_values(one).texts]
    ['20 % loss']
    """
    say = _words(language)
    require(statement, ("npv", "lower", "upper", "chance_of_loss"), "event_values")
    table = statement.head(most)
    names = [broken(str(name)) for name in table.index]
    rows, room = row_centres(names, inches=0.36)
    ax = axes_or_new(ax, height=1.4 + 0.36 * room)
    ax.axvline(0, color=PALETTE["grey"], linestyle=":", linewidth=1.2)
    intervals(ax, rows, table["lower"], table["upper"], width=1.6)
    ax.scatter(table["npv"], rows, s=48, color=PALETTE["highlight"], zorder=4)
    name_rows(ax, names, rows)
    value_column(ax, rows, [say["loss"].format(p=f"{100 * chance:.0f}") for chance in table["chance_of_loss"]])
    _label(ax, say["events_title"], say["events_x"])
    listing = [
        say["events_row"].format(name=name, npv=f"{npv:,.0f}", low=f"{low:,.0f}", high=f"{high:,.0f}")
        for name, npv, low, high in zip(table.index, table["npv"], table["lower"], table["upper"], strict=True)
    ]
    set_alt(ax, say["events_alt"].format(listing=say["join"].join(listing)))
    return ax


# --- Forecasts --------------------------------------------------------------------------------------------------------


def tracking(table: pd.DataFrame, unit_days: float = 7, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw cumulative repeat purchases, counted and expected, with the holdout period shaded.

    Parameters
    ----------
    table : DataFrame, index time: actual, expected, holdout (true where the model had not seen the data)
    unit_days : days in a unit of the table's time
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"actual": [1, 3], "expected": [1.2, 2.9], "holdout": [False, True]}, index=[1, 2])
    >>> [text.get_text() for text in tracking(table).get_legend().get_texts()]
    ['counted', 'expected', 'not seen by the model']
    """
    say = _words(language)
    require(table, ("actual", "expected", "holdout"), "tracking")
    ax = axes_or_new(ax, height=3.6)
    ax.plot(table.index, table["actual"], color=PALETTE["highlight"], linewidth=2.2, label=say["counted"])
    ax.plot(table.index, table["expected"], color=SERIES[1], linestyle="--", linewidth=2, label=say["expected"])
    seen = int((~table["holdout"]).sum())
    if table["holdout"].any():
        start = table.index[max(seen - 1, 0)]
        ax.axvspan(start, table.index[-1], color=PALETTE["pale"], label=say["holdout"], zorder=0)
    ax.set_xlim(0, table.index[-1])
    ax.set_ylim(bottom=0)
    unit = say.get(f"days_{unit_days:g}", say["days_other"]).format(days=unit_days)
    _label(ax, say["tracking_title"], say["tracking_x"].format(unit=unit), say["tracking_y"])
    ax.legend(loc="upper left")
    middle, end = table.iloc[max(seen - 1, 0)], table.iloc[-1]
    values = (middle["actual"], middle["expected"], end["actual"], end["expected"])
    set_alt(ax, say["tracking_alt"].format(**dict(zip("abcd", (f"{value:,.0f}" for value in values), strict=True))))
    return ax


def frequency_bars(table: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw customers by number of repeat purchases, counted and expected.

    Parameters
    ----------
    table : DataFrame, index repeat purchases: actual, expected
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"actual": [14, 4], "expected": [13.7, 4.3]}, index=["0", "1+"])
    >>> len(frequency_bars(table).patches)
    4
    """
    say = _words(language)
    require(table, ("actual", "expected"), "frequency_bars")
    ax = axes_or_new(ax, height=3.4)
    place = np.arange(len(table))
    bars: dict[str, Any] = {"width": 0.4, "edgecolor": PALETTE["ink"], "linewidth": 0.6}
    ax.bar(place - 0.2, table["actual"], color=PALETTE["highlight"], label=say["counted"], **bars)
    ax.bar(place + 0.2, table["expected"], color=PALETTE["pale"], hatch="////", label=say["expected"], **bars)
    ax.set_xticks(place, [str(name) for name in table.index])
    ax.grid(False, axis="x")
    _label(ax, say["frequency_title"], say["frequency_x"], say["frequency_y"])
    ax.legend(loc="upper right")
    set_alt(ax, say["frequency_alt"].format(listing=_pairs(table, say, ",.0f")))
    return ax


def conditional_means(table: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw mean purchases of the holdout period by purchases of the calibration period, counted and expected.

    Parameters
    ----------
    table : DataFrame, index repeat purchases: actual, expected
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"actual": [0.2, 0.7], "expected": [0.2, 0.6]}, index=["0", "1+"])
    >>> len(conditional_means(table).lines)
    2
    """
    say = _words(language)
    require(table, ("actual", "expected"), "conditional_means")
    ax = axes_or_new(ax, height=3.4)
    place = np.arange(len(table))
    ax.plot(place, table["actual"], marker="o", color=PALETTE["highlight"], linewidth=2, label=say["counted"])
    ax.plot(place, table["expected"], marker="s", linestyle="--", color=SERIES[1], linewidth=2, label=say["expected"])
    ax.set_xticks(place, [str(name) for name in table.index])
    ax.set_ylim(bottom=0)
    _label(ax, say["conditional_title"], say["frequency_x"], say["conditional_y"])
    ax.legend(loc="upper left")
    set_alt(ax, say["conditional_alt"].format(listing=_pairs(table, say, ".2f")))
    return ax


def _pairs(table: pd.DataFrame, say: dict[str, str], form: str) -> str:
    return say["join"].join(
        say["pair"].format(name=name, a=format(actual, form), b=format(expected, form))
        for name, actual, expected in zip(table.index, table["actual"], table["expected"], strict=True)
    )


def value_parts_bars(table: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw historical, current and potential value stacked, by tenth of the customers.

    Parameters
    ----------
    table : DataFrame, one row a customer: historical, current, potential, total
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"historical": range(10), "current": 1.0, "potential": 2.0})
    >>> ax = value_parts_bars(table.assign(total=table.sum(axis=1)))
    >>> len(ax.patches)
    30
    """
    say = _words(language)
    parts = ("historical", "current", "potential")
    require(table, (*parts, "total"), "value_parts_bars")
    ranked = table.sort_values("total", ascending=False, kind="stable")
    tenth = np.minimum(np.arange(len(ranked)) * 10 // len(ranked), 9) + 1
    sums = ranked[list(parts)].groupby(tenth).sum()
    ax = axes_or_new(ax, height=3.6)
    below = np.zeros(len(sums))
    looks = ((PALETTE["highlight"], ""), (PALETTE["main"], ""), (PALETTE["pale"], "////"))
    for part, (colour, hatch) in zip(parts, looks, strict=True):
        height = sums[part].to_numpy()
        ax.bar(
            sums.index, height, bottom=below, width=0.7, color=colour, hatch=hatch, edgecolor=PALETTE["ink"],
            linewidth=0.6, label=say[part],
        )  # fmt: skip
        below = below + height
    ax.set_xticks(sums.index)
    ax.grid(False, axis="x")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    _label(ax, say["parts_title"], say["parts_x"], say["parts_y"])
    ax.legend(loc="upper right")
    first, everyone = (
        ", ".join(f"{say[part]} {values[part]:,.0f}" for part in parts) for values in (sums.iloc[0], sums.sum())
    )
    set_alt(ax, say["parts_alt"].format(first=first, all=everyone))
    return ax


def cluster_profile(ratios: pd.DataFrame, share: pd.Series, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the means of every cluster as multiples of the mean of all customers, one row a measure.

    Parameters
    ----------
    ratios : DataFrame, index cluster, columns measures
    share : Series by cluster
        Share of the customers.
    language, ax
        As for `pareto_curve`.

    Raises
    ------
    ValueError
        The table is empty, has more than six clusters, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> ratios = pd.DataFrame({"orders": [0.5, 2.0]}, index=[1, 2])
    >>> ax = cluster_profile(ratios, pd.Series([0.67, 0.33], index=[1, 2]))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['cluster 1 (67 %)', 'cluster 2 (33 %)']
    """
    say = _words(language)
    require(ratios, (), "cluster_profile")
    if len(ratios) > len(_MARKERS):
        raise ValueError(
            f"cluster_profile: {len(ratios)} clusters; at most {len(_MARKERS)} can be told apart. Draw some."
        )
    names = [broken(str(name)) for name in ratios.columns]
    rows, room = row_centres(names, inches=0.4)
    ax = axes_or_new(ax, height=1.9 + 0.4 * room)
    ax.axvline(1, color=PALETTE["grey"], linestyle=":", linewidth=1.2)
    listing = []
    for place, (cluster, values) in enumerate(ratios.iterrows()):
        percent = f"{100 * share.iloc[place]:.0f}"
        face = SERIES[place % 4]
        ax.scatter(
            values, rows, s=60, marker=_MARKERS[place], color=face, edgecolor=PALETTE["ink"], linewidth=0.7, zorder=3,
            label=say["cluster"].format(name=cluster, share=percent),
        )  # fmt: skip
        means = ", ".join(f"{name} {value:.2f}" for name, value in values.items())
        listing.append(say["profile_row"].format(name=cluster, share=percent, means=means))
    name_rows(ax, names, rows)
    _label(ax, say["profile_title"], say["profile_x"])
    _legend(ax)
    set_alt(ax, say["profile_alt"].format(listing=say["join"].join(listing)))
    return ax
