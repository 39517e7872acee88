"""crmlab: customer relationship management, taught and done, from a questionnaire to a satisfaction index.

Each chapter of the course is one module with one name. The names below are the way in; every one of them is
loaded when it is first used, so that ``import crmlab`` itself costs next to nothing: pandas alone would take
longer than the 0.6 s the project allows.

Examples
--------
>>> import crmlab
>>> questionnaire = crmlab.Questionnaire.shipped("ecsi")
>>> questionnaire.index
'Satisfaction'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crmlab import (
        action,
        csi,
        customers,
        datasets,
        grading,
        lifecycle,
        likert,
        loyalty,
        plots,
        rfm,
        sampling,
        sem,
        studies,
        teaching,
        transactions,
        value,
        weighting,
    )
    from crmlab.errors import InputError
    from crmlab.questionnaire import Questionnaire
    from crmlab.responses import Responses, read_responses
    from crmlab.transactions import Transactions

    __version__: str

__all__ = [
    "InputError",
    "Questionnaire",
    "Responses",
    "Transactions",
    "__version__",
    "action",
    "csi",
    "customers",
    "datasets",
    "grading",
    "lifecycle",
    "likert",
    "loyalty",
    "plots",
    "read_responses",
    "rfm",
    "sampling",
    "sem",
    "studies",
    "teaching",
    "transactions",
    "value",
    "weighting",
]

_MODULES = (
    "action",
    "csi",
    "customers",
    "datasets",
    "grading",
    "lifecycle",
    "likert",
    "loyalty",
    "plots",
    "rfm",
    "sampling",
    "sem",
    "studies",
    "teaching",
    "transactions",
    "value",
    "weighting",
)
_MEMBERS = {
    "InputError": "errors",
    "Questionnaire": "questionnaire",
    "Responses": "responses",
    "Transactions": "transactions",
    "read_responses": "responses",
}


def __getattr__(name: str) -> Any:
    """Load a public name at its first use and keep it, so that the next use is a plain attribute."""
    value: Any
    if name in _MODULES:
        value = import_module(f"crmlab.{name}")
    elif name in _MEMBERS:
        value = getattr(import_module(f"crmlab.{_MEMBERS[name]}"), name)
    elif name == "__version__":
        from importlib.metadata import version

        value = version("crmlab")
    else:
        raise AttributeError(f"module 'crmlab' has no attribute {name!r}; it offers {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not: what completion in a notebook should offer."""
    return sorted(__all__)
