"""Write the incomplete tables that lavaan_fiml.R reads: python tests/reference/fiml/make_data.py FOLDER.

`patterns.csv` (made here, kept beside this file) is simulated; `hs.csv` and `mobi.csv` are written to FOLDER only.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
HS_ITEMS = [f"x{k}" for k in range(1, 10)]


def simulated() -> pd.DataFrame:
    """Two groups, two factors with three items each and an outcome; skewed errors; answers missing by six rules."""
    rng = np.random.default_rng(31)
    n = 360
    group = np.where(np.arange(n) < 150, "north", "south")
    first = rng.normal(size=n) + 0.3 * (group == "south")
    second = 0.6 * first + 0.8 * (rng.exponential(size=n) - 1)
    loadings = np.array([1.0, 0.8, 1.2])
    errors = rng.exponential(size=(n, 6)) - 1
    items = np.hstack([np.outer(first, loadings), np.outer(second, loadings)]) + 0.7 * errors + 3
    outcome = 0.5 * first + 0.4 * second + rng.normal(scale=0.8, size=n)
    table = np.column_stack([items, outcome])
    form = rng.integers(0, 4, size=n)
    table[form == 1, 1] = np.nan
    table[form == 2, 4:6] = np.nan
    table[np.ix_(form == 3, [2, 3])] = np.nan
    table[(items[:, 0] > 4) & (rng.random(n) < 0.5), 6] = np.nan  # depends on an answer that was given
    table[rng.random(table.shape) < 0.03] = np.nan
    table[[17, 203]] = np.nan  # respondents without any answer
    columns = ["a1", "a2", "a3", "b1", "b2", "b3", "y"]
    return pd.DataFrame(table, columns=columns).round(3).assign(group=group)


def holzinger() -> pd.DataFrame:
    """Holzinger & Swineford (1939) as shipped by semopy, without the answers listed in hs_removed.csv."""
    from semopy.examples import holzinger39

    table = holzinger39.get_data()[HS_ITEMS].reset_index(drop=True)
    removed = pd.read_csv(HERE / "hs_removed.csv")
    values = table.to_numpy(dtype=float, copy=True)
    values[removed["row"], [HS_ITEMS.index(item) for item in removed["item"]]] = np.nan
    return pd.DataFrame(values, columns=HS_ITEMS)


def mobi() -> pd.DataFrame:
    """The mobile phone survey with 5 % of the answers removed at random."""
    from crmlab.datasets import load_mobi

    table = load_mobi().astype(float)
    return table.mask(np.random.default_rng(20050101).random(table.shape) < 0.05)


if __name__ == "__main__":
    simulated().to_csv(HERE / "patterns.csv", index=False)
    folder = Path(sys.argv[1])
    holzinger().to_csv(folder / "hs.csv", index=False)
    mobi().to_csv(folder / "mobi.csv", index=False)
