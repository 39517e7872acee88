"""From raw lines to lines an analysis can stand on: check fields → match → de-duplicate → remove errors → blacklist →
enrich.

Each step consists of named rules, a row of `RULES` each: the lines a rule speaks of are one Ibis expression, so that
DuckDB and Spark clean alike. A rule changes lines or removes them, can be switched off by name, and has a line in the
report; what one rule has removed the next does not count. Course row C2, chapter 2.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date as Date
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis

from crmlab.errors import InputError
from crmlab.transactions import engines, fields
from crmlab.transactions.orders import Transactions
from crmlab.transactions.sources import check_names, open_source

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Articles that are no merchandise: postage, freight, bank charges, adjustments; as a regular expression of a text in
#: capitals.
POSTAGE = r"(^|[^A-Z])(POSTAGE|SHIPPING|FREIGHT|CARRIAGE|DELIVERY|BANK CHARGES|DISCOUNT|ADJUST)|邮费|运费|快递费"

EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class CleaningReport:
    """What became of every line.

    Attributes
    ----------
    steps : DataFrame, one row per rule in the order of work
        step, rule, what, applied ("yes", "switched off", or what it needs), lines_in, lines_out, removed, changed,
        amount (sum over the lines removed or changed, in the currency of the file).
    examples : DataFrame rule, row (where lines have an order), customer_id, date, amount and the cells as found: up to
        three lines per rule, the first of the file.
    problems : list of sentences: what a careful analyst would object to after cleaning.
    """

    steps: pd.DataFrame
    examples: pd.DataFrame
    problems: list[str]

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """The stream of lines through the rules; see `crmlab.plots.transactions.cleaning_stream`."""
        from crmlab.plots.transactions import cleaning_stream

        return cleaning_stream(self.steps, language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, ready for JSON."""
        examples = self.examples.astype(object).where(self.examples.notna(), None)
        rows = [
            {name: str(value) if name == "date" and value is not None else value for name, value in row.items()}
            for row in examples.to_dict("records")
        ]
        return {"steps": self.steps.to_dict("records"), "examples": rows, "problems": [*self.problems]}

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems)
        return f"{self.steps.drop(columns='what').to_html(index=False)}<ul>{said}</ul>"


class Settings(NamedTuple):
    """What rules compare lines with; tables of the engine, or None where the caller gave nothing."""

    as_of: Date
    postage: str
    same: Any
    blacklist: Any
    attributes: Any


class Rule(NamedTuple):
    """A step, a name, what it does, the columns or settings it needs, the lines it speaks of, and how it changes them
    (None: it removes them)."""

    step: str
    name: str
    what: str
    needs: tuple[str, ...]
    holds: Callable[[ibis.Table, Settings], ibis.Column]
    change: Callable[[ibis.Table, Settings], ibis.Table] | None = None


def clean(
    transactions: Transactions,
    *,
    skip: Iterable[str] = (),
    as_of: Date | str | None = None,
    same: pd.DataFrame | None = None,
    blacklist: Iterable[Any] | None = None,
    attributes: Any = None,
    postage: str = POSTAGE,
) -> tuple[Transactions, CleaningReport]:
    """Clean order lines rule by rule and report what each rule did.

    Parameters
    ----------
    transactions : Transactions
        All its lines are judged, also those that its `table` leaves out.
    skip : names of rules to switch off
        Of "date_formats", "decimal_ids", "padded_ids", "zero_padded_ids", "same_customer", "repeated_lines",
        "missing_id", "missing_date", "missing_amount", "future_date", "cancellations", "returns", "zero_amount",
        "postage", "blacklist", "attributes". The three "missing" rules cannot be switched off: no analysis can use such
        a line.
    as_of : date or text such as "2026-01-31"
        Lines dated later are errors; default today.
    same : DataFrame customer_id, master_id, optional
        Ids that belong to one customer, as `crmlab.customers.link_customers` finds them.
    blacklist : ids, optional
        Customers to leave out: test accounts, staff, resellers, those who asked to be forgotten. An id that `same`
        matches with another stands for the person: all her lines go.
    attributes : DataFrame, path or Ibis table, optional
        One row per customer_id; its other columns join the lines.
    postage : str
        Regular expression of products that are no merchandise, in capitals.

    Returns
    -------
    cleaned : Transactions
        With the roles and kept columns of the original and the attributes, on the same engine.
    report : CleaningReport

    Raises
    ------
    InputError
        For an unknown rule, attributes with a customer twice, or when no line is left.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame(
    ...     {
    ...         "customer_id": ["7", " 7", "9", "9", None],
    ...         "date": ["2026-01-05", "2026-01-05", "2026/01/20", "2026-01-21", "2026-01-22"],
    ...         "amount": [20.0, 20.0, 12.0, -12.0, 5.0],
    ...     }
    ... )
    >>> cleaned, report = clean(Transactions(orders), as_of="2026-02-01")
    >>> cleaned.to_pandas().sort_values("customer_id", ignore_index=True)
       customer_id       date  amount
    0            7 2026-01-05    20.0
    1            9 2026-01-20    12.0
    >>> report.steps.query("removed > 0 or changed > 0")[["rule", "lines_in", "lines_out", "removed", "changed"]]
                 rule  lines_in  lines_out  removed  changed
    0    date_formats         5          5        0        1
    2      padded_ids         5          5        0        1
    5  repeated_lines         5          4        1        0
    6      missing_id         4          3        1        0
    11        returns         3          2        1        0
    """
    skipped = _checked(skip)
    backend = transactions.lines.get_backend()
    masters = _lookup(same, ("customer_id", "master_id"), "same", backend)
    settings = Settings(
        Date.today() if as_of is None else fields.day_of(as_of),
        postage,
        masters,
        _ids(blacklist, masters, skipped, backend),
        _lookup(attributes, ("customer_id",), "attributes", backend),
    )
    applied = {rule.name: _applied(rule, transactions.lines, settings, skipped) for rule in RULES}
    active = [rule for rule in RULES if applied[rule.name] == "yes"]
    judged = engines.kept(_judged(transactions.lines, active, settings))
    steps = _steps(judged, active, applied)
    if steps["lines_out"].iloc[-1] == 0:
        worst = steps.sort_values("removed").iloc[-1]
        raise InputError(
            f"clean: no line of {transactions.name} is left; the rule {worst['rule']} alone removed "
            f"{worst['removed']:,}. "
            f"Check the columns named in Transactions, or switch the rule off: skip=[{worst['rule']!r}]."
        )
    cleaned = _cleaned(transactions, judged, settings.attributes if applied["attributes"] == "yes" else None)
    return cleaned, CleaningReport(steps, _examples(judged, active), _problems(steps, settings, cleaned))


# The rules ------------------------------------------------------------------------------------------------------------


def _unchanged(lines: ibis.Table, _: Settings) -> ibis.Table:
    """Already read as meant; the rule only counts."""
    return lines


def _rewritten_date(lines: ibis.Table, _: Settings) -> ibis.Column:
    usual = fields.DATE_FORMATS[0].pattern
    return lines.date.notnull() & ~lines.date_found.cast("string").strip().re_search(usual)


def _trimmed(lines: ibis.Table, _: Settings) -> ibis.Table:
    ids = lines.customer_id
    return lines.mutate(customer_id=fields.as_customer_id(ids.strip())) if ids.type().is_string() else lines


def _without_zeros(lines: ibis.Table, _: Settings) -> ibis.Table:
    ids = lines.customer_id
    if not ids.type().is_string():
        return lines
    return lines.mutate(customer_id=ibis.cases((lines.is_zero_padded_ids, ids.re_extract(ZERO_PADDED, 1)), else_=ids))


def _if_text(holds: Callable[[ibis.Column], ibis.Column]) -> Callable[[ibis.Table, Settings], ibis.Column]:
    """A condition on ids that are text; it holds for no id that is a number."""
    return lambda lines, _: holds(lines.customer_id) if lines.customer_id.type().is_string() else ibis.literal(False)


def _mastered(lines: ibis.Table, settings: Settings) -> ibis.Table:
    joined = lines.left_join(settings.same, lines.customer_id.cast("string") == settings.same.same_customer_id)
    master = ibis.coalesce(joined.same_master_id, joined.customer_id.cast("string"))
    return joined.mutate(customer_id=master).drop("same_customer_id", "same_master_id")


def _repeated(lines: ibis.Table, _: Settings) -> ibis.Column:
    compared = [
        name for name in lines.columns if name != "row" and not name.startswith("is_") and not name.endswith("_found")
    ]
    order = lines.row if "row" in lines.columns else lines.customer_id
    return ibis.row_number().over(group_by=[lines[name] for name in compared], order_by=order) > 0


def _enriched(lines: ibis.Table, settings: Settings) -> ibis.Table:
    table = settings.attributes
    joined = lines.left_join(table, lines.customer_id.cast("string") == table.attributes_customer_id)
    return joined.drop("attributes_customer_id")


def _on_list(lines: ibis.Table, ids: ibis.Column) -> ibis.Column:
    return lines.customer_id.cast("string").isin(ids)


ZERO_PADDED = r"^0+([1-9]\d*)$"
CANCELLED = r"^C\d"

RULES = (
    Rule(
        "fields",
        "date_formats",
        "date not written year-month-day, read all the same",
        ("date_found",),
        _rewritten_date,
        _unchanged,
    ),
    Rule(
        "fields",
        "decimal_ids",
        "id such as 123.0, read as 123",
        ("customer_id_found",),
        lambda lines, _: lines.customer_id_found.cast("string").re_search(fields.WHOLE_FLOAT),
        _unchanged,
    ),
    Rule(
        "match",
        "padded_ids",
        "spaces around the id, taken off",
        (),
        _if_text(lambda ids: ids != ids.strip()),
        _trimmed,
    ),
    Rule(
        "match",
        "zero_padded_ids",
        "zeros before a numeric id, taken off",
        (),
        _if_text(lambda ids: ids.re_search(ZERO_PADDED)),
        _without_zeros,
    ),
    Rule(
        "match",
        "same_customer",
        "id of a customer known under another id",
        ("same",),
        lambda lines, settings: _on_list(lines, settings.same.same_customer_id),
        _mastered,
    ),
    Rule("duplicates", "repeated_lines", "equal to another line in every column", (), _repeated),
    Rule("errors", "missing_id", "no customer id", (), lambda lines, _: lines.customer_id.isnull()),
    Rule("errors", "missing_date", "no date, or none that can be read", (), lambda lines, _: lines.date.isnull()),
    Rule("errors", "missing_amount", "no amount, or none that can be read", (), lambda lines, _: lines.amount.isnull()),
    Rule(
        "errors",
        "future_date",
        "dated after the day of the analysis",
        (),
        lambda lines, settings: lines.date > ibis.literal(settings.as_of),
    ),
    Rule(
        "errors",
        "cancellations",
        "order number that begins with C, as shops mark cancelled orders",
        ("order_id",),
        lambda lines, _: lines.order_id.cast("string").strip().upper().re_search(CANCELLED),
    ),
    Rule("errors", "returns", "negative amount", (), lambda lines, _: lines.amount < 0),
    Rule(
        "errors",
        "zero_amount",
        "amount of zero: gifts, samples, corrections",
        (),
        lambda lines, _: lines.amount == 0,
    ),
    Rule(
        "errors",
        "postage",
        "postage, charges and other lines that are no merchandise",
        ("product",),
        lambda lines, settings: lines["product"].cast("string").upper().re_search(settings.postage),
    ),
    Rule(
        "blacklist",
        "blacklist",
        "customer on the blacklist",
        ("blacklist",),
        lambda lines, settings: _on_list(lines, settings.blacklist.id),
    ),
    Rule(
        "enrich",
        "attributes",
        "attributes of the customer joined",
        ("attributes",),
        lambda lines, settings: _on_list(lines, settings.attributes.attributes_customer_id),
        _enriched,
    ),
)

ALWAYS = ("missing_id", "missing_date", "missing_amount")


def _judged(lines: ibis.Table, rules: Sequence[Rule], settings: Settings) -> ibis.Table:
    """The lines after all changes, with a column `is_<rule>` per rule and `removed_by`, the first rule that removes
    a line."""
    for rule in rules:
        holds = ibis.coalesce(rule.holds(lines, settings), ibis.literal(False))
        lines = lines.mutate(**{f"is_{rule.name}": holds})
        if rule.change is not None:
            lines = rule.change(lines, settings)
    removing = [(lines[f"is_{rule.name}"], rule.name) for rule in rules if rule.change is None]
    return lines.mutate(removed_by=ibis.cases(*removing))


# The report -----------------------------------------------------------------------------------------------------------


def _steps(judged: ibis.Table, active: Sequence[Rule], applied: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    spoken_of = {rule.name: _spoken_of(judged, rule) for rule in active}
    sums: dict[str, Any] = {"lines": judged.count()}
    for name, lines in spoken_of.items():
        sums[f"n_{name}"] = ibis.coalesce(lines.sum(), 0)
        sums[f"amount_{name}"] = ibis.coalesce(judged.amount.sum(where=lines), 0.0)
    total = engines.row(judged.agg(**sums))
    left, rows = int(total["lines"]), []
    for rule in RULES:
        n = int(total.get(f"n_{rule.name}", 0))
        removed = n if rule.change is None else 0
        amount = round(float(total.get(f"amount_{rule.name}", 0.0)), 2)
        told = (rule.step, rule.name, rule.what, applied[rule.name])
        rows.append((*told, left, left - removed, removed, n - removed, amount))
        left -= removed
    columns = ["step", "rule", "what", "applied", "lines_in", "lines_out", "removed", "changed", "amount"]
    return pd.DataFrame(rows, columns=columns)


def _spoken_of(judged: ibis.Table, rule: Rule) -> ibis.Column:
    """The lines a rule removed or changed; after the removing rules, changes count on the lines that are left."""
    if rule.change is None:
        return ibis.coalesce(judged.removed_by == rule.name, ibis.literal(False))
    changed = judged[f"is_{rule.name}"]
    return changed & judged.removed_by.isnull() if rule.step == "enrich" else changed


def _examples(judged: ibis.Table, active: Sequence[Rule]) -> pd.DataFrame:
    found = [name for name in judged.columns if name.endswith("_found")]
    shown = [name for name in ("row", "customer_id", "date", "amount") if name in judged.columns] + found
    order = ["row"] if "row" in judged.columns else ["customer_id", "date", "amount"]
    judged = judged.mutate(customer_id=judged.customer_id.cast("string"))
    parts = [
        judged.filter(_spoken_of(judged, rule))
        .order_by(*order)
        .limit(EXAMPLES)
        .select(*shown, rule=ibis.literal(place))
        for place, rule in enumerate(active)
    ]
    table = engines.to_frame(ibis.union(*parts).order_by("rule", *order))
    return table.assign(rule=[active[place].name for place in table["rule"]])[["rule", *shown]]


def _problems(steps: pd.DataFrame, settings: Settings, cleaned: Transactions) -> list[str]:
    by_rule: dict[str, Any] = {str(row["rule"]): row for row in steps.to_dict("records")}
    first, last = int(steps["lines_in"].iloc[0]), int(steps["lines_out"].iloc[-1])
    said = []
    if last < 0.8 * first:
        said.append(
            f"Only {last:,} of {first:,} lines are left ({last / first:.0%}). Look at the largest rule before going on."
        )
    back = by_rule["cancellations"]["amount"] + by_rule["returns"]["amount"]
    if back < 0:
        said.append(
            f"Cancellations and returns of {back:,.2f} were removed; the sales they take back stay, so that revenue is "
            "overstated by up to as much."
        )
    late = by_rule["future_date"]["removed"]
    if late:
        said.append(f"Dated after {settings.as_of}: {late:,} lines. Is that the right day?")
    off = [name for name, row in by_rule.items() if row["applied"] == "switched off"]
    if off:
        said.append(f"Switched off: {', '.join(off)}.")
    known = by_rule["attributes"]
    if known["applied"] == "yes" and known["changed"] < last:
        said.append(f"{last - known['changed']:,} of {last:,} lines are of customers without attributes.")
    return [*said, *cleaned.problems]


# What the caller gave -------------------------------------------------------------------------------------------------


def _checked(skip: Iterable[str]) -> set[str]:
    skipped = {skip} if isinstance(skip, str) else set(skip)
    known = [rule.name for rule in RULES if rule.name not in ALWAYS]
    unknown = sorted(skipped - set(known))
    if unknown:
        why = "cannot be switched off" if unknown[0] in ALWAYS else "is no rule"
        raise InputError(f"clean: {unknown[0]!r} {why}. Rules that can be switched off: {', '.join(known)}.")
    return skipped


def _applied(rule: Rule, lines: ibis.Table, settings: Settings, skipped: set[str]) -> str:
    if rule.name in skipped:
        return "switched off"
    given = {*lines.columns, *(name for name, value in settings._asdict().items() if value is not None)}
    lacking = [name for name in rule.needs if name not in given]
    return f"needs {' and '.join(lacking)}" if lacking else "yes"


def _ids(blacklist: Iterable[Any] | None, same: Any, skipped: set[str], backend: Any) -> ibis.Table | None:
    """The listed ids as the rules before have left them: unpadded, and with the id they were matched to."""
    import pyarrow as pa

    if blacklist is None:
        return None
    listed = [_as_matched(item, skipped) for item in blacklist]
    ids = engines.from_arrow(backend, pa.table({"id": pa.array(listed, pa.string())}))
    if same is None or "same_customer" in skipped:
        return ids
    return ids.union(same.filter(same.same_customer_id.isin(ids.id)).select(id=same.same_master_id))


def _as_matched(item: Any, skipped: set[str]) -> str:
    text = str(int(item)) if isinstance(item, float) and item.is_integer() else str(item)
    text = text if "padded_ids" in skipped else text.strip()
    return text if "zero_padded_ids" in skipped else re.sub(ZERO_PADDED, r"\1", text)


def _lookup(data: Any, needed: tuple[str, ...], name: str, backend: Any) -> ibis.Table | None:
    """A table with one row per customer; its key columns are text and renamed so that they meet no column of the
    lines."""
    if data is None:
        return None
    table = open_source(data, engines.engine_name(backend), None, None).table
    missing = [column for column in needed if column not in table.columns]
    if missing:
        raise InputError(f"clean: {name} has no column {missing[0]!r}; its columns are {', '.join(table.columns)}.")
    keys = {f"{name}_{column}": table[column].cast("string") for column in needed}
    lookup = table.select(**keys, **{column: table[column] for column in table.columns if column not in needed})
    key = f"{name}_customer_id"
    twice = (
        lookup.group_by(key).agg(n=lambda group: group.count()).filter(lambda group: group.n > 1).order_by(key).limit(1)
    )
    found = engines.to_frame(twice)
    if len(found):
        raise InputError(
            f"clean: {name} has the customer {found[key].iloc[0]!r} in {found['n'].iloc[0]} rows; expected one row per "
            "customer, because lines would be counted more than once. Remove the repeated rows."
        )
    return lookup


def _cleaned(transactions: Transactions, judged: ibis.Table, lookup: Any) -> Transactions:
    added = [] if lookup is None else [name for name in lookup.columns if name != "attributes_customer_id"]
    columns = [*transactions.roles, *transactions.keep, *added]
    check_names(columns, "clean: lines and attributes")
    return transactions.replaced(judged.filter(judged.removed_by.isnull()).select(*columns), "cleaned", added)
