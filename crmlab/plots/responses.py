"""The quality of a survey's answers: how many respondents each check marks, where answers are missing (chapter 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmlab.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NAMED = 40  # items whose names find room below the map


def quality(checks: pd.DataFrame, missing: pd.DataFrame) -> tuple[Axes, Axes]:
    """Draw the marks of every check beside the map of missing answers.

    Parameters
    ----------
    checks : DataFrame
        check, count (missing: not checked), of, share (0–1), note.
    missing : DataFrame, stretches of the file × items
        Share of missing answers, 0–1; the index is the first row of each stretch.

    Returns
    -------
    Axes, Axes
        Of the marks and of the map, in one figure.

    Raises
    ------
    ValueError
        If a column of `checks` is not there, or a table is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> checks = pd.DataFrame({"check": ["speeding"], "count": [3], "of": [60], "share": [0.05], "note": [""]})
    >>> left, right = quality(checks, pd.DataFrame({"q1": [0.0, 0.2]}, index=[2, 32]))
    >>> style.alt(left)
    'Share of respondents each check marks: speeding 5.0 % (3 of 60).'
    """
    import matplotlib.pyplot as plt

    if absent := [column for column in ("check", "count", "of", "share", "note") if column not in checks]:
        raise ValueError(f"checks: there is no column {', '.join(absent)}; expected check, count, of, share and note.")
    if checks.empty or missing.empty:
        raise ValueError("checks, missing: a table is empty; expected a row for each check and each stretch.")
    style.use_style()
    height = max(3.2, 0.3 * len(checks) + 1.2)
    _, (left, right) = plt.subplots(1, 2, figsize=(style.REPORT_WIDTH, height), width_ratios=(1, 1.15))
    _marks(left, checks)
    _missing(right, missing)
    return left, right


def _marks(ax: Axes, checks: pd.DataFrame) -> None:
    made = checks["count"].notna()
    shares = checks["share"].astype("Float64").fillna(0.0).astype(float) * 100
    places = range(len(checks))
    ax.barh(places, shares, color=style.PALETTE["main"], height=0.62)
    for place, (count, of, done) in enumerate(zip(checks["count"], checks["of"], made, strict=True)):
        text = f" {int(count):,} of {of:,}" if done else " not checked"
        ax.text(shares.iloc[place], place, text, va="center", size=7.5, color=style.PALETTE["ink" if done else "grey"])
    ax.set_yticks(places, checks["check"])
    ax.set(xlim=(0, max(1.0, 1.6 * shares.max())), ylim=(len(checks) - 0.4, -0.6), xlabel="Marked, %")
    ax.grid(axis="y", visible=False)
    ax.set_title("Marks by check")
    told = [
        f"{check} {share:.1f} % ({int(count):,} of {of:,})" if done else f"{check} not checked"
        for check, share, count, of, done in zip(
            checks["check"], shares, checks["count"], checks["of"], made, strict=True
        )
    ]
    style.set_alt(ax, f"Share of respondents each check marks: {', '.join(told)}.")


def _missing(ax: Axes, missing: pd.DataFrame) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shares = missing.to_numpy() * 100
    ramp = LinearSegmentedColormap.from_list("missing", [style.PALETTE["pale"], style.PALETTE["highlight"]])
    image = ax.imshow(shares, aspect="auto", cmap=ramp, vmin=0, vmax=max(shares.max(), 1), interpolation="nearest")
    step = max(1, len(missing.columns) // _NAMED + 1)
    ax.set_xticks(range(0, len(missing.columns), step), missing.columns[::step], rotation=90, fontsize=7)
    rows = range(0, len(missing), max(1, len(missing) // 6))
    ax.set_yticks(rows, [f"{missing.index[row]:,}" for row in rows])
    ax.set(xlabel="Item", ylabel="Row of the file")
    ax.grid(visible=False)
    ax.set_title("Missing answers")
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8, pad=0.02)
    bar.set_label("Missing, %")
    mean = missing.mean()
    most = f"most in {mean.idxmax()} ({mean.max():.1%})" if mean.max() > 0 else "none in any item"
    style.set_alt(
        ax, f"Map of missing answers: {mean.mean():.1%} of all, {most}, over {len(missing)} stretches of rows."
    )
