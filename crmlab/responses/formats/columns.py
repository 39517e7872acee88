"""Columns of an export that are no question: personal data, times and what the platform notes for itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd

from crmlab.responses.cells import as_text, number, plain
from crmlab.responses.table import Column

# Headers, in plain form, of the times that a platform writes, by the column of `Responses.meta` they go to.
TIMES = {
    "started": ("startdate", "start date", "date started", "开始时间", "开始答题时间", "started"),
    "submitted": (
        *("提交答卷时间", "提交时间", "recordeddate", "recorded date", "enddate", "end date", "submitdate"),
        *("date submitted", "submitted"),
    ),
    "seconds": (
        *(
            "所用时间",
            "答题时长",
            "用时",
            "duration (in seconds)",
            "duration__in_seconds_",
            "duration",
            "interviewtime",
            "total time",
            "seconds",
        ),
    ),
    "complete": ("finished", "submitdate", "date submitted"),
}

# What platforms note for themselves and no analysis needs; the respondent's number may stand in for an id.
NUMBERS = ("序号", "responseid", "response id", "id")
TECHNICAL = frozenset(
    [
        *NUMBERS,
        *("来源", "总分", "status", "response type", "progress", "finished", "distributionchannel"),
        *("distribution channel", "userlanguage", "user language", "responseset", "startdate", "enddate"),
        *("recordeddate", "lastpage", "last page", "startlanguage", "start language", "seed", "datestamp"),
        *("date last action", "sc0", "q_recaptchascore", "q_terminateflag"),
    ]
)
_TIMING = re.compile(
    r"(group|question)time\w*|(group|question) time:.*|.*_(first click|last click|page submit|click count)"
)

_PERSONAL = re.compile(
    r"来源详情|来自ip|ip地址|姓名|手机|电话|邮箱|电子邮件|身份证|联系方式|微信|qq号?$|地址"
    r"|\bip\b|ipaddr|\be-?mail|email|\b(tele)?phone|\bmobile\b|\btel\b|^(your |full |first |last |sur)?name$"
    r"|(first|last|sur|full)[ _]?name\b|recipient|latitude|longitude|\baddress\b|externaldata|external data"
    r"|refurl|referrer|passport|wechat"
)
_PERSONAL_VALUES = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}"),
    "IP addresses": re.compile(r"\d{1,3}(\.\d{1,3}){3}(\(.*\))?"),
    "telephone numbers": re.compile(r"(\+?86)?[ -]?1[3-9]\d[ -]?\d{4}[ -]?\d{4}"),
}
_LOOKED_AT = 200  # distinct values of a column that are looked at


def is_technical(names: Iterable[str]) -> bool:
    """Whether one of a column's headers is a platform's own.

    Examples
    --------
    >>> is_technical(["序号"]), is_technical(["groupTime8020"]), is_technical(["Q1"])
    (True, True, False)
    """
    return any(name in TECHNICAL or _TIMING.fullmatch(name) for name in map(plain, names))


def personal_by_header(names: Iterable[str]) -> bool:
    """Whether a header announces personal data.

    Examples
    --------
    >>> [personal_by_header([name]) for name in ("来自IP", "2、请填写：—收货人姓名：", "Your name", "brand name")]
    [True, True, True, False]
    """
    return any(_PERSONAL.search(plain(name)) for name in names)


def personal_by_values(column: Column) -> str:
    """What personal data most of the values look like; empty for none.

    Examples
    --------
    >>> personal_by_values(Column.of(pd.Series(["a@b.org", "c@d.cn", "none"])))
    'e-mail addresses'
    """
    texts = [plain(as_text(value)) for value in column.values[:_LOOKED_AT]]
    for what, pattern in _PERSONAL_VALUES.items():
        if texts and sum(bool(pattern.fullmatch(text)) for text in texts) > len(texts) / 2:
            return what
    return ""


def time_of(names: Collection[str]) -> list[str]:
    """The columns of `Responses.meta` that a column with these headers fills."""
    known = {plain(name) for name in names}
    return [kind for kind, headers in TIMES.items() if known & {*headers}]


def read_time(kind: str, column: Column) -> np.ndarray:
    """One cell each as the column of `Responses.meta` wants it: seconds, timestamps, or whether it was complete."""
    if kind == "complete":
        answers = np.array([_is_complete(value) for value in column.values] + [False])
        return answers[column.codes]
    if kind == "seconds":
        return np.array([*map(seconds, column.values), np.nan])[column.codes]
    return np.append(_timestamps(column.values), np.datetime64("NaT", "s"))[column.codes]


_DURATION = re.compile(
    r"(?:(?P<days>\d+)\s*(?:天|d|days?))?\s*(?:(?P<hours>\d+)\s*(?:小时|时|h|hours?))?"
    r"\s*(?:(?P<minutes>\d+)\s*(?:分钟?|m|mins?|minutes?))?\s*(?:(?P<seconds>\d+(?:\.\d+)?)\s*(?:秒钟?|s|secs?|seconds?)?)?"
)
_CLOCK = re.compile(r"(?:(?P<hours>\d+):)?(?P<minutes>\d+):(?P<seconds>\d+(?:\.\d+)?)")
_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def seconds(value: Any) -> float:
    """A duration in seconds; NaN when it is none.

    Examples
    --------
    >>> [seconds(text) for text in ("10秒", "1分20秒", "1小时2分3秒", "85.5", "00:01:20", "1 min 5 s", "later")]
    [10.0, 80.0, 3723.0, 85.5, 80.0, 65.0, nan]
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, time):
        value = value.isoformat()
    text = plain(value)
    if np.isfinite(plain_number := number(text)):
        return plain_number if plain_number >= 0 else np.nan
    found = _CLOCK.fullmatch(text) or _DURATION.fullmatch(text)
    parts = {part: amount for part, amount in found.groupdict().items() if amount} if found else {}
    return float(sum(_SECONDS[part] * float(amount) for part, amount in parts.items())) if parts else np.nan


# LimeSurvey writes this date where a survey does not keep dates: the form was sent, nobody knows when.
_UNDATED = 1980


def _timestamps(values: pd.Index) -> np.ndarray:
    texts = [value.isoformat(" ") if isinstance(value, datetime) else as_text(value) for value in values]
    stamps = pd.Series(pd.to_datetime(texts, errors="coerce", format="mixed", utc=True)).dt.tz_localize(None)
    return stamps.where(stamps.dt.year > _UNDATED).to_numpy(dtype="datetime64[s]")


def _is_complete(value: Any) -> bool:
    return plain(as_text(value)) not in {"", "0", "false", "no", "n", "nan"}
