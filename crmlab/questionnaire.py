"""A survey's whole design in one YAML file: indicator tree, wording, scales, model (chapter 6, 四级指标体系).

Level 1 is the index (满意度指数), level 2 the constructs (潜变量), level 3 their facets, level 4 the items (题项) with
their wording in English and Chinese. The same file states the scale, missing codes, reversed items, grouping columns,
the paths between constructs and the direction of complaints, so that codebook, model, weights and index all follow
from it. The format is described, key by key, in :mod:`crmlab.questionnaire_schema`.

References
----------
Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., & Bryant, B. E. (1996). The American Customer Satisfaction Index:
nature, purpose, and findings. Journal of Marketing 60(4), 7–18.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd

from crmlab.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crmlab.questionnaire_schema import Design, Language, Text
    from crmlab.sem import Model

_INDEX = {"en": "{} index", "zh": "{}指数"}
_SHIPPED = Path(__file__).with_name("questionnaires")


@dataclass(frozen=True, repr=False)
class Questionnaire:
    """The design of a survey; make one with `read`, `shipped` or `from_text`.

    Tables are built anew at each use: changing one does not change the questionnaire. Where a text is missing in one
    language, the other language stands in (`lint` says where).

    Attributes
    ----------
    text : str
        The YAML text.
    source : str
        Name of the file, for messages.

    Examples
    --------
    >>> ecsi = Questionnaire.shipped("ecsi")
    >>> ecsi
    Questionnaire('ecsi', 7 constructs, 24 items, index Satisfaction)
    >>> ecsi.label("Satisfaction", "zh")
    '顾客满意度'
    """

    text: str
    source: str = field(default="<text>", compare=False)
    _design: Design = field(init=False, compare=False)

    def __post_init__(self) -> None:
        from crmlab.questionnaire_schema import read_design

        object.__setattr__(self, "_design", read_design(self.text, self.source))

    # --- Ways in ---------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, path: str | Path) -> Questionnaire:
        """Read a questionnaire file (YAML, UTF-8), or one of the shipped designs by its name.

        Raises
        ------
        InputError
            No such file, not UTF-8, not YAML, or not a questionnaire: with line, column, what was found and expected,
            and what to do; several errors are all listed, in file order.

        Examples
        --------
        >>> Questionnaire.read("ecsi").index
        'Satisfaction'
        """
        file = Path(path)
        if str(path) in shipped_names() and not file.is_file():
            file = _SHIPPED / f"{path}.yaml"
        if not file.is_file():
            found = "is a folder" if file.is_dir() else "does not exist"
            expected = f"a YAML file or one of the shipped names {', '.join(shipped_names())}"
            raise InputError(f"questionnaire: {path} {found}; expected {expected}. Correct the path.")
        return cls.from_text(_decode(file), source=file.name)

    @classmethod
    def shipped(cls, name: str) -> Questionnaire:
        """A design that comes with crmlab: `acsi`, `course_csi`, `ecsi` or `loyalty_value`.

        Raises
        ------
        InputError
            For any other name.

        Examples
        --------
        >>> len(Questionnaire.shipped("acsi").items)
        15
        """
        if name not in shipped_names():
            names = ", ".join(shipped_names())
            raise InputError(f"questionnaire: found the name {name!r}; expected one of {names}. Correct the name.")
        return cls.from_text(_decode(_SHIPPED / f"{name}.yaml"), source=f"{name}.yaml")

    @classmethod
    def from_text(cls, text: str, source: str = "<text>") -> Questionnaire:
        """Make a questionnaire from YAML text; `source` names it in messages. Raises `InputError` like `read`."""
        return cls(text, source)

    # --- What it says ----------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._design.name

    @property
    def title(self) -> dict[str, str]:
        """The survey's title by language; its name where the file gives no title."""
        title = self._design.title
        return title.both() if title else dict.fromkeys(_INDEX, self.name)

    @property
    def about(self) -> dict[str, dict[str, str]]:
        """The texts of the survey as a whole that the file gives, by language: title, intro, closing, dont_know."""
        return {name: text.both() for name, text in self._design.about().items()}

    @property
    def index(self) -> str:
        """Level 1: the construct whose value, 0–100, is the index."""
        return self._design.index

    @property
    def id(self) -> str | None:
        """The column that identifies a respondent, if any."""
        return self._design.id

    @property
    def groups(self) -> dict[str, dict[str, str]]:
        """Grouping columns and their labels by language."""
        return {column: label.both() for column, label in self._design.groups.items()}

    @property
    def missing_codes(self) -> list[int | float | str]:
        """Codes that mean 'no answer': numbers where they are written as numbers, else text."""
        return self._design.missing_codes()

    @property
    def complaints(self) -> dict[str, str] | None:
        """The construct of complaints, and whether higher is `better_handling` or `more_complaints`."""
        stated = self._design.complaints
        return None if stated is None else {"construct": stated.of, "higher": stated.higher}

    @property
    def blocks(self) -> dict[str, list[str]]:
        """The items of each construct."""
        return self._design.blocks()

    @property
    def items(self) -> pd.DataFrame:
        """Level 4, index `item`: construct, facet, en, zh, min, max, points, reverse."""
        rows = [
            {
                "item": entry.name,
                "construct": entry.construct,
                "facet": entry.facet.label.in_language("en"),
                **entry.item.both(),
                "min": entry.scale.min,
                "max": entry.scale.max,
                "points": entry.scale.max - entry.scale.min + 1,
                "reverse": entry.item.reverse,
            }
            for entry in self._design.entries()
        ]
        columns = ["item", "construct", "facet", "en", "zh", "min", "max", "points", "reverse"]
        return pd.DataFrame(rows, columns=columns).set_index("item")

    @property
    def facets(self) -> pd.DataFrame:
        """Level 3: construct, facet (its English label), zh, n_items."""
        rows = [(name, *facet.label.both().values(), len(facet.items)) for name, facet in self._design.facets()]
        return pd.DataFrame(rows, columns=["construct", "facet", "zh", "n_items"])

    @property
    def constructs(self) -> pd.DataFrame:
        """Level 2, index `construct`: en, zh, mode, n_items, role (antecedent, index, outcome, or other)."""
        from crmlab.questionnaire_schema import reach

        design = self._design
        outcomes = dict.fromkeys(reach(self.index, design.effects()), "outcome")
        antecedents = dict.fromkeys(reach(self.index, design.causes()), "antecedent")
        role = dict.fromkeys(design.constructs, "other") | outcomes | antecedents | {self.index: "index"}
        rows = [
            (name, *construct.label.both().values(), construct.mode, len(self.blocks[name]), role[name])
            for name, construct in design.constructs.items()
        ]
        return pd.DataFrame(rows, columns=["construct", "en", "zh", "mode", "n_items", "role"]).set_index("construct")

    @property
    def paths(self) -> pd.DataFrame:
        """The structural model: from, to, in file order."""
        rows = [(origin, target) for target, origins in self._design.paths.items() for origin in origins]
        return pd.DataFrame(rows, columns=["from", "to"])

    def scale_labels(self, item: str) -> dict[int, dict[str, str]]:
        """The labelled points of an item's scale, by language. Raises `InputError` for an unknown item.

        Examples
        --------
        >>> Questionnaire.shipped("ecsi").scale_labels("CUEX3")[10]
        {'en': 'never', 'zh': '从不'}
        """
        scales = {entry.name: entry.scale for entry in self._design.entries()}
        if item not in scales:
            raise _unknown("item", item, scales)
        return {point: label.both() for point, label in scales[item].labels.items()}

    def label(self, name: str, language: str = "en") -> str:
        """The words for a construct, item, grouping column or facet (by its English label), `language` en or zh.

        Raises
        ------
        InputError
            For an unknown name or language.
        """
        chosen = _language(language)
        texts: dict[str, Text] = {facet.label.in_language("en"): facet.label for _, facet in self._design.facets()}
        texts |= self._design.groups | {entry.name: entry.item for entry in self._design.entries()}
        texts |= {construct: content.label for construct, content in self._design.constructs.items()}
        if name not in texts:
            raise _unknown("label", name, texts)
        return texts[name].in_language(chosen)

    # --- What follows from it --------------------------------------------------------------------------------------

    def model_text(self) -> str:
        """The model in lavaan's language: `=~` reflective, `<~` formative, `~` paths.

        Raises
        ------
        InputError
            When a construct has no items.

        Examples
        --------
        >>> print(Questionnaire.shipped("course_csi").model_text())
        ExpectedQuality =~ EQ1 + EQ2 + EQ3 + EQ4
        PerceivedQuality =~ PQ1 + PQ2 + PQ3 + PQ4 + PQ5 + PQ6 + PQ7
        PerceivedValue =~ PV1 + PV2 + PV3
        Satisfaction =~ SA1 + SA2 + SA3
        Complaints =~ CO1 + CO2
        Loyalty =~ LO1 + LO2 + LO3
        PerceivedQuality ~ ExpectedQuality
        PerceivedValue ~ ExpectedQuality + PerceivedQuality
        Satisfaction ~ ExpectedQuality + PerceivedQuality + PerceivedValue
        Complaints ~ Satisfaction
        Loyalty ~ Satisfaction + Complaints
        """
        empty = [construct for construct, items in self.blocks.items() if not items]
        if empty:
            raise InputError(
                f"{self.source}: found no items in {', '.join(empty)}; expected at least one for each construct of the "
                "model. Add items, or remove the construct from constructs and paths."
            )
        operators = {"reflective": "=~", "formative": "<~"}
        modes = {name: operators[construct.mode] for name, construct in self._design.constructs.items()}
        measured = [f"{construct} {modes[construct]} {' + '.join(items)}" for construct, items in self.blocks.items()]
        explained = [f"{target} ~ {' + '.join(origins)}" for target, origins in self._design.paths.items() if origins]
        return "\n".join([*measured, *explained])

    def model(self) -> Model:
        """The model to estimate, a `crmlab.sem.Model`. Raises `InputError` when a construct has no items."""
        from crmlab.sem import Model

        return Model(self.model_text())

    def table(self, language: str = "en") -> pd.DataFrame:
        """The four levels, one row an item: index, construct, facet (all as labels), item (column name), wording.

        A construct or facet without items keeps a row, with empty cells below it. Raises `InputError` for a language
        other than en and zh.

        Examples
        --------
        >>> Questionnaire.shipped("ecsi").table().loc[5, ["index", "construct", "facet", "item"]].tolist()
        ['Customer satisfaction index', 'Customer expectations', 'Overall quality', 'CUEX1']
        """
        chosen = _language(language)
        top = _INDEX[chosen].format(self._design.constructs[self.index].label.in_language(chosen))
        rows = [
            (top, construct.label.in_language(chosen), facet, item, wording)
            for construct in self._design.constructs.values()
            for facet, items in [(f.label.in_language(chosen), f.items) for f in construct.facets] or [("", {})]
            for item, wording in [(name, i.in_language(chosen)) for name, i in items.items()] or [("", "")]
        ]
        return pd.DataFrame(rows, columns=["index", "construct", "facet", "item", "wording"])

    def plot(self, language: str = "en", ax: Axes | None = None) -> Axes:
        """The four levels as a tree, from the index to the wording of each item, in English (en) or Chinese (zh)."""
        from crmlab.plots.questionnaire import indicator_tree

        return indicator_tree(self.table(language), language=language, ax=ax)

    def form(self, language: str = "en", *, codes: bool = False) -> str:
        """The form for respondents: one self-contained HTML page, to print on A4 or to open, in English or Chinese.

        Parameters
        ----------
        language : "en" or "zh"
        codes : bool
            Print the column name beside each item. Respondents should not see it: a name such as LOY1 tells them what
            is measured.

        Raises
        ------
        InputError
            For another language.

        Examples
        --------
        >>> page = Questionnaire.shipped("course_csi").form("zh")
        >>> page.count('<input type="radio"'), "PQ1" in page, "顾客忠诚度" in page
        (220, False, False)
        """
        from crmlab.questionnaire_form import form_html

        return form_html(self._design, _language(language), codes=codes)

    def write_form(self, path: str | Path, language: str = "en", *, codes: bool = False) -> None:
        """Write `form` to a file. Raises `InputError` for another language or a path that cannot be written."""
        _write(Path(path), self.form(language, codes=codes).encode("utf-8"))

    def codebook(self) -> dict[str, pd.DataFrame]:
        """What every column of the data means: tables survey, variables, value_labels, constructs and paths.

        Examples
        --------
        >>> variables = Questionnaire.shipped("course_csi").codebook()["variables"].set_index("variable")
        >>> variables.loc["PQ3", ["zh", "construct", "missing"]].tolist()
        ['我需要时店员会主动帮助我', 'PerceivedQuality', '99']
        """
        from crmlab.questionnaire_codebook import codebook

        return codebook(self._design, self.constructs, self.paths)

    def write_codebook(self, path: str | Path) -> None:
        """Write `codebook` as a workbook, always the same bytes. Raises `InputError` when it cannot be written."""
        from crmlab.questionnaire_codebook import TITLES
        from crmlab.workbook import xlsx

        _write(Path(path), xlsx(self.codebook(), titles=TITLES))

    def lint(self) -> list[str]:
        """What a careful colleague would object to before the survey goes out, in a fixed order; empty when nothing.

        Each message says which thing, why it matters and what to do. Rules about the wording of an item guess from its
        words, and say so.

        Examples
        --------
        >>> len(Questionnaire.shipped("course_csi").lint())
        1
        >>> print(Questionnaire.shipped("acsi").lint()[0])
        Construct Complaints has a single item (COM1): its reliability cannot be estimated, and its measurement error
        passes into the paths. Add an item, or say so in the report.
        """
        from crmlab.questionnaire_lint import findings

        return findings(self._design)

    def lint_table(self) -> pd.DataFrame:
        """The findings of `lint` with the rule behind each and who has written about it: rule, finding, reference.

        Examples
        --------
        >>> Questionnaire.shipped("course_csi").lint_table()["rule"].tolist()
        ['agreement in one direction']
        """
        from crmlab.questionnaire_lint import finding_table

        return finding_table(self._design)

    def __repr__(self) -> str:
        counts = f"{len(self._design.constructs)} constructs, {len(self._design.entries())} items"
        return f"Questionnaire({self.name!r}, {counts}, index {self.index})"

    def _repr_html_(self) -> str:
        return f"<p><strong>{escape(self.title['en'])}</strong></p>{self.table().to_html(index=False)}"


def shipped_names() -> list[str]:
    """Names of the designs that come with crmlab.

    Examples
    --------
    >>> shipped_names()
    ['acsi', 'course_csi', 'ecsi', 'loyalty_value']
    """
    return sorted(file.stem for file in _SHIPPED.glob("*.yaml"))


def _decode(file: Path) -> str:
    try:
        content = file.read_bytes()
    except OSError as error:
        found = f"{file} cannot be read ({error.strerror})"
        raise InputError(f"questionnaire: {found}; expected a file you may open. Check its permissions.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        raise InputError(
            f"{file.name}, line {line}, column {column}: found the byte 0x{content[error.start]:02X}; expected text in "
            "UTF-8. Save the file as UTF-8 in your editor (it may be in GBK or another encoding now)."
        ) from None


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror}); expected a file in a folder that exists and that you may "
            "write to. Choose another place."
        ) from None


def _language(language: str) -> Language:
    if language not in _INDEX:
        raise InputError(f"language: found {language!r}; expected en or zh. Choose one of the two.")
    return cast("Language", language)


def _unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    from crmlab.questionnaire_schema import did_you_mean

    hint = did_you_mean(name, list(known))
    return InputError(f"{kind}: found {name!r}, a name the questionnaire does not have; {hint}correct it.")
