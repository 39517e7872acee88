"""Ids that are one person: probabilistic record linkage on name, telephone and e-mail, with splink on DuckDB (chapter
2).

Two entries agree on a field with probability m if they are one person, and with probability u if they are two. Each
field adds its weight log2(m/u) to the log-odds that they are one (Fellegi & Sunter, 1969); m is learnt from the entries
by the EM algorithm, u from pairs drawn at random.

References
----------
Fellegi, I. P., & Sunter, A. B. (1969). A theory for record linkage. Journal of the American Statistical Association,
64, 1183–1210.
Linacre, R., et al. (2022). Splink: Free software for probabilistic record linkage at scale. International Journal of
Population Data Science, 7(3).
"""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.transactions import to_frame
from crmlab.transactions.engines import quiet
from crmlab.transactions.sources import open_source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIELDS = ("name", "phone", "email")
#: Pairs below this probability are not worth keeping.
FLOOR = 0.01
#: Pairs drawn to learn how often two persons agree by chance.
RANDOM_PAIRS = 1_000_000
LARGE_CLUSTER = 6


@dataclass(frozen=True, eq=False)
class CustomerLinks:
    """Pairs of ids that may be one person, and the customers they make.

    Attributes
    ----------
    pairs : DataFrame, one row per pair with a probability of 0.01 or more, the likeliest first
        customer_id, other_id, probability, then the compared fields of both as they were compared.
    weights : DataFrame field, agreement, m, u, weight
        What each degree of agreement says: m among pairs of one person, u among pairs of two, weight = log2(m/u).
    ids : Series of all ids, in the order of the register.
    threshold : from which probability on two ids count as one person.
    problems : list of sentences.
    """

    pairs: pd.DataFrame
    weights: pd.DataFrame
    ids: pd.Series
    threshold: float
    problems: list[str]

    def clusters(self, threshold: float | None = None) -> pd.DataFrame:
        """Every id with its person: customer_id, master_id (the smallest id of the person), ids (how many it has).

        Links are followed: if A is B and B is C, then A is C.
        """
        least = self.threshold if threshold is None else threshold
        linked = self.pairs[self.pairs["probability"] >= least]
        master = _components(self.ids, linked)
        table = pd.DataFrame({"customer_id": self.ids, "master_id": master})
        return table.assign(ids=table.groupby("master_id")["customer_id"].transform("size"))

    def same(self, threshold: float | None = None) -> pd.DataFrame:
        """Ids to replace: customer_id and master_id, as `crmlab.transactions.clean` takes them under `same`."""
        table = self.clusters(threshold)
        changed = table["customer_id"] != table["master_id"]
        return table.loc[changed, ["customer_id", "master_id"]].reset_index(drop=True)

    def accuracy(
        self, persons: pd.DataFrame, thresholds: Sequence[float] = (0.05, 0.5, 0.9, 0.99, 0.999)
    ) -> pd.DataFrame:
        """Precision and recall against the truth, over pairs of ids that clusters put together.

        Parameters
        ----------
        persons : DataFrame customer_id, person
        thresholds : probabilities

        Returns
        -------
        DataFrame, one row per threshold
            threshold, found (pairs put together), right (of them one person), missed, precision = right / found,
            recall = right / (right + missed).

        Raises
        ------
        InputError
            If an id of the register has no person.
        """
        truth = self.ids.astype(str).map(persons.astype({"customer_id": str}).set_index("customer_id")["person"])
        if truth.isna().any():
            raise InputError(
                f"accuracy: the id {self.ids[truth.isna()].iloc[0]!r} of the register has no person in the truth."
            )
        rows = [_agreement(self.clusters(threshold)["master_id"], truth) for threshold in thresholds]
        table = pd.DataFrame(rows, columns=["found", "right", "missed"])
        table.insert(0, "threshold", list(thresholds))
        table["precision"] = table["right"] / table["found"].where(table["found"] > 0)
        known = table["right"] + table["missed"]
        table["recall"] = table["right"] / known.where(known > 0)
        return table

    def plot(self, persons: pd.DataFrame, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Precision and recall over the threshold; see `crmlab.plots.customers.precision_recall`."""
        from crmlab.plots.customers import precision_recall

        return precision_recall(
            self.accuracy(persons, np.round(np.linspace(0.05, 0.99, 48), 2).tolist()), language, ax=ax
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, ready for JSON."""
        clusters = self.clusters()
        return {
            "ids": len(self.ids),
            "persons": int(clusters["master_id"].nunique()),
            "threshold": self.threshold,
            "same": self.same().astype(str).to_dict("records"),
            "problems": [*self.problems],
        }

    def _repr_html_(self) -> str:
        clusters = self.clusters()
        said = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems)
        return (
            f"<p><b>Customer links</b>: {len(self.ids):,} ids, {clusters['master_id'].nunique():,} persons at "
            "probability "
            f"{self.threshold:g} or more</p><ul>{said}</ul>"
        )


def link_customers(
    register: Any,
    *,
    customer: str = "customer_id",
    name: str = "name",
    phone: str = "phone",
    email: str = "email",
    exact: Sequence[str] = (),
    threshold: float = 0.9,
    seed: int = 0,
) -> CustomerLinks:
    """Find ids that are one person by comparing name, telephone and e-mail.

    Before they are compared, names lose case, dots and the order of their parts; of telephones the last eleven digits
    count; e-mails lose case and spaces.

    Parameters
    ----------
    register : DataFrame, path, DuckDB relation or Ibis table
        One row per id.
    customer, name, phone, email : str
        Names of the columns.
    exact : sequence of str
        Further columns that agree or do not: birth year, city.
    threshold : float, 0 to 1
        From which probability on two ids count as one person; can be changed afterwards.
    seed : int
        Of the random pairs, where the register has more than `RANDOM_PAIRS`. Same seed, same result.

    Raises
    ------
    InputError
        If splink is not installed; for a missing column, a missing or repeated id, or fewer than ten rows.

    Examples
    --------
    >>> from crmlab.datasets import simulate_orders
    >>> simulated = simulate_orders(persons=120, seed=1)
    >>> links = link_customers(simulated.register, exact=["birth_year"])
    >>> links.accuracy(simulated.persons, [0.9])[["precision", "recall"]].round(2)
       precision  recall
    0        1.0    0.84
    """
    if not 0 < threshold <= 1:
        raise InputError(f"link_customers: threshold {threshold} is no probability; expected more than 0, up to 1.")
    columns = {"customer_id": customer, "name": name, "phone": phone, "email": email}
    table = _prepared(register, columns, exact)
    pairs, weights = _compared(table, [*exact], seed)
    return CustomerLinks(pairs, weights, table["customer_id"], threshold, _problems(table, pairs, threshold))


# The entries as they are compared -------------------------------------------------------------------------------------


def _prepared(register: Any, columns: dict[str, str], exact: Sequence[str]) -> pd.DataFrame:
    source = open_source(register, None, None, None)
    missing = [column for column in (*columns.values(), *exact) if column not in source.table.columns]
    if missing:
        raise InputError(
            f"link_customers: {source.name} has no column {missing[0]!r}; its columns are "
            f"{', '.join(source.table.columns)}. Name the columns of customer, name, phone and email."
        )
    found = source.table
    text = {role: found[column].cast("string") for role, column in columns.items()}
    compared = {
        "name": _name(text["name"]),
        "phone": text["phone"].re_replace(r"[^0-9]", "").re_extract(r"([0-9]{1,11})$", 1),
        "email": text["email"].lower().re_replace(r"\s", ""),
    }
    entries = found.select(
        customer_id=found[columns["customer_id"]],
        **{field: value.nullif("") for field, value in compared.items()},
        **{column: found[column].cast("string").strip().nullif("") for column in exact},
    )
    return _checked(to_frame(entries.order_by("customer_id")), source.name)


def _name(text: ibis.Column) -> ibis.Column:
    """Parts of a name in alphabetical order, without case and dots."""
    return text.lower().re_replace(r"[.,;·]", " ").strip().re_split(r"\s+").sort().join(" ")


def _checked(table: pd.DataFrame, source: str) -> pd.DataFrame:
    if len(table) < 10:
        raise InputError(
            f"link_customers: {source} has {len(table)} rows; fewer than 10 teach nothing about agreement."
        )
    if table["customer_id"].isna().any():
        raise InputError(
            f"link_customers: {source} has a row without an id. Every entry needs its id: correct the file."
        )
    twice = table.loc[table["customer_id"].duplicated(), "customer_id"]
    if len(twice):
        raise InputError(
            f"link_customers: {source} has the id {twice.iloc[0]!r} more than once; expected one row per id. Number "
            "the "
            "rows, or put the shop before the id."
        )
    return table


# The comparison -------------------------------------------------------------------------------------------------------


def _compared(table: pd.DataFrame, exact: list[str], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    with _silence():
        linker = _trained(table, exact, seed)
        found = linker.inference.predict(threshold_match_probability=FLOOR).as_pandas_dataframe()
        weights = _weights(linker)
    shown = [f"{field}_{side}" for field in (*FIELDS, *exact) for side in "lr"]
    pairs = found.rename(columns={"customer_id_l": "customer_id", "customer_id_r": "other_id"})
    pairs = pairs.assign(probability=pairs["match_probability"].round(6))
    pairs = pairs.sort_values(
        ["probability", "customer_id", "other_id"], ascending=[False, True, True], ignore_index=True
    )
    return pairs[["customer_id", "other_id", "probability", *shown]], weights


def _trained(table: pd.DataFrame, exact: list[str], seed: int) -> Any:
    import duckdb

    try:
        import splink.comparison_library as compare
        from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    except ModuleNotFoundError as error:
        raise InputError(
            "link_customers needs the package splink, which is not installed. Install the course's packages: pip "
            "install "
            "'crmlab[course]'."
        ) from error
    entries: Any = table
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="customer_id",
        comparisons=[
            compare.JaroWinklerAtThresholds("name", [0.94, 0.8]),
            compare.DamerauLevenshteinAtThresholds("phone", [2]),
            compare.DamerauLevenshteinAtThresholds("email", [2]),
            *(compare.ExactMatch(column) for column in exact),
        ],
        blocking_rules_to_generate_predictions=[
            *(block_on(field) for field in FIELDS),
            block_on("substr(name, 1, 3)"),
            *([block_on(*exact)] if exact else []),
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=True,
    )
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    linker = Linker(entries, settings, DuckDBAPI(connection), set_up_basic_logging=False)
    certain: Any = [block_on("phone", "email"), block_on("name", "phone"), block_on("name", "email")]
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=seed)
    for field in FIELDS:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(field))
    return linker


def _weights(linker: Any) -> pd.DataFrame:
    records = linker.misc.save_model_to_json()["comparisons"]
    rows = [
        (
            comparison["output_column_name"],
            level["label_for_charts"],
            level.get("m_probability"),
            level.get("u_probability"),
        )
        for comparison in records
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level")
    ]
    table = pd.DataFrame(rows, columns=["field", "agreement", "m", "u"]).astype({"m": float, "u": float})
    never = 1e-12  # of a degree that was not seen among pairs of one person
    return table.assign(weight=np.log2(table["m"].clip(lower=never) / table["u"].clip(lower=never))).round(6)


@contextmanager
def _silence() -> Iterator[None]:
    """splink reports its progress to the log and draws a bar; a notebook shows results."""
    logger = logging.getLogger("splink")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with quiet():
            yield
    finally:
        logger.setLevel(before)


# Clusters and truth ---------------------------------------------------------------------------------------------------


def _components(ids: pd.Series, linked: pd.DataFrame) -> np.ndarray:
    """Smallest id of every connected component."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    place = pd.Series(np.arange(len(ids)), index=ids)
    one, other = (place.loc[linked[side]].to_numpy() for side in ("customer_id", "other_id"))
    graph = coo_array((np.ones(len(linked)), (one, other)), shape=(len(ids), len(ids)))
    component = pd.Series(connected_components(graph, directed=False)[1], index=ids.index)
    return ids.groupby(component).transform("min").to_numpy()


def _agreement(cluster: pd.Series, person: pd.Series) -> tuple[int, int, int]:
    """Pairs put together, those of them that are one person, and pairs of one person that are apart."""

    def pairs(*by: pd.Series) -> int:
        sizes = cluster.groupby([series.to_numpy() for series in by]).size()
        return int((sizes * (sizes - 1) // 2).sum())

    right = pairs(cluster, person)
    return pairs(cluster), right, pairs(person) - right


def _problems(table: pd.DataFrame, pairs: pd.DataFrame, threshold: float) -> list[str]:
    said = []
    unsure = int(pairs["probability"].between(0.5, threshold, inclusive="left").sum())
    if unsure:
        said.append(
            f"{unsure:,} pairs lie between 0.5 and the threshold {threshold:g}: read them before you leave them out."
        )
    bare = int((table[[*FIELDS]].notna().sum(axis=1) < 2).sum())
    if bare:
        said.append(f"{bare:,} entries have fewer than two of name, telephone and e-mail; they can hardly be linked.")
    sizes = _components(table["customer_id"], pairs[pairs["probability"] >= threshold])
    largest = int(pd.Series(sizes).value_counts().max())
    if largest >= LARGE_CLUSTER:
        said.append(f"One person has {largest} ids: perhaps a family or a shop's own telephone. Look before you merge.")
    return said
