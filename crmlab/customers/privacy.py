"""What of a customer may stay in an analysis: ids replaced by a keyed hash, fields kept, coarsened or dropped (chapter
2).

A plain hash of an id hides nothing: who knows that ids have five digits hashes all of them and compares. A keyed hash
(HMAC, RFC 2104) cannot be tried out without the key. Whoever holds the key can still find a person again: this is
pseudonymisation, not anonymity (GDPR, Art. 4(5); Personal Information Protection Law of China 个人信息保护法, Art. 73).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from crmlab.errors import InputError
from crmlab.transactions import Transactions, engines

KEY_BYTES = 16
DIGITS = 20


class Advice(NamedTuple):
    """What to do with a field, how, and why."""

    do: str
    how: str
    reason: str


#: Field by field; a column is the first field whose word, English or Chinese, is in its name.
ADVICE: Mapping[str, Advice] = {
    "customer_id": Advice("replace", "keyed hash", "joins tables; the real one leads to the person"),
    "order_id": Advice("replace", "keyed hash", "leads to the invoice and its address"),
    "identity": Advice("drop", "", "number of a document: never leaves the system that must hold it"),
    "card": Advice("drop", "", "payment data: never leaves the payment system"),
    "phone": Advice("drop", "", "reaches the person"),
    "mobile": Advice("drop", "", "reaches the person"),
    "wechat": Advice("drop", "", "reaches the person"),
    "email": Advice("drop", "", "reaches the person"),
    "address": Advice("drop", "", "one house, often one person"),
    "note": Advice("drop", "", "free text holds what nobody expects"),
    "birth": Advice("coarsen", "decade", "birth date, city and sex together name most people"),
    "postcode": Advice("coarsen", "first three digits", "a postcode may hold a few houses"),
    "product": Advice("keep", "", "what is bought; drop where it tells of health, belief or private life"),
    "shop": Advice("keep", "", "many people share it"),
    "channel": Advice("keep", "", "many people share it"),
    "region": Advice("keep", "", "many people share it"),
    "city": Advice("keep", "", "many people share it; check the smallest"),
    "name": Advice("drop", "", "names the person, and no analysis needs it once duplicates are merged"),
    "date": Advice("keep", "", "recency and frequency are computed from it"),
    "amount": Advice("keep", "", "value is computed from it; look at the few largest"),
    "quantity": Advice("keep", "", "the size of an order"),
    "cost": Advice("keep", "", "margin is computed from it"),
}
CHINESE: Mapping[str, str] = {
    "customer_id": "会员号", "order_id": "单号", "identity": "身份证", "card": "卡号", "phone": "电话",
    "mobile": "手机", "wechat": "微信", "email": "邮箱", "address": "地址", "note": "备注", "birth": "出生",
    "postcode": "邮编", "product": "商品", "shop": "门店", "channel": "渠道", "region": "地区", "city": "城市",
    "name": "姓名", "date": "日期", "amount": "金额", "quantity": "数量", "cost": "成本",
}  # fmt: skip
UNKNOWN = Advice("decide", "", "not in the list: keep it only if an analysis needs it")


def pseudonymise(data: Any, key: bytes | str, column: str = "customer_id") -> Any:
    """Replace ids by a keyed hash: the first 20 hexadecimal digits of HMAC-SHA-256.

    The same key gives the same id, in every table and on every engine, so that pseudonymised tables can be joined. The
    key is used and not kept: store it apart from the data, or throw it away and nobody can go back.

    Parameters
    ----------
    data : Series of ids, DataFrame, or Transactions
    key : bytes, or text, of 16 bytes or more
        For example `secrets.token_bytes(32)`.
    column : str
        Column of a DataFrame that holds the ids. 7, 7.0 and "7" are the same id.

    Returns
    -------
    Series, DataFrame or Transactions
        As given, with ids as text; missing ids stay missing.

    Raises
    ------
    InputError
        For a key that is too short to resist guessing, or a missing column.

    Examples
    --------
    >>> pseudonymise(pd.Series([7, 9, 7]), key="a key of the lesson, known to all").tolist()
    ['f64cf2f7929e2f22872e', '325b0b8b7e33729dd922', 'f64cf2f7929e2f22872e']
    """
    secret = key.encode() if isinstance(key, str) else bytes(key)
    if len(secret) < KEY_BYTES:
        raise InputError(
            f"pseudonymise: the key has {len(secret)} bytes; expected {KEY_BYTES} or more, or it can be guessed. "
            "Make one "
            "with secrets.token_bytes(32)."
        )
    if isinstance(data, Transactions):
        return _of_transactions(data, secret)
    if isinstance(data, pd.Series):
        return _of_series(data, secret)
    if column not in data.columns:
        raise InputError(
            f"pseudonymise: there is no column {column!r}; the columns are {', '.join(map(str, data.columns))}."
        )
    return data.assign(**{column: _of_series(data[column], secret)})


def what_to_keep(columns: Iterable[str] | pd.DataFrame | None = None) -> pd.DataFrame:
    """Which fields may stay in an analysis, and why.

    Parameters
    ----------
    columns : names of columns, or a DataFrame, optional
        Default: every field of the list.

    Returns
    -------
    DataFrame, index "field"
        do ("keep", "coarsen", "replace", "drop"; "decide" for a field that is not in the list), how, reason.

    Examples
    --------
    >>> what_to_keep(["customer_id", "birth_year", "shoe_size"])["do"].to_dict()
    {'customer_id': 'replace', 'birth_year': 'coarsen', 'shoe_size': 'decide'}
    """
    names = [*ADVICE] if columns is None else [str(name) for name in columns]
    table = pd.DataFrame([_advice(name) for name in names], columns=Advice._fields, index=pd.Index(names, name="field"))
    return table


def minimise(table: pd.DataFrame, key: bytes | str) -> pd.DataFrame:
    """The table as an analysis may hold it: ids replaced, fields dropped and coarsened as `what_to_keep` says.

    Columns that are not in the list stay, and have to be decided. Parameters `key` as in `pseudonymise`.

    Examples
    --------
    >>> person = pd.DataFrame({"customer_id": [7], "name": ["Wang Fang"], "birth_year": [1987], "city": ["Chengdu"]})
    >>> minimise(person, key="a key of the lesson, known to all").drop(columns="customer_id")
      birth_year     city
    0      1980s  Chengdu
    """
    advice = what_to_keep(table)
    for name in advice.index[advice["do"] == "replace"]:
        table = pseudonymise(table, key, name)
    for name, how in advice.loc[advice["do"] == "coarsen", "how"].items():
        table = table.assign(**{str(name): COARSER[how](table[name])})
    return table.drop(columns=advice.index[advice["do"] == "drop"])


def _decade(values: pd.Series) -> pd.Series:
    year = values.astype("str").str.extract(r"(\d{4})", expand=False)
    return (year.str[:3] + "0s").where(year.notna())


COARSER = {"decade": _decade, "first three digits": lambda values: values.astype("str").str.strip().str[:3]}


def _advice(name: str) -> Advice:
    written = _letters(name)
    return next((ADVICE[field] for field in ADVICE if _letters(field) in written or CHINESE[field] in name), UNKNOWN)


def _letters(name: str) -> str:
    """A name without case, hyphens and underscores: E-Mail is email."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _of_series(ids: pd.Series, secret: bytes) -> pd.Series:
    distinct = {value: _hashed(value, secret) for value in ids.dropna().unique()}
    return ids.astype(object).map(distinct).astype("str")


def _of_transactions(transactions: Transactions, secret: bytes) -> Transactions:
    """The same lines under other ids; the list of customers passes through memory, the lines stay on their engine."""
    import pyarrow as pa

    table = transactions.table
    ids = engines.to_frame(table.select("customer_id").distinct().order_by("customer_id"))["customer_id"]
    hashed = pa.table({"known": pa.Array.from_pandas(ids), "hashed": [_hashed(value, secret) for value in ids]})
    lookup = engines.from_arrow(table.get_backend(), hashed)
    joined = table.join(lookup, table.customer_id == lookup.known)
    return transactions.replaced(joined.mutate(customer_id=joined.hashed).select(*table.columns), "pseudonymised")


def _hashed(value: Any, secret: bytes) -> str:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return hmac.new(secret, text.encode(), "sha256").hexdigest()[:DIGITS]
