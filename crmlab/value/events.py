"""Value from foreseen events: what is likely to happen with each customer, when, and what it brings (chapter 4, D5).

An account manager knows that a customer's contract ends in June, that she will probably renew, that a machine of hers
is due for replacement. Such knowledge goes into a **ledger**: one row an event, with its day, probability, revenue and
cost. From it follow a profit-and-loss table, the net present value Σ probability (revenue − cost)/(1+d)^years, and by
simulation the interval and the chance of a loss.

A ledger file is a table (CSV, XLSX) with the columns below, or YAML::

    crmlab_events: 1
    events:
      - {customer: Li, event: renewal, date: 2026-06-30, probability: 0.7, revenue: 12000, cost: 4000}
      - {customer: Li, event: visit, date: 2026-05-10, probability: 1, cost: 300}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError
from crmlab.transactions.fields import day_of

from .told import Array, discount_rate, number, percentiles, whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NEEDED = ("customer", "event", "date", "probability")
MONEY = ("revenue", "cost")
#: Events × draws simulated at once.
_CELLS = 4_000_000


def read_ledger(path: str | Path) -> pd.DataFrame:
    """Read a ledger of events from a .csv, .xlsx or .yaml file.

    Returns
    -------
    DataFrame: customer, event, date, probability, revenue, cost, as `event_value` takes it

    Raises
    ------
    InputError
        No such file, not readable, or any number of faults, each with its row, column and value.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "events.csv"
    >>> _ = file.write_text("customer,event,date,probability,revenue,cost\\nLi,renewal,2026-06-30,0.7,12000,4000\\n")
    >>> read_ledger(file)["revenue"].tolist()
    [12000.0]
    """
    file = Path(path)
    readers = {".csv": _csv, ".xlsx": _xlsx, ".yaml": _yaml, ".yml": _yaml}
    if file.suffix.lower() not in readers:
        raise InputError(f"ledger: {path} is no .csv, .xlsx or .yaml file; expected one of these. Save it as such.")
    if not file.is_file():
        raise InputError(f"ledger: {path} does not exist; expected a ledger of events. Correct the path.")
    table, first = readers[file.suffix.lower()](file)
    return _checked(table, file.name, first)


def _csv(file: Path) -> tuple[pd.DataFrame, int]:
    import pandas as pd

    try:
        return pd.read_csv(file, dtype=str, encoding="utf-8-sig", skip_blank_lines=False), 2
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(
            f"{file.name}: this is not a readable table in UTF-8 ({error}). Save it as CSV UTF-8."
        ) from None


def _xlsx(file: Path) -> tuple[pd.DataFrame, int]:
    import pandas as pd

    try:
        return pd.read_excel(file, dtype=object), 2
    except Exception as error:
        raise InputError(f"{file.name}: this is not a readable workbook ({error}). Save it as .xlsx.") from None


def _yaml(file: Path) -> tuple[pd.DataFrame, int]:
    import pandas as pd
    import yaml

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{file.name}: this is not readable YAML in UTF-8 ({' '.join(str(error).split())}).") from None
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise InputError(
            f"{file.name}: expected 'crmlab_events: 1' and a list 'events' of {{customer: …, event: …, …}}."
        )
    return pd.DataFrame(events), 1


def _checked(table: pd.DataFrame, name: str, first: int = 0) -> pd.DataFrame:
    """The ledger with its types, or an error that lists its faults. `first` is the number its first row goes by."""
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        raise InputError(
            f"{name}: found a {type(table).__name__}; expected a DataFrame, one row for each event, or the path of a "
            "ledger file."
        )
    table = table.dropna(how="all")
    lacking = [column for column in NEEDED if column not in table.columns]
    strange = [column for column in table.columns if column not in (*NEEDED, *MONEY)]
    if lacking or strange or not {*MONEY} & {*table.columns}:
        raise InputError(
            f"{name}: found the columns {', '.join(map(str, table.columns))}; expected {', '.join(NEEDED)} and "
            "revenue or "
            f"cost{'; ' + ', '.join(map(str, strange)) + ' is unknown' if strange else ''}."
        )
    if table.empty:
        raise InputError(f"{name}: the ledger has no event. Add one row for each event.")
    rows = [first + int(place) for place in range(len(table))]
    faults: list[tuple[int, str]] = []
    found = pd.DataFrame(index=range(len(table)))
    for column in ("customer", "event"):
        found[column] = _words(table[column], column, rows, faults)
    found["date"] = _days(table["date"], rows, faults)
    found["probability"] = _amounts(table["probability"], "probability", rows, faults, 0, 1)
    for column in MONEY:
        own = table[column] if column in table.columns else pd.Series(0.0, table.index)
        found[column] = _amounts(own, column, rows, faults, 0, missing=0.0)
    if faults:
        more = f" There are {len(faults) - 10} more." if len(faults) > 10 else ""
        told = " ".join(f"Row {row}, {fault}" for row, fault in sorted(faults)[:10])
        raise InputError(f"{name}: {len(faults)} cell(s) cannot be used. {told}{more}")
    return found


def _words(column: pd.Series, name: str, rows: list[int], faults: list[tuple[int, str]]) -> list[str]:
    values = ["" if value is None or value != value else str(value).strip() for value in column]
    faults += [(row, f"{name}: it is empty.") for row, value in zip(rows, values, strict=True) if not value]
    return values


def _days(column: pd.Series, rows: list[int], faults: list[tuple[int, str]]) -> Any:
    import pandas as pd

    days = []
    for row, value in zip(rows, column, strict=True):
        try:
            days.append(Date.fromisoformat(str(value)[:10]))
        except ValueError:
            faults.append((row, f"date: found {value!r}; expected a day such as 2026-06-30."))
            days.append(Date(1970, 1, 1))
    return pd.to_datetime(days)


def _amounts(
    column: pd.Series,
    name: str,
    rows: list[int],
    faults: list[tuple[int, str]],
    low: float,
    high: float = np.inf,
    missing: float | None = None,
) -> list[float]:
    values = []
    wanted = "a number from 0 to 1" if high == 1 else "a number of 0 or more"
    for row, value in zip(rows, column, strict=True):
        empty = value is None or value != value
        try:
            amount = missing if empty and missing is not None else float(value)
        except (TypeError, ValueError):
            amount = np.nan
        if not (low <= amount <= high and np.isfinite(amount)):
            hint = " Write 70 % as 0.7." if high == 1 and amount > 1 else ""
            shown = "nothing" if empty else repr(value)
            faults.append((row, f"{name}: found {shown}; expected {wanted}.{hint}"))
        values.append(amount)
    return values


@dataclass(frozen=True)
class EventValue:
    """What a ledger of events is worth.

    Attributes
    ----------
    events : DataFrame, one row an event
        customer, event, date, probability, revenue, cost, years, factor, expected_profit, present_value.
    profit_and_loss : DataFrame, index customer, the most valuable first
        events, revenue, cost, profit (expected, not discounted), npv, lower, upper, chance_of_loss.
    total : Series: npv, lower, upper, chance_of_loss of all customers together
    as_of : date
    discount, level : float
    problems : list of str
    """

    events: pd.DataFrame
    profit_and_loss: pd.DataFrame
    total: pd.Series
    as_of: Date
    discount: float
    level: float
    problems: list[str]

    def plot(self, language: str = "en") -> Axes:
        """Draw the net present value of each customer with its interval."""
        from crmlab.plots.value import event_values

        return event_values(self.profit_and_loss, language=language)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            **{"as_of": self.as_of.isoformat(), "discount": self.discount, "level": self.level},
            "total": {str(name): float(value) for name, value in self.total.items()},
            "npv": {str(name): float(value) for name, value in self.profit_and_loss["npv"].items()},
            "problems": list(self.problems),
        }


def event_value(
    ledger: pd.DataFrame | str | Path,
    discount: float,
    *,
    as_of: Date | str | None = None,
    draws: int = 10_000,
    level: float = 0.9,
    seed: int = 0,
) -> EventValue:
    """Profit-and-loss table and net present value of foreseen events, by customer.

    Parameters
    ----------
    ledger : DataFrame or path of a ledger file
        Columns customer, event, date, probability (0–1), revenue and cost (≥ 0, either may be left out). Revenue and
        cost arise if the event happens; a cost that is certain is an event of its own with probability 1.
    discount : float
        Per year.
    as_of : date or text
        The day the value is for; default the day of the first event. Earlier events are left out and told.
    draws : int
        Simulated futures, in which events happen independently of each other.
    level : float in (0, 1)
        Share of the futures in the interval.
    seed : int

    Returns
    -------
    EventValue

    Raises
    ------
    InputError
        Faults of the ledger, each with row, column and value; a rate or number out of range; no event left.

    Examples
    --------
    >>> import pandas as pd
    >>> ledger = pd.DataFrame({"customer": ["Li", "Li"], "event": ["visit", "renewal"],
    ...                        "date": ["2026-01-01", "2027-01-01"], "probability": [1, 0.5],
    ...                        "revenue": [0, 1100], "cost": [100, 0]})
    >>> event_value(ledger, 0.1).profit_and_loss["npv"].round(1).to_dict()
    {'Li': 400.0}
    """
    table = read_ledger(ledger) if isinstance(ledger, str | Path) else _checked(ledger, "ledger")
    d = discount_rate(discount)
    whole(draws, "draws", 100)
    number(level, "level", 0, 1, above=True)
    day = table["date"].min().date() if as_of is None else day_of(as_of, "as_of")
    told = _about(table, day)
    table = table[table["date"].dt.date >= day].reset_index(drop=True)
    if table.empty:
        raise InputError(
            f"event_value: no event is on or after {day}; nothing is left to value. Give an earlier as_of."
        )
    years = (table["date"].dt.date - day).map(lambda ahead: ahead.days).to_numpy() / 365.25
    profit = table["revenue"] - table["cost"]
    table = table.assign(years=years, factor=(1 + d) ** -years, expected_profit=table["probability"] * profit)
    table["present_value"] = table["expected_profit"] * table["factor"]
    customers, futures = _futures(table, (profit * table["factor"]).to_numpy(), draws, np.random.default_rng(seed))
    statement = _statement(table, customers, futures, level)
    low, high = percentiles(futures.sum(axis=1), level)
    import pandas as pd

    everyone = {
        "npv": table["present_value"].sum(),
        "lower": low,
        "upper": high,
        "chance_of_loss": (futures.sum(axis=1) < 0).mean(),
    }
    total = pd.Series({name: float(value) for name, value in everyone.items()}, name="total")
    return EventValue(table, statement, total, day, d, level, told)


def _about(table: pd.DataFrame, day: Date) -> list[str]:
    told = []
    past = table[table["date"].dt.date < day]
    if len(past):
        told.append(
            f"{len(past)} event(s) before {day} are left out (first: {past['event'].iloc[0]} of "
            f"{past['customer'].iloc[0]})."
        )
    twice = table[table.duplicated(["customer", "event", "date"], keep=False)]
    if len(twice):
        row = twice.iloc[0]
        told.append(
            f"{row['event']} of {row['customer']} on {row['date'].date()} stands in the ledger more than once; both "
            "count."
        )
    if len(table) > 1:
        told.append("Events are drawn independently. If one makes another likelier, the true interval is wider.")
    return told


def _futures(table: pd.DataFrame, worth: Array, draws: int, rng: np.random.Generator) -> tuple[list[str], Array]:
    """Present value of every customer (columns) in every simulated future (rows)."""
    import pandas as pd

    code, customers = pd.factorize(table["customer"])
    chance = table["probability"].to_numpy()
    futures = np.zeros((draws, len(customers)))
    block = max(1, _CELLS // draws)
    for first in range(0, len(table), block):
        part = slice(first, first + block)
        happens = rng.random((draws, len(worth[part]))) < chance[part]
        for place, own in enumerate(code[part]):
            futures[:, own] += np.where(happens[:, place], worth[part][place], 0.0)
    return list(customers), futures


def _statement(table: pd.DataFrame, customers: list[str], futures: Array, level: float) -> pd.DataFrame:
    weighted = table.assign(
        revenue=table["probability"] * table["revenue"], cost=table["probability"] * table["cost"], events=1
    )
    found = weighted.groupby("customer", sort=False)[
        ["events", "revenue", "cost", "expected_profit", "present_value"]
    ].sum()
    found = found.rename(columns={"expected_profit": "profit", "present_value": "npv"}).reindex(customers)
    lower, upper = percentiles(futures, level)
    found = found.assign(lower=lower, upper=upper, chance_of_loss=(futures < 0).mean(axis=0))
    return found.sort_values("npv", ascending=False, kind="stable").rename_axis("customer")
