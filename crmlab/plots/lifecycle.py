"""The customer lifecycle drawn: ideal curve, a customer's path, phases over time, steps, funnel, selector (chapter 1).

Phases are told apart by lightness and by hatching, so that a stack of them survives grey print.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Fill, hatch and colour of writing of the phases, in their order; further ones begin again.
FILLS = (
    (style.SERIES[4], "", style.PALETTE["ink"]),
    (style.SERIES[2], "///", style.PALETTE["ink"]),
    (style.SERIES[0], "", style.PALETTE["paper"]),
    (style.SERIES[3], "...", style.PALETTE["ink"]),
    (style.PALETTE["pale"], "xx", style.PALETTE["ink"]),
)

_TEXTS = {
    "en": {
        "curve_title": "The ideal lifecycle: little, more, much, less",
        "curve_x": "time since the first order (drawing, no unit)",
        "curve_y": "contribution to profit (drawing, no unit)",
        "curve_alt": "A curve over four phases: below zero in {0}, rising steeply in {1}, high and level in {2}, "
        "falling in {3}. Dashed lines leave it downwards in the first three phases: decline can begin in any of them.",
        "early": "decline can begin\nin any phase",
        "path_title": "Customer {id}: {phases}",
        "path_x": "period (first day)",
        "path_y": "amount per period (currency of the data)",
        "amount": "amount of the period",
        "level": "level (mean over the window)",
        "path_alt": "Bars of the amount per period of customer {id}, from {first} to {last}; the highest is "
        "{high:,.0f}. Phases in order: {runs}.",
        "shares_title": "Who is where: phases over time",
        "ahead_title": "Where today's customers are likely to go",
        "shares_x": "period (first day)",
        "ahead_x": "periods from now",
        "shares_y": "share of the customers won so far (%)",
        "shares_alt": "Stacked shares of the phases from {first} to {last}. At the end: {shares}.",
        "cohort_title": "How long cohorts stay in a good phase",
        "cohort_x": "{period}s since the first purchase",
        "cohort_y": "cohort ({period} of the first purchase)",
        "cohort_bar": "share of the cohort (%)",
        "cohort_alt": "Heat map of {n} cohorts, up to {most} {period}s long. Mean shares: {means}.",
        "at": "after {k}: {share:.0%}",
        "steps_title": "From this period to the next",
        "steps_x": "phase in the next period",
        "steps_y": "phase in this period",
        "steps_bar": "probability (%)",
        "steps_alt": "Table of step probabilities. Staying: {stay}. Most frequent way out: {out}.",
        "funnel_title": "Of {first:,} customers, {last:,} come to the last step",
        "funnel_x": "customers (number)",
        "funnel_y": "step",
        "funnel_on": "{customers:,}   ({conversion:.0%} of the step before, {low:.0%} to {high:.0%})",
        "funnel_alt": "Bars that shrink from step to step: {steps}.",
        "selector_title": "Fewer customers and more margin: come closer",
        "selector_x": "unit margin",
        "selector_y": "number of customers",
        "selector_alt": "Table of three by three relationship levels. {cells}.",
        "comma": ", ",
    },
    "zh": {
        "curve_title": "理想的生命周期：少、多、高、退",
        "curve_x": "首单以来的时间（示意，无单位）",
        "curve_y": "利润贡献（示意，无单位）",
        "curve_alt": "贯穿四个阶段的曲线：{0}低于零，{1}快速上升，{2}高而平稳，{3}下降。前三个阶段各有一条虚线"
        "向下离开曲线：任何阶段都可能开始退化。",
        "early": "任何阶段都\n可能开始退化",
        "path_title": "顾客 {id}：{phases}",
        "path_x": "时期（首日）",
        "path_y": "每期购买额（数据货币）",
        "amount": "本期购买额",
        "level": "水平（窗口均值）",
        "path_alt": "顾客 {id} 从 {first} 到 {last} 各期购买额的条形，最高 {high:,.0f}。阶段依次为：{runs}。",
        "shares_title": "谁在哪里：各阶段占比的变化",
        "ahead_title": "现有顾客可能的去向",
        "shares_x": "时期（首日）",
        "ahead_x": "从现在起的期数",
        "shares_y": "占已获得顾客的比例（%）",
        "shares_alt": "从 {first} 到 {last} 各阶段占比的堆叠图。期末：{shares}。",
        "cohort_title": "各批顾客处于良好阶段的时间",
        "cohort_x": "首次购买以来的期数（{period}）",
        "cohort_y": "批次（首次购买的{period}）",
        "cohort_bar": "占该批顾客的比例（%）",
        "cohort_alt": "{n} 个批次的热力图，最长 {most} 期（{period}）。平均占比：{means}。",
        "at": "{k} 期后 {share:.0%}",
        "steps_title": "从本期到下一期",
        "steps_x": "下一期的阶段",
        "steps_y": "本期的阶段",
        "steps_bar": "概率（%）",
        "steps_alt": "转移概率表。停留：{stay}。最常见的去向：{out}。",
        "funnel_title": "{first:,} 位顾客中有 {last:,} 位走到最后一步",
        "funnel_x": "顾客（人数）",
        "funnel_y": "步骤",
        "funnel_on": "{customers:,}  （上一步的 {conversion:.0%}，{low:.0%} 至 {high:.0%}）",
        "funnel_alt": "逐步变短的条形：{steps}。",
        "selector_title": "顾客越少、利润越高，关系越近",
        "selector_x": "单位利润",
        "selector_y": "顾客数量",
        "selector_alt": "三行三列的关系水平表。{cells}。",
        "comma": "、",
    },
}
_PERIODS = {"week": "周", "month": "月", "quarter": "季", "year": "年"}
_WORDS = {"low": "低", "medium": "中", "high": "高", "few": "少", "many": "多"}


def idealised_curve(labels: Mapping[str, str], language: str = "en", *, ax: Axes | None = None) -> Axes:
    """Draw the lifecycle as the course describes it: a drawing, not data.

    Parameters
    ----------
    labels : mapping of the four phases, in order, to their Chinese names
    language : "en" or "zh"
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        For another language, or fewer than four phases.

    Examples
    --------
    >>> phases = {"exploration": "考察期", "build-up": "形成期", "stability": "稳定期", "decline": "退化期"}
    >>> ax = idealised_curve(phases)
    >>> ax.get_title(loc="left")
    'The ideal lifecycle: little, more, much, less'
    """
    texts = _texts(language)
    phases = [_name(phase, labels, language) for phase in labels][:4]
    if len(phases) < 4:
        raise ValueError(f"labels: {len(phases)} phases; expected four, in their order.")
    ax = style.axes_or_new(ax, height=3.4)
    borders = np.array([0.0, 1.0, 2.2, 4.0, 5.2])
    time = np.linspace(0, borders[-1], 400)
    curve = _ideal(time)
    for k, name in enumerate(phases):
        ax.axvspan(borders[k], borders[k + 1], color=style.PALETTE["pale"] if k % 2 else style.PALETTE["paper"], lw=0)
        ax.text(borders[k : k + 2].mean(), 1.16, name, ha="center", va="center")
    ax.axhline(0, color=style.PALETTE["grey"], linewidth=0.8)
    ax.plot(time, curve, color=style.PALETTE["highlight"], linewidth=2.4)
    for leaves in (0.75, 1.6, 3.1):
        after = np.linspace(0, 0.7, 30)
        ax.plot(leaves + after, _ideal(leaves) - 0.55 * after**1.5, color=style.SERIES[1], linestyle="--")
    ax.text(2.45, 0.3, texts["early"], color=style.SERIES[1])
    ax.set(xlim=(0, borders[-1]), ylim=(-0.45, 1.28), xticks=[], yticks=[0])
    ax.grid(visible=False)
    return _finished(ax, texts, "curve", texts["curve_alt"].format(*phases))


def customer_path(
    path: pd.DataFrame, labels: Mapping[str, str], language: str = "en", *, ax: Axes | None = None
) -> Axes:
    """Draw one customer's amounts, level and phases.

    Parameters
    ----------
    path : DataFrame, one row per period in order
        customer_id, period (date), phase, amount, level.
    labels : mapping of all phases, in order, to their Chinese names
    language : "en" or "zh"
    ax : Axes, optional

    Returns
    -------
    Axes
        With one bar per period, and the level as a line.

    Raises
    ------
    ValueError
        For another language, a missing column, or no rows.
    """
    texts = _texts(language)
    _require(path, ("customer_id", "period", "phase", "amount", "level"))
    ax = style.axes_or_new(ax, height=3.2)
    place, amount = np.arange(len(path)), path["amount"].to_numpy()
    phase = path["phase"].astype("str").to_numpy()
    for k, name in enumerate(labels):
        rows = phase == name
        fill, hatch, _ = FILLS[k % len(FILLS)]
        if rows.any():
            label = _name(name, labels, language)
            edge = style.PALETTE["ink"]
            ax.bar(place[rows], amount[rows], 0.9, color=fill, hatch=hatch, edgecolor=edge, lw=0.6, label=label)
            ax.scatter(
                place[rows], np.full(rows.sum(), -0.04 * max(amount.max(), 1)), marker="s", s=22, c=fill, ec=edge
            )
    ax.plot(place, path["level"], color=style.SERIES[1], label=texts["level"])
    days = path["period"].dt.strftime("%Y-%m-%d").to_numpy()
    shown = place[:: max(1, len(path) // 4)]
    ax.set_xticks(shown, days[shown])
    ax.grid(visible=False, axis="x")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    runs = [name for k, name in enumerate(phase) if k == 0 or name != phase[k - 1]]
    said = texts["comma"].join(_name(name, labels, language) for name in runs)
    numbers = {
        "id": path["customer_id"].iloc[0],
        "first": days[0],
        "last": days[-1],
        "high": amount.max(),
        "runs": said,
    }
    short = " → ".join(_name(name, labels, language) for name in runs[:4]) + (" → …" if len(runs) > 4 else "")
    return _finished(ax, texts, "path", texts["path_alt"].format(**numbers), id=numbers["id"], phases=short)


def phase_shares(
    shares: pd.DataFrame,
    labels: Mapping[str, str],
    language: str = "en",
    *,
    ahead: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw the shares of the phases over time as stacked areas.

    Parameters
    ----------
    shares : DataFrame period × phase
        Shares (0 to 1) that add up to 1; the index dates, or numbers of periods from now.
    labels : mapping of all phases, in order, to their Chinese names
    language : "en" or "zh"
    ahead : bool
        The index counts periods from now.
    ax : Axes, optional

    Returns
    -------
    Axes
        With one area per phase.

    Raises
    ------
    ValueError
        For another language, or no rows.
    """
    texts = _texts(language)
    _require(shares, ())
    ax = style.axes_or_new(ax, height=3.6)
    names = [*labels]
    bottom = np.zeros(len(shares))
    for phase in shares.columns:
        top = bottom + 100 * shares[phase].to_numpy()
        fill, hatch, _ = FILLS[names.index(phase) % len(FILLS)]
        label = _name(phase, labels, language)
        edge = style.PALETTE["ink"]
        ax.fill_between(shares.index, bottom, top, facecolor=fill, hatch=hatch, edgecolor=edge, lw=0.5, label=label)
        bottom = top
    ax.set(xlim=(shares.index[0], shares.index[-1]) if len(shares) > 1 else None, ylim=(0, 100))
    handles, words = ax.get_legend_handles_labels()
    ax.legend(
        handles[::-1], words[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=2.4, handleheight=1.6
    )
    last = shares.iloc[-1]
    said = texts["comma"].join(f"{_name(phase, labels, language)} {share:.0%}" for phase, share in last.items())
    first, end = (str(when.date()) if hasattr(when, "date") else str(when) for when in shares.index[[0, -1]])
    alt = texts["shares_alt"].format(first=first, last=end, shares=said)
    if ahead:
        return _finished(
            ax, {**texts, "shares_title": texts["ahead_title"], "shares_x": texts["ahead_x"]}, "shares", alt
        )
    return _finished(ax, texts, "shares", alt)


def cohort_heatmap(
    cohorts: pd.DataFrame, language: str = "en", *, period: str = "month", ax: Axes | None = None
) -> Axes:
    """Draw a share of every cohort by its age, the darker the more.

    Parameters
    ----------
    cohorts : DataFrame cohort (date) × periods since the first purchase
        Shares (0 to 1), missing where not observed.
    language : "en" or "zh"
    period : "week", "month", "quarter" or "year"
    ax : Axes, optional

    Returns
    -------
    Axes
        With one image.

    Raises
    ------
    ValueError
        For another language, or no rows.
    """
    texts = _texts(language)
    _require(cohorts, ())
    word = period if language == "en" else _PERIODS.get(period, period)
    ax = style.axes_or_new(ax, height=max(2.4, min(5.5, 0.9 + 0.24 * len(cohorts))))
    image = ax.imshow(100 * cohorts.to_numpy(dtype=float), cmap=_cmap(), aspect="auto", vmin=0, vmax=100)
    ax.figure.colorbar(image, ax=ax, label=texts["cohort_bar"], shrink=0.9)
    days = [str(day.date()) if hasattr(day, "date") else str(day) for day in cohorts.index]
    step = max(1, len(days) // 16)
    ax.set_yticks(range(0, len(days), step), days[::step])
    wide = max(1, cohorts.shape[1] // 9)
    ax.set_xticks(range(0, cohorts.shape[1], wide), [str(name) for name in cohorts.columns[::wide]])
    ax.grid(visible=False)
    means = cohorts.mean()
    told = [means.index[k] for k in sorted({0, len(means) // 3, 2 * len(means) // 3, len(means) - 1})]
    said = texts["comma"].join(texts["at"].format(k=k, share=means[k]) for k in told)
    alt = texts["cohort_alt"].format(n=len(cohorts), most=cohorts.shape[1], period=word, means=said)
    return _finished(ax, texts, "cohort", alt, period=word)


def transition_heatmap(
    probabilities: pd.DataFrame,
    counts: pd.DataFrame,
    labels: Mapping[str, str],
    language: str = "en",
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw a matrix of step probabilities, each with the number of steps behind it.

    Parameters
    ----------
    probabilities, counts : DataFrames from × to
        Shares (0 to 1; missing in rows without a step), and numbers.
    labels : mapping of phases to their Chinese names; names that are not in it stand as they are
    language : "en" or "zh"
    ax : Axes, optional

    Returns
    -------
    Axes
        With one image, and a text in every cell with a step.

    Raises
    ------
    ValueError
        For another language, or no rows.
    """
    texts = _texts(language)
    _require(probabilities, ())
    ax = style.axes_or_new(ax, height=0.9 + 0.62 * len(probabilities))
    values = probabilities.to_numpy(dtype=float)
    image = ax.imshow(100 * values, cmap=_cmap(), aspect="auto", vmin=0, vmax=100)
    ax.figure.colorbar(image, ax=ax, label=texts["steps_bar"])
    for row, column in np.argwhere(counts.to_numpy() > 0):
        colour = style.PALETTE["paper"] if values[row, column] > 0.5 else style.PALETTE["ink"]
        cell = f"{values[row, column]:.1%}\nn = {counts.to_numpy()[row, column]:,}"
        ax.text(column, row, cell, ha="center", va="center", color=colour, fontsize=8)
    names = [_name(name, labels, language) for name in probabilities.index]
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.grid(visible=False)
    stays, outs = [], []
    for k, name in enumerate(names):
        away = np.where(np.arange(len(names)) == k, 0, np.nan_to_num(values[k]))
        stays += [f"{name} {values[k, k]:.0%}"] if np.isfinite(values[k, k]) else []
        outs += [f"{name} → {names[int(away.argmax())]} {away.max():.0%}"] if away.max() > 0 else []
    alt = texts["steps_alt"].format(stay=texts["comma"].join(stays), out=texts["comma"].join(outs) or "–")
    return _finished(ax, texts, "steps", alt)


def funnel_bars(funnel: pd.DataFrame, language: str = "en", *, ax: Axes | None = None) -> Axes:
    """Draw how many customers come to each step, and which share of the step before they are.

    Parameters
    ----------
    funnel : DataFrame, index step in order
        customers, conversion, ci_lower, ci_upper (shares of the step before; missing for the first step).
    language : "en" or "zh"
    ax : Axes, optional

    Returns
    -------
    Axes
        With one bar per step, the first on top.

    Raises
    ------
    ValueError
        For another language, a missing column, or no rows.
    """
    texts = _texts(language)
    _require(funnel, ("customers", "conversion", "ci_lower", "ci_upper"))
    ax = style.axes_or_new(ax, height=0.9 + 0.42 * len(funnel))
    place = np.arange(len(funnel))
    ax.barh(place, funnel["customers"], 0.7, color=style.PALETTE["main"], edgecolor=style.PALETTE["ink"], lw=0.6)
    said = []
    for k, (step, row) in enumerate(funnel.iterrows()):
        numbers = {"customers": int(row["customers"]), "conversion": row["conversion"]}
        numbers |= {"low": row["ci_lower"], "high": row["ci_upper"]}
        text = texts["funnel_on"].format(**numbers) if np.isfinite(row["conversion"]) else f"{int(row['customers']):,}"
        ax.annotate(text, (row["customers"], k), (4, 0), textcoords="offset points", va="center", fontsize=8.5)
        said.append(f"{step} {int(row['customers']):,}")
    ax.set_yticks(place, [str(step) for step in funnel.index])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.6 * funnel["customers"].max())
    ax.grid(visible=False, axis="y")
    first, last = int(funnel["customers"].iloc[0]), int(funnel["customers"].iloc[-1])
    alt = texts["funnel_alt"].format(steps=texts["comma"].join(said))
    return _finished(ax, texts, "funnel", alt, first=first, last=last)


def level_selector(selector: pd.DataFrame, language: str = "en", *, ax: Axes | None = None) -> Axes:
    """Draw the table that chooses a relationship level, the darker the closer.

    Parameters
    ----------
    selector : DataFrame number of customers (many, medium, few) × unit margin (low, medium, high)
        Names of the levels.
    language : "en" or "zh"
        Of title and axes; the cells stand as they are given.
    ax : Axes, optional

    Returns
    -------
    Axes
        With one image of 3 × 3 cells and a text in each.

    Raises
    ------
    ValueError
        For another language, or no rows.
    """
    texts = _texts(language)
    _require(selector, ())
    ax = style.axes_or_new(ax, height=2.9)
    rows, columns = np.indices(selector.shape)
    closeness = rows + columns
    ax.imshow(closeness, cmap=_cmap(), aspect="auto", vmin=0, vmax=1.4 * closeness.max())
    words = _WORDS if language == "zh" else {}
    for row, column in np.ndindex(selector.shape):
        light = closeness[row, column] > 0.75 * closeness.max()
        colour = style.PALETTE["paper"] if light else style.PALETTE["ink"]
        ax.text(column, row, str(selector.iloc[row, column]), ha="center", va="center", color=colour)
    ax.set_xticks(range(selector.shape[1]), [words.get(name, name) for name in selector.columns])
    ax.set_yticks(range(selector.shape[0]), [words.get(name, name) for name in selector.index])
    ax.grid(visible=False)
    cells = [
        f"{words.get(row, row)}, {words.get(column, column)}: {selector.loc[row, column]}"
        for row in selector.index
        for column in selector.columns
    ]
    return _finished(ax, texts, "selector", texts["selector_alt"].format(cells="; ".join(cells)))


# Parts ----------------------------------------------------------------------------------------------------------------


def _texts(language: str) -> Mapping[str, str]:
    if language not in _TEXTS:
        raise ValueError(f"language: {language!r} is not known; expected one of {', '.join(_TEXTS)}.")
    return _TEXTS[language]


def _require(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing or table.empty:
        raise ValueError(f"expected one row or more{f' with a column {missing[0]!r}' if missing else ''}.")


def _name(phase: object, labels: Mapping[str, str], language: str) -> str:
    return labels.get(str(phase), str(phase)) if language == "zh" else str(phase)


def _ideal(time: Any) -> Any:
    """The drawing's curve: a rise of logistic shape from below zero, and a fall of the same shape at the end."""
    return 1.25 / (1 + np.exp(-3.2 * (time - 1.55))) - 0.25 - 0.9 / (1 + np.exp(-4.5 * (time - 4.55)))


def _cmap() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    shades = [style.PALETTE["paper"], style.SERIES[4], style.SERIES[2], style.SERIES[0]]
    return LinearSegmentedColormap.from_list("phases", shades).with_extremes(bad=style.PALETTE["paper"])


def _finished(ax: Axes, texts: Mapping[str, str], kind: str, alt: str, **numbers: Any) -> Axes:
    """Title, axis names and alternative text of a kind of figure."""
    style.embolden(ax.set_title(texts[f"{kind}_title"].format(**numbers)))
    ax.set_xlabel(texts[f"{kind}_x"].format(**numbers))
    ax.set_ylabel(texts[f"{kind}_y"].format(**numbers))
    style.set_alt(ax, alt)
    return ax
