"""Figures of sampling design (chapter 6): precision, allocation, the funnel of response, and power.

Each function takes a plain table, draws one message and returns the Axes, in English or Chinese.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "precision": "Four times the respondents for half the margin",
        "precision_chosen": "{n:,} respondents: margin ± {margin:.3g}",
        "respondents": "respondents",
        "margin": "margin of error",
        "unit": " (± {unit})",
        "precision_alt": "Curve of the margin of error against the number of respondents. {points}.{chosen}",
        "point": "{n:,} respondents: ± {margin:.3g}",
        "allocation": "Who is in the sample, by {method} allocation",
        "share": "share (%)",
        "people": "of the people",
        "sample": "of the sample",
        "stratum": "stratum",
        "allocation_alt": "Two bars for each stratum. {points}.",
        "allocation_point": "{name}: {people:.0f} % of the people, {sample:.0f} % of the sample ({n:,} respondents)",
        "funnel": "From invitations to usable answers",
        "funnel_axis": "people",
        "steps": {"invited": "invited", "contacted": "contacted", "responded": "responded", "usable": "usable"},
        "cost": "{mode}: {cost:,.2f} for a usable answer",
        "funnel_alt": "Funnels by mode. {points}.",
        "power": "What a survey of this size would find",
        "power_axis": "surveys that find the path (%)",
        "power_alt": "Curves of power against the number of respondents. {points}.",
        "power_point": "{name}: {start:.0f} % with {first:,}, {end:.0f} % with {last:,}",
        "join": "; ",
    },
    "zh": {
        "precision": "误差减半，样本要变为四倍",
        "precision_chosen": "{n:,} 名受访者：误差 ± {margin:.3g}",
        "respondents": "受访者人数",
        "margin": "误差范围",
        "unit": "（± {unit}）",
        "precision_alt": "误差范围随受访者人数变化的曲线。{points}。{chosen}",
        "point": "{n:,} 名受访者：± {margin:.3g}",
        "allocation": "样本的构成（{method}）",
        "share": "比例（%）",
        "people": "占总体",
        "sample": "占样本",
        "stratum": "层",
        "allocation_alt": "每层两根条形。{points}。",
        "allocation_point": "{name}：占总体 {people:.0f} %，占样本 {sample:.0f} %（{n:,} 人）",
        "funnel": "从发出邀请到有效答卷",
        "funnel_axis": "人数",
        "steps": {"invited": "邀请", "contacted": "联系上", "responded": "作答", "usable": "有效"},
        "cost": "{mode}：每份有效答卷 {cost:,.2f}",
        "funnel_alt": "各调查方式的漏斗。{points}。",
        "power": "这样规模的调查能发现什么",
        "power_axis": "发现该路径的调查（%）",
        "power_alt": "检验功效随受访者人数变化的曲线。{points}。",
        "power_point": "{name}：{first:,} 人时 {start:.0f} %，{last:,} 人时 {end:.0f} %",
        "join": "；",
    },
}
_METHODS = {
    "equal": ("equal", "等额分配"),
    "proportional": ("proportional", "按比例分配"),
    "neyman": ("Neyman's", "内曼分配"),
    "optimum": ("optimum", "最优分配"),
}
_MARKERS = "osD^vP*X<>"


def precision_curve(
    table: pd.DataFrame,
    *,
    chosen: int | None = None,
    unit: str = "",
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw the margin of error against the number of respondents.

    Parameters
    ----------
    table : DataFrame: n, margin
        In ascending order of n.
    chosen : int, optional
        A sample size among n to point out; its margin stands in the title.
    unit : str
        Of the margin, such as "index points".
    language : "en" or "zh"
    ax : Axes, optional

    Raises
    ------
    ValueError
        For a missing column, an empty table, another language, or a chosen n that is not in the table.

    Examples
    --------
    >>> import pandas as pd
    >>> ax = precision_curve(pd.DataFrame({"n": [100, 400], "margin": [3.5, 1.75]}), chosen=400, unit="points")
    >>> ax.get_title(loc="left"), ax.get_ylabel()
    ('400 respondents: margin ± 1.75', 'margin of error (± points)')
    """
    texts = _texts(language)
    _require(table, ("n", "margin"))
    ax = style.axes_or_new(ax, height=3.4)
    ax.plot(table["n"], table["margin"], color=style.PALETTE["main"])
    title = texts["precision"]
    if chosen is not None:
        if chosen not in table["n"].to_numpy():
            raise ValueError(f"chosen: found {chosen}; expected one of the sizes in the table.")
        margin = float(table.loc[table["n"] == chosen, "margin"].iloc[0])
        title = texts["precision_chosen"].format(n=chosen, margin=margin)
        ax.plot([chosen, chosen, 0], [0, margin, margin], color=style.PALETTE["grey"], linestyle="--", linewidth=1)
        ax.plot([chosen], [margin], "o", color=style.PALETTE["highlight"], markersize=8)
    ax.set_title(title)
    ax.set(xlabel=texts["respondents"], ylabel=texts["margin"] + (texts["unit"].format(unit=unit) if unit else ""))
    ax.set_xlim(0, table["n"].max() * 1.02)
    ax.set_ylim(0, table["margin"].max() * 1.05)
    shown = table.iloc[np.unique(np.linspace(0, len(table) - 1, 4).round().astype(int))]
    points = texts["join"].join(texts["point"].format(n=int(n), margin=m) for n, m in shown[["n", "margin"]].to_numpy())
    style.set_alt(ax, texts["precision_alt"].format(points=points, chosen=f" {title}." if chosen is not None else ""))
    return ax


def allocation_bars(table: pd.DataFrame, *, method: str = "", language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw each stratum's share of the people beside its share of the sample, with the number of respondents.

    Parameters
    ----------
    table : DataFrame, one row a stratum (the index names it): population, n
    method : str
        Name of the allocation, for the title.
    language : "en" or "zh"
    ax : Axes, optional

    Raises
    ------
    ValueError
        For a missing column, an empty table or another language.

    Examples
    --------
    >>> import pandas as pd
    >>> strata = pd.DataFrame({"population": [900, 100], "n": [50, 50]}, index=["small", "large"])
    >>> style.alt(allocation_bars(strata))[:63]
    'Two bars for each stratum. small: 90 % of the people, 50 % of t'
    """
    texts = _texts(language)
    _require(table, ("population", "n"))
    ax = style.axes_or_new(ax, height=1.3 + 0.62 * len(table))
    rows = np.arange(len(table))
    people, sample = (100 * table[column] / table[column].sum() for column in ("population", "n"))
    bars: dict[str, Any] = {"edgecolor": style.PALETTE["ink"], "linewidth": 0.6, "height": 0.36}
    ax.barh(rows - 0.19, people, color=style.PALETTE["pale"], label=texts["people"], **bars)
    ax.barh(rows + 0.19, sample, color=style.PALETTE["highlight"], label=texts["sample"], **bars)
    for row, (share, n) in enumerate(zip(sample, table["n"], strict=True)):
        ax.annotate(f"{n:,}", (share, row + 0.19), (4, 0), textcoords="offset points", va="center", size=8.5)
    ax.set_yticks(rows, [str(name) for name in table.index])
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set_title(texts["allocation"].format(method=_METHODS.get(method, (method, method))[language == "zh"]))
    ax.set(xlabel=texts["share"], ylabel=texts["stratum"], xlim=(0, 1.12 * max(people.max(), sample.max())))
    ax.legend(loc="best")
    points = texts["join"].join(
        texts["allocation_point"].format(name=name, people=p, sample=s, n=int(n))
        for name, p, s, n in zip(table.index, people, sample, table["n"], strict=True)
    )
    style.set_alt(ax, texts["allocation_alt"].format(points=points))
    return ax


def response_funnel(
    steps: pd.DataFrame,
    *,
    cost: Mapping[str, float] | pd.Series | None = None,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many people are left at each step, a funnel for each mode, and the cost of a usable answer.

    Parameters
    ----------
    steps : DataFrame: mode, step (invited, contacted, responded, usable), people
    cost : mapping of mode to cost, optional
        Of one usable answer.
    language : "en" or "zh"
    ax : Axes, optional

    Raises
    ------
    ValueError
        For a missing column, an empty table or another language.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({"mode": "online", "step": ["invited", "usable"], "people": [1000, 80]})
    >>> style.alt(response_funnel(steps, cost={"online": 1.5}))
    'Funnels by mode. online: 1.50 for a usable answer (invited 1,000, usable 80).'
    """
    texts = _texts(language)
    _require(steps, ("mode", "step", "people"))
    modes = list(dict.fromkeys(steps["mode"]))
    ax = style.axes_or_new(ax, height=1.1 + 0.26 * len(steps) + 0.35 * len(modes))
    row, labels, points = 0.0, {}, []
    for mode in modes:
        price = "" if cost is None else texts["cost"].format(mode=mode, cost=float(cost[mode]))
        ax.text(0, row, price or str(mode), weight="normal", va="center", size=9, color=style.PALETTE["ink"])
        branch = steps[steps["mode"] == mode]
        said = []
        for step, people in zip(branch["step"], branch["people"], strict=True):
            row += 1
            name = texts["steps"].get(step, step)
            labels[row] = name
            colour = style.PALETTE["highlight" if step == branch["step"].iloc[-1] else "main"]
            ax.barh(row, people, height=0.8, color=colour, edgecolor=style.PALETTE["ink"], linewidth=0.6)
            ax.annotate(f"{people:,}", (people, row), (4, 0), textcoords="offset points", va="center", size=8.5)
            said.append(f"{name} {people:,}")
        points.append(f"{price or mode} ({', '.join(said)})")
        row += 1.4
    ax.set_yticks(list(labels), list(labels.values()))
    ax.set_ylim(row - 0.8, -0.7)
    ax.set_xlim(0, steps["people"].max() * 1.12)
    ax.grid(visible=False, axis="y")
    ax.set_title(texts["funnel"])
    ax.set_xlabel(texts["funnel_axis"])
    style.set_alt(ax, texts["funnel_alt"].format(points=texts["join"].join(points)))
    return ax


def power_curve(table: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the share of surveys that find each path against the number of respondents.

    Parameters
    ----------
    table : DataFrame: n, from, to, power
        Power as a share, 0–1.
    language : "en" or "zh"
    ax : Axes, optional

    Raises
    ------
    ValueError
        For a missing column, an empty table or another language.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [(50, "Value", "Joy", 0.4), (200, "Value", "Joy", 0.9)]
    >>> style.alt(power_curve(pd.DataFrame(rows, columns=["n", "from", "to", "power"])))
    'Curves of power against the number of respondents. Value → Joy: 40 % with 50, 90 % with 200.'
    """
    texts = _texts(language)
    _require(table, ("n", "from", "to", "power"))
    ax = style.axes_or_new(ax, height=3.6)
    points = []
    for number, ((cause, effect), line) in enumerate(table.groupby(["from", "to"], sort=False)):
        name, percent = f"{cause} → {effect}", 100 * line["power"].to_numpy()
        ax.plot(
            line["n"],
            percent,
            marker=_MARKERS[number % len(_MARKERS)],
            color=style.SERIES[number % (len(style.SERIES) - 1)],
            markersize=5,
            label=name,
        )
        ends = {"first": int(line["n"].iloc[0]), "last": int(line["n"].iloc[-1])}
        points.append(texts["power_point"].format(name=name, start=percent[0], end=percent[-1], **ends))
    ax.axhline(80, color=style.PALETTE["grey"], linestyle="--", linewidth=1)
    ax.set_title(texts["power"])
    ax.set(xlabel=texts["respondents"], ylabel=texts["power_axis"], ylim=(0, 103))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7.5)
    style.set_alt(ax, texts["power_alt"].format(points=texts["join"].join(points)))
    return ax


def _texts(language: str) -> dict[str, Any]:
    if language not in _TEXTS:
        raise ValueError(f"language: found {language!r}; expected 'en' or 'zh'.")
    return _TEXTS[language]


def _require(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [column for column in columns if column not in table]
    if missing or table.empty:
        found = f"no column {', '.join(missing)}" if missing else "no row"
        raise ValueError(f"table: found {found}; expected {', '.join(columns)}.")
