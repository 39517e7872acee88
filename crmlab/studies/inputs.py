"""Bad input found in seconds, before a kernel starts: what a study would read is read here, and told.

:func:`require` serves the commands that name their files, :func:`require_study` a study folder, whose ``study.yaml``
can be pointed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crmlab.errors import InputError, closest
from crmlab.studies import runner
from crmlab.studies.rfm_study import read_orders, source_of
from crmlab.studies.study import KINDS, Study
from crmlab.studies.survey import read_answers
from crmlab.studies.weights_study import shown_method

if TYPE_CHECKING:
    from crmlab.questionnaire import Questionnaire
    from crmlab.responses import Responses
    from crmlab.transactions import Transactions

#: What else the column of a role is often called, in parts of its name.
_USUAL = {
    "customer": ("customer", "client", "member", "buyer", "user", "account", "客户", "顾客", "会员", "买家", "用户"),
    "date": ("date", "day", "time", "日期", "时间"),
    "amount": (
        "amount",
        "total",
        "sum",
        "price",
        "revenue",
        "sales",
        "value",
        "paid",
        "金额",
        "实付",
        "总价",
        "销售额",
    ),
    "order": ("order", "invoice", "receipt", "订单", "单号", "小票"),
}


def require(kind: str, parameters: Mapping[str, Any]) -> None:
    """Raise ``InputError`` where a study could not be made from these parameters.

    Parameters
    ----------
    kind
        ``csi``, ``rfm`` or ``weights``.
    parameters
        By name; what is left out has the template's default.

    Examples
    --------
    >>> require("csi", {"questionnaire": "ecsi", "data": "mobi"})
    >>> require("csi", {"questionnaire": "ecsi", "data": "mobi", "by": "shop"})
    Traceback (most recent call last):
    crmlab.errors.InputError: mobi: there is no grouping column 'shop'; the grouping columns are none. List the column
    under 'groups' in the questionnaire.
    """
    runner.check(KINDS[kind], parameters)
    defaults = {name: known.default for name, known in runner.parameters(KINDS[kind]).items()}
    _REQUIRE[kind]({**defaults, **parameters})


def require_study(study: Study) -> None:
    """Raise ``InputError`` where a study folder cannot be run as it stands."""
    values = study.values()
    try:
        _REQUIRE[study.kind](values)
    except InputError:
        if study.kind == "rfm":
            _require_columns(study, values)
        raise


def read_survey(values: Mapping[str, Any]) -> tuple[Questionnaire, Responses]:
    """Questionnaire and answers that these parameters name."""
    from crmlab.questionnaire import Questionnaire

    design = Questionnaire.read(values["questionnaire"])
    how = {name: values[name] for name in ("sheet", "encoding", "format", "only")}
    return design, read_answers(values["data"], design, **how)


def read_transactions(values: Mapping[str, Any], **more: Any) -> Transactions:
    """Orders that these parameters name; further arguments as for :class:`crmlab.Transactions`."""
    named = ("data", "customer", "date", "amount", "order", "engine", "sheet", "encoding", "only")
    return read_orders(**{name: values[name] for name in named}, **more)


def _require_estimable(values: Mapping[str, Any]) -> None:
    from crmlab import csi
    from crmlab.csi.settings import check_numbers

    options = [values[name] or None for name in ("estimator", "missing")]
    csi.Settings(values["engine"], values["scheme"], values["consistent"], *options)
    check_numbers(values["bootstrap"] or None, values["seed"])
    csi.check(*read_survey(values), by=values["by"] or None, faults=values["faults"])


def _require_countable(values: Mapping[str, Any]) -> None:
    read_transactions(values)


def _require_weighable(values: Mapping[str, Any]) -> None:
    from crmlab import weighting

    design, answers = read_survey(values)
    judged = weighting.read_judgements(values["judgements"], design) if values["judgements"] else None
    by, construct = values["by"] or None, values["construct"] or None
    found = weighting.compare(design, answers, judgements=judged, by=by, construct=construct, faults=values["faults"])
    shaking = {name: values[name] for name in ("change", "draws", "seed")}
    found.sensitivity(shown_method(found, values["weighting"]), **shaking)


_REQUIRE = {"csi": _require_estimable, "rfm": _require_countable, "weights": _require_weighable}


def _require_columns(study: Study, values: Mapping[str, Any]) -> None:
    """Say which settings name a column that the file does not have, and which column may be meant."""
    roles = [role for role in _USUAL if values[role]]
    source = source_of(values["data"], encoding=values["encoding"], sheet=values["sheet"])
    columns = list(source.table.columns)
    missing = [role for role in roles if values[role] not in columns]
    if not missing:
        return
    free = [column for column in columns if column not in {values[role] for role in roles}]
    told = ", ".join(f"{values[role]} ({_place(study, role)}{_perhaps(values[role], role, free)})" for role in missing)
    raise InputError(
        f"{source.name} has the columns {', '.join(columns[:20])}, but the study asks for {told}. Write the names of "
        "your columns there."
    )


def _place(study: Study, role: str) -> str:
    where = study.origins.get(role)
    return f"{where}, {role}" if where else role


def _perhaps(name: str, role: str, columns: list[str]) -> str:
    usual = (column for column in columns if any(word in column.casefold() for word in _USUAL[role]))
    near = closest(name, columns) or next(usual, None)
    return f": perhaps {near}" if near else ""
