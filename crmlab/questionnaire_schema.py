"""The schema of a questionnaire file, and the reader that turns its YAML text into a checked `Design`.

The classes below are the file format: their fields are the keys, and the description of a field is what an error
message says was expected. `read_design` names every fault of a file at once, in file order, each with line and column,
what was found, what was expected and what to do. Serves chapter 6 (four-level indicator system, 四级指标体系).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from crmlab.errors import InputError, closest

Language = Literal["en", "zh"]
Location = tuple[int | str, ...]
Place = tuple[int, int]
Fault = tuple[Place, str]


def _objection(found: str, expected: str, at: Location = ()) -> PydanticCustomError:
    """An error of the schema's own; `expected` ends in the remedy, `at` leads from the part to the very place in it."""
    context = {"found": found, "expected": expected, "at": at}
    return PydanticCustomError("objection", "{found}; expected {expected}", context)


def _model_name(text: str) -> str:
    if not re.fullmatch(r"[^\W\d][\w.]*", text):
        expected = "a name that model text can hold: a letter of any script, then letters, digits, '_' or '.'"
        raise _objection(repr(text), f"{expected}. Rename it here, and the column in the data with it")
    return text


Words = Annotated[str, Field(min_length=1)]
Name = Annotated[str, AfterValidator(_model_name)]


class Part(BaseModel):
    """A mapping of the file: no unknown keys; a key with nothing after it counts as not given."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _blank_is_not_given(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        known = cls.file_keys()
        return {key: value for key, value in given.items() if value is not None or key not in known}

    @classmethod
    def file_keys(cls) -> dict[str, FieldInfo]:
        """The keys of the file that this mapping may hold."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}


class Text(Part):
    """Words in English, Chinese or both, {en: ..., zh: ...}.

    A plain string is taken for the language it is written in.
    """

    en: Words | None = Field(None, description="the English text")
    zh: Words | None = Field(None, description="the Chinese text")

    @model_validator(mode="before")
    @classmethod
    def _plain_string(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        return {"zh" if re.search(r"[\u4e00-\u9fff]", given) else "en": given}

    @model_validator(mode="after")
    def _some_language(self) -> Text:
        if self.en is None and self.zh is None:
            raise _objection("no text", "en, zh or both. Write the words")
        return self

    def in_language(self, language: Language) -> str:
        """The text; where this language is missing, the other one."""
        given, other = (self.en, self.zh) if language == "en" else (self.zh, self.en)
        return given or other or ""

    def both(self) -> dict[str, str]:
        return {"en": self.in_language("en"), "zh": self.in_language("zh")}


class Scale(Part):
    """A scale: min, max and, if wanted, labels."""

    min: int = Field(description="a whole number, the lowest answer on the scale")
    max: int = Field(description="a whole number, the highest answer on the scale")
    labels: dict[int, Text] = Field({}, description="a mapping from scale points (whole numbers) to {en: ..., zh: ...}")

    @model_validator(mode="after")
    def _points(self) -> Scale:
        if self.min >= self.max:
            raise _objection(f"a scale from {self.min} to {self.max}", "min below max. Correct min or max")
        outside = [str(point) for point in self.labels if not self.min <= point <= self.max]
        if outside:
            expected = f"points from {self.min} to {self.max}. Correct labels, min or max"
            raise _objection(f"labels for {', '.join(outside)}", expected, ("labels", outside[0], "[key]"))
        return self


class Item(Text):
    """An item: its wording, with reverse and scale where needed."""

    reverse: bool = Field(False, description="true when a high answer means little of the construct, else false")
    scale: Scale | None = Field(None, description="a mapping with min, max and, if wanted, labels")


class Facet(Part):
    """A facet: its label and its items."""

    label: Text = Field(description="the facet's label, {en: ..., zh: ...}")
    items: dict[Name, Item] = Field({}, description="a mapping from column names of the data to their wording")


class Construct(Part):
    """A construct: its label, its facets, with mode and scale where needed."""

    label: Text = Field(description="the construct's label, {en: ..., zh: ...}")
    mode: Literal["reflective", "formative"] = Field("reflective", description="reflective or formative")
    scale: Scale | None = Field(None, description="a mapping with min, max and, if wanted, labels")
    facets: list[Facet] = Field([], description="a list of facets, each with a label and items")


class Complaints(Part):
    """The construct that holds complaints, and what a high answer on it means."""

    of: str = Field(alias="construct", description="the name of the construct that holds the complaints")
    higher: Literal["better_handling", "more_complaints"] = Field(description="better_handling or more_complaints")


class Design(Part):
    """A whole questionnaire file."""

    crmlab_questionnaire: Literal["1"] = Field(description="1, the version of the format that this crmlab reads")
    name: Words = Field(description="a short name of the survey")
    title: Text | None = Field(None, description="the title of the survey, {en: ..., zh: ...}")
    intro: Text | None = Field(None, description="what the form says before the first question, {en: ..., zh: ...}")
    closing: Text | None = Field(None, description="what the form says after the last question, {en: ..., zh: ...}")
    index: str = Field(description="the name of the construct whose value is the index")
    scale: Scale | None = Field(None, description="a mapping with min, max and, if wanted, labels")
    missing: list[Words] = Field([], description="a list of codes that mean 'no answer', such as [99]")
    dont_know: Text | None = Field(None, description="the words of the box for who cannot answer, {en: ..., zh: ...}")
    id: Words | None = Field(None, description="the name of the column that identifies a respondent")
    groups: dict[str, Text] = Field({}, description="a mapping from grouping columns to {en: ..., zh: ...}")
    complaints: Complaints | None = Field(None, description="a mapping with construct and higher")
    constructs: dict[Name, Construct] = Field(
        min_length=1, description="a mapping from construct names to label, mode and facets"
    )
    paths: dict[str, list[str]] = Field({}, description="a mapping from a construct to a list of constructs behind it")

    def facets(self) -> list[tuple[str, Facet]]:
        """Every facet with the name of its construct."""
        return [(name, facet) for name, construct in self.constructs.items() for facet in construct.facets]

    def entries(self) -> list[Entry]:
        """Every item with what lies above it in the tree and the scale that holds for it."""
        entries = []
        for construct, facet in self.facets():
            for name, item in facet.items.items():
                scale = item.scale or self.constructs[construct].scale or self.scale
                assert scale is not None, "read_design refuses an item without a scale"
                entries.append(Entry(name, item, facet, construct, scale))
        return entries

    def blocks(self) -> dict[str, list[str]]:
        """The items of each construct."""
        return {name: [i for facet in c.facets for i in facet.items] for name, c in self.constructs.items()}

    def causes(self) -> dict[str, list[str]]:
        """For each construct, the constructs behind it."""
        return {name: self.paths.get(name, []) for name in self.constructs}

    def effects(self) -> dict[str, list[str]]:
        """For each construct, the constructs it leads to."""
        return {name: [to for to, origins in self.paths.items() if name in origins] for name in self.constructs}

    def about(self) -> dict[str, Text]:
        """The texts of the survey as a whole that are given."""
        texts = {"title": self.title, "intro": self.intro, "closing": self.closing, "dont_know": self.dont_know}
        return {name: text for name, text in texts.items() if text is not None}

    def missing_codes(self) -> list[int | float | str]:
        """Codes as numbers where they are written as numbers, else as text; the words of dont_know are codes too."""
        codes = [_number(code) if re.fullmatch(r"[-+]?\d+(\.\d+)?", code) else code for code in self.missing]
        box = (self.dont_know.en, self.dont_know.zh) if self.dont_know else ()
        return [*codes, *(words for words in box if words and words not in codes)]


class Entry(NamedTuple):
    """An item in its place."""

    name: str
    item: Item
    facet: Facet
    construct: str
    scale: Scale


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def reach(start: str, steps: dict[str, list[str]]) -> list[str]:
    """Constructs that can be reached from `start`, nearest first; `start` itself only when the steps lead back to it.

    Examples
    --------
    >>> reach("a", {"a": ["b"], "b": ["c", "a"], "c": []})
    ['b', 'c', 'a']
    """
    reached: list[str] = []
    queue = [start]
    for construct in queue:
        new = [c for c in steps[construct] if c not in reached]
        reached += new
        queue += new
    return reached


def read_design(text: str, source: str) -> Design:
    """Read YAML text into a `Design`.

    Raises
    ------
    InputError
        Text that is not YAML, or any number of departures from the schema, each with line and column.

    Examples
    --------
    >>> read_design("crmlab_questionnaire: 1\\nnmae: demo", "demo.yaml")
    Traceback (most recent call last):
    crmlab.errors.InputError: demo.yaml has 4 errors:
      line 1, column 1: key 'name' is missing; expected a short name of the survey. Add it.
      line 1, column 1: key 'index' is missing; expected the name of the construct whose value is the index. Add it.
      line 1, column 1: key 'constructs' is missing; expected a mapping from construct names to label, mode and facets.
      Add it.
      line 2, column 1: found the unknown key 'nmae'; did you mean 'name'? Expected keys: crmlab_questionnaire, name,
      title, intro, closing, index, scale, missing, dont_know, id, groups, complaints, constructs, paths. Correct or
      remove it.
    """
    tree = _Tree(compose(text, source))
    faults = [*tree.faults, *_disagreements(tree)]
    try:
        design = Design.model_validate(tree.content)
    except ValidationError as errors:
        faults += [_fault(error, tree) for error in errors.errors(include_url=False)]
    if faults:
        raise InputError(_paragraph(faults, source))
    return design


def did_you_mean(word: str, known: list[str]) -> str:
    """The hint "did you mean 'label'? ", or nothing when no known word comes close."""
    near = closest(word, known)
    return f"did you mean {near!r}? " if near else ""


def _paragraph(faults: list[Fault], source: str) -> str:
    lines = [f"line {line}, column {column}: {words}." for (line, column), words in sorted(faults, key=lambda f: f[0])]
    if len(lines) == 1:
        return f"{source}, {lines[0]}"
    return "\n  ".join([f"{source} has {len(lines)} errors:", *lines])


# --- YAML text to a tree of plain text with places ---------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Composes nodes; refuses aliases, whose expansion could be endless."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="found an alias", problem_mark=mark)
        return super().compose_node(parent, index)


_YAML_HINTS = {
    "alias": "A word that begins with * must stand in quotes; repeated parts are written out.",
    "anchor": "A word that begins with & must stand in quotes.",
    "mapping values are not allowed": "Put a wording that holds a colon in quotes, and indent keys of one level alike.",
    "'\\t'": "Indent with spaces, not with tabs.",
    "end of stream": "A quote or a bracket is opened and not closed.",
    "cannot start any token": "A wording that begins with a special character must stand in quotes.",
    "another document": "Remove the line ---: one file holds one questionnaire.",
    "expected <block end>": "Indent keys of one level alike, and put wordings that hold quotes or colons in quotes.",
    "could not find expected ':'": "Every key is followed by a colon and a space; long wordings stand in quotes.",
    "expected ','": "Close the bracket, and put a wording that holds a comma, a question mark or a bracket in quotes.",
    "special characters": "Remove the invisible control character.",
}


def compose(text: str, source: str, first: str = "crmlab_questionnaire: 1") -> yaml.MappingNode:
    """The keys and values of a YAML file that begins with the line ``first``, with their places.

    Raises
    ------
    InputError
        Text that is not YAML or holds no keys: with line, column and what to do.
    """
    place, problem = (1, 1), ""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = before.count("\n") + 1, error.position - before.rfind("\n")
        problem = f"special characters are not allowed, found {chr(int(error.character))!r}"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else place
        problem = str(error.problem)
    except RecursionError:
        problem = "brackets are nested too deeply"
    else:
        if isinstance(node, yaml.MappingNode):
            return node
        found = "an empty file" if node is None else "a list" if isinstance(node, yaml.SequenceNode) else "plain text"
        hint = _full_width_hint(text, 1) or f"Start the file with the line {first!r}."
        raise InputError(f"{source}, line 1, column 1: found {found}; expected keys with values ('key: value'). {hint}")
    general = "Check quotes, brackets, colons and the indentation of this line and the one above."
    hint = next((hint for words, hint in _YAML_HINTS.items() if words in problem), general)
    hint = _full_width_hint(text, place[0]) or hint
    raise InputError(f"{source}, line {place[0]}, column {place[1]}: this is not readable YAML: {problem}. {hint}")


def _full_width_hint(text: str, line: int) -> str:
    """A Chinese keyboard types `：` where YAML needs a colon and a space; it shows in this line or the one before."""
    nearby = "\n".join(text.split("\n")[max(line - 2, 0) : line])
    return "Write ': ' (colon, space) after a key, not the full-width '：'." if re.search(r"\w：", nearby) else ""


class _Tree:
    """The file as nested dicts, lists and text (nothing written = None), the place of each part, and faults of keys."""

    def __init__(self, root: yaml.MappingNode) -> None:
        self.places: dict[Location, Place] = {}
        self.faults: list[Fault] = []
        self.content = self._read(root, ())

    def place(self, at: Location) -> Place:
        """Line and column of the part, or of the nearest part around it."""
        while at not in self.places:
            at = at[:-1]
        return self.places[at]

    def walk(self, at: Location = (), content: Any = None) -> Iterator[tuple[Location, Any]]:
        """Every part below a place, with its location, in file order."""
        content = content if at else self.content
        parts = dict(enumerate(content)) if isinstance(content, list) else content
        for key, value in parts.items() if isinstance(parts, dict) else ():
            yield (*at, key), value
            yield from self.walk((*at, key), value)

    def _read(self, node: yaml.Node, at: Location) -> Any:
        self.places[at] = _place(node)
        if isinstance(node, yaml.ScalarNode):
            return None if node.style is None and node.value in ("", "~", "null") else node.value
        if isinstance(node, yaml.SequenceNode):
            return [self._read(child, (*at, number)) for number, child in enumerate(node.value)]
        content: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                words = f"found a list or a mapping as a key{_within(at)}; expected text. Put it in quotes"
                self.faults.append((_place(key), words))
                continue
            name = key.value
            if name in content:
                first = self.places[*at, name, "[key]"][0]
                words = f"found the key {name!r} a second time{_within(at)} (first: line {first}); expected it once"
                self.faults.append((_place(key), f"{words}. Remove or rename one of the two"))
                continue
            self.places[*at, name, "[key]"] = _place(key)
            content[name] = self._read(value, (*at, name))
        return content


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


# --- Faults in words ----------------------------------------------------------------------------------------------


def _within(at: Location) -> str:
    """Where in the design: ` in constructs.Image.facets.1`; facets and other list entries count from 1."""
    return f" in {'.'.join(str(step + 1 if isinstance(step, int) else step) for step in at)}" if at else ""


def _found(value: Any) -> str:
    kinds = {type(None): "nothing", dict: "a mapping", list: "a list"}
    return kinds.get(type(value), repr(value))


def _fault(error: ErrorDetails, tree: _Tree) -> Fault:
    """One error of the schema as place and words."""
    at, kind = error["loc"], error["type"]
    around, last = at[:-1], at[-1] if at else ""
    of_key = last == "[key]"
    keys, expected = _expected(at[:-2] if of_key else at)
    if kind == "extra_forbidden":
        hint = did_you_mean(str(last), keys)
        words = f"found the unknown key {last!r}{_within(around)}; {hint}{'E' if hint else 'e'}xpected keys: "
        return tree.place((*at, "[key]")), f"{words}{', '.join(keys)}. Correct or remove it"
    if kind == "missing":
        words = f"key {last!r} is missing{_within(around)}; expected {expected}. Add it"
        return tree.place((*around, "[key]")), words
    within = _within(around[:-1] if of_key else at)
    if kind == "objection":
        context = error["ctx"]
        return tree.place((*at, *context["at"])), f"found {context['found']}{within}; expected {context['expected']}"
    place = tree.place((*at, "[key]") if error["input"] is None else at)
    remedy = "Correct the key" if of_key else "Correct the value"
    return place, f"found {_found(error['input'])}{within}; expected {expected}. {remedy}"


def _expected(at: Location) -> tuple[list[str], str]:
    """The keys allowed beside the last step of a location, and the description of the field it lies in."""
    here: Any = Design
    keys: list[str] = []
    description = ""
    for step in at:
        if isinstance(here, type) and issubclass(here, Part):
            keys = list(here.file_keys())
            field = here.file_keys().get(str(step))
            if field is None:
                break
            kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
            optional = type(None) in get_args(field.annotation)
            here, description = kinds[0] if optional else field.annotation, field.description or ""
        else:
            here = get_args(here)[-1] if get_args(here) else None
            if isinstance(here, type) and issubclass(here, Part):
                description = (here.__doc__ or "").partition("\n")[0].rstrip(".")
                description = description[:1].lower() + description[1:]
    return keys, description


def _disagreements(tree: _Tree) -> Iterator[Fault]:
    """Parts well formed that do not fit each other: unknown constructs, names used twice, items without a scale."""
    constructs = tree.content.get("constructs")
    names = [str(name) for name in constructs] if isinstance(constructs, dict) else []
    used = {name: tree.place(("constructs", name, "[key]"))[0] for name in names}
    for at, value in tree.walk():
        key = (*at, "[key]")
        match at:
            case ("index",) | ("complaints", "construct"):
                yield from _unknown_construct(value, names, tree.place(at), at)
            case ("paths", target):
                yield from _unknown_construct(target, names, tree.place(key), ("paths",))
                yield from _path_faults(str(target), value, names, tree)
            case ("id",) if isinstance(value, str):
                yield from _used_twice(value, used, tree.place(at))
            case ("groups", str(column)):
                yield from _used_twice(column, used, tree.place(key))
            case ("constructs", construct, "facets", int(), "items", str(item)):
                yield from _used_twice(item, used, tree.place(key))
                owners = (value, constructs[construct], tree.content)
                if not any(isinstance(owner, dict) and owner.get("scale") for owner in owners):
                    words = f"item {item!r} has no scale; expected one on the item, its construct or the whole file"
                    yield tree.place(key), f"{words}. Add one, as in scale: {{min: 1, max: 10}} at the top of the file"


def _path_faults(target: str, origins: Any, names: list[str], tree: _Tree) -> Iterator[Fault]:
    for number, origin in enumerate(origins if isinstance(origins, list) else ()):
        place = tree.place(("paths", target, number))
        yield from _unknown_construct(origin, names, place, ("paths", target))
        if origin == target:
            yield place, f"found a path from {origin!r} to itself; expected another construct. Remove it"
        elif origin in origins[:number]:
            words = f"found {origin!r} a second time in paths.{target}; expected each construct once"
            yield place, f"{words}. Remove one of the two"


def _unknown_construct(name: Any, names: list[str], place: Place, at: Location) -> Iterator[Fault]:
    if isinstance(name, str) and names and name not in names:
        hint = did_you_mean(name, names)
        words = f"found {name!r}{_within(at)}, which is no construct; {hint}{'E' if hint else 'e'}xpected one of "
        yield place, f"{words}{', '.join(names)}. Correct the name or add the construct"


def _used_twice(name: str, used: dict[str, int], place: Place) -> Iterator[Fault]:
    if name in used:
        words = f"found the name {name!r} a second time (first: line {used[name]}); expected every construct, item, "
        yield place, f"{words}group and id column to have a name of its own. Rename one of the two"
    used.setdefault(name, place[0])
