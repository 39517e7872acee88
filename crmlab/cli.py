"""The command line: a study folder made, checked and run; and from files to forms, to faults, and to one study.

Commands parse, call and print. Bad input ends with exit code 2 and one paragraph on standard error; a failure of the
program itself ends with exit code 1. A study folder that was there before is left as it was in both cases.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmlab.questionnaire import Questionnaire
    from crmlab.responses import Responses
    from crmlab.studies import Study
    from crmlab.transactions import Transactions

_STUDY = "csi_study"
_RFM_STUDY = "rfm_study"
_WEIGHTS_STUDY = "weights_study"
_CELLS_SHOWN = 50

#: How `crmlab --help` groups the commands; one that is named in no group stands in the last.
_GROUPS = {
    "A study folder of your own": ("new", "check", "run"),
    "One study from files": ("csi", "rfm", "weights"),
    "Before the survey, and more": ("questionnaire",),
}


class _InGroups(TyperGroup):
    """Commands listed under what they are for."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        named = [name for names in _GROUPS.values() for name in names]
        *_, last = _GROUPS
        groups = {title: [*names] for title, names in _GROUPS.items()}
        groups[last] += [name for name in self.commands if name not in named]
        for title, names in groups.items():
            rows = [(name, self.commands[name].get_short_help_str(100)) for name in names if name in self.commands]
            with formatter.section(title):
                formatter.write_dl(rows)


app = typer.Typer(
    cls=_InGroups,
    help="Customer relationship management, taught and done: from orders to segments, from a survey to an index.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

QuestionnaireFile = Annotated[
    str, typer.Option("--questionnaire", metavar="Q", help="YAML file, or a shipped design such as ecsi.")
]
DataFile = Annotated[
    str, typer.Option("--data", metavar="FILE", help="CSV, XLSX or SAV file, or a data set of the course such as mobi.")
]
Sheet = Annotated[str, typer.Option(metavar="NAME", help="Worksheet of a workbook.", show_default="the first")]
Encoding = Annotated[str, typer.Option(metavar="NAME", help="Encoding of a CSV.", show_default="found out")]
Format = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Whose export: plain, spreadsheet, wenjuanxing, qualtrics, limesurvey or spss.",
        show_default="found out",
    ),
]
Faults = Annotated[
    str, typer.Option(metavar="error|missing", help="Stop at answers that cannot be read, or take them for missing.")
]
Only = Annotated[
    str,
    typer.Option(metavar="COLUMN=VALUE", help="Keep what has this value in a column only.", show_default="all"),
]
By = Annotated[str, typer.Option(metavar="COLUMN", help="Column of groups to compare.", show_default="none")]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code: 0 done, 1 failed, 2 bad input.

    Parameters
    ----------
    arguments
        Command and options; those of the process if left out.
    """
    from crmlab.errors import InputError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A label that the terminal's encoding lacks must not turn a finished study into a failure.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(arguments, prog_name="crmlab")
    except InputError as error:
        _end(error, 2)
    except Exception as error:
        from crmlab.sem import SemError
        from crmlab.studies import NotebookError

        if isinstance(error, SemError):
            _end(error, 2)
        if isinstance(error, NotebookError):
            _end(error, 1)
        raise


def _version(wanted: bool) -> None:
    if wanted:
        import crmlab

        print(f"crmlab {crmlab.__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Take the options that go before a command."""


@app.command()
def csi(
    questionnaire: QuestionnaireFile,
    data: DataFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the study; replaced as a whole.")],
    engine: Annotated[str, typer.Option(metavar="pls|cbsem|semopy", help="How the model is estimated.")] = "pls",
    only: Only = "",
    by: By = "",
    bootstrap: Annotated[
        int,
        typer.Option(metavar="N", help="Resamples behind the intervals.", show_default="1000; 200 if one by one"),
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="The same seed gives the same files.")] = 0,
    language: Annotated[str, typer.Option(metavar="en|zh", help="Language of the report.")] = "en",
    faults: Faults = "error",
    scheme: Annotated[str, typer.Option(metavar="path|centroid|factorial", help="Inner weights.")] = "path",
    consistent: Annotated[
        bool, typer.Option("--consistent", help="Correct paths and loadings for measurement error.")
    ] = False,
    estimator: Annotated[
        str, typer.Option(metavar="ML|MLR|ULS|WLSMV", help="Estimator of CB-SEM.", show_default="ML")
    ] = "",
    missing: Annotated[
        str,
        typer.Option(
            metavar="mean|listwise|fiml|pairwise", help="Missing answers.", show_default="as the engine does usually"
        ),
    ] = "",
    sheet: Sheet = "",
    encoding: Encoding = "",
    format: Format = "",
) -> None:
    """Estimate the satisfaction index of a survey.

    The folder then holds report.html, tables.xlsx, notebook.ipynb and index.json.
    """
    from crmlab import studies

    parameters = {
        "questionnaire": questionnaire,
        "data": data,
        "sheet": sheet,
        "encoding": encoding,
        "format": format,
        "faults": faults,
        "engine": engine,
        "scheme": scheme,
        "consistent": consistent,
        "estimator": estimator,
        "missing": missing,
        "only": only,
        "by": by,
        "bootstrap": bootstrap,
        "seed": seed,
        "language": language,
    }
    studies.require("csi", parameters)
    _say(_summary(studies.run(_STUDY, parameters, out)))


@app.command()
def rfm(
    data: Annotated[
        str,
        typer.Option("--data", metavar="FILE", help="CSV, XLSX or Parquet file or folder, or the course's cdnow."),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the study; replaced as a whole.")],
    customer: Annotated[str, typer.Option(metavar="C", help="Column of the customer's id.")] = "customer_id",
    date: Annotated[str, typer.Option(metavar="D", help="Column of the day of the order.")] = "date",
    amount: Annotated[str, typer.Option(metavar="A", help="Column of the amount.")] = "amount",
    order: Annotated[
        str, typer.Option(metavar="O", help="Column of the order number.", show_default="each line is an order")
    ] = "",
    only: Only = "",
    as_of: Annotated[
        str, typer.Option(metavar="DAY", help="The day that looks back.", show_default="the last day of the orders")
    ] = "",
    scheme: Annotated[str, typer.Option(metavar="rubric|quantile", help="How customers are scored.")] = "quantile",
    bins: Annotated[int, typer.Option(metavar="N", help="Scores of the quantile scheme, 2 to 9.")] = 5,
    unit: Annotated[
        float, typer.Option(metavar="X", help="Money that the rubric calls 1.", show_default="as in the data")
    ] = 0.0,
    engine: Annotated[str, typer.Option(metavar="duckdb|spark", help="Where orders are counted.")] = "duckdb",
    language: Annotated[str, typer.Option(metavar="en|zh", help="Language of the report.")] = "en",
    sheet: Sheet = "",
    encoding: Encoding = "",
) -> None:
    """Score and segment the customers of a file of orders by recency, frequency and monetary value.

    The folder then holds report.html, customers.parquet, notebook.ipynb and summary.json.
    """
    from crmlab import studies

    parameters = {
        "data": data,
        "customer": customer,
        "date": date,
        "amount": amount,
        "order": order,
        "only": only,
        "as_of": as_of,
        "scheme": scheme,
        "bins": bins,
        "unit": unit,
        "engine": engine,
        "sheet": sheet,
        "encoding": encoding,
        "language": language,
    }
    _say(_rfm_summary(studies.run(_RFM_STUDY, parameters, out)))


@app.command()
def weights(
    questionnaire: QuestionnaireFile,
    data: DataFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the study; replaced as a whole.")],
    judgements: Annotated[
        str, typer.Option(metavar="FILE", help="YAML file or workbook with judgements.", show_default="none")
    ] = "",
    construct: Annotated[
        str, typer.Option(metavar="NAME", help="Weigh the items of this construct only.", show_default="all")
    ] = "",
    only: Only = "",
    by: By = "",
    weighting: Annotated[
        str, typer.Option(metavar="NAME", help="The method put first.", show_default="combined, else equal")
    ] = "",
    change: Annotated[float, typer.Option(metavar="SHARE", help="How far each weight is moved.")] = 0.2,
    draws: Annotated[int, typer.Option(metavar="N", min=1, help="Random weightings.")] = 1000,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="The same seed gives the same files.")] = 0,
    language: Annotated[str, typer.Option(metavar="en|zh", help="Language of the report.")] = "en",
    faults: Faults = "error",
    sheet: Sheet = "",
    encoding: Encoding = "",
    format: Format = "",
) -> None:
    """Weigh the items of a survey by every method, and say what difference it makes.

    The folder then holds report.html, tables.xlsx, notebook.ipynb and weights.json.
    """
    from crmlab import studies

    parameters = {
        "questionnaire": questionnaire,
        "data": data,
        "judgements": judgements,
        "sheet": sheet,
        "encoding": encoding,
        "format": format,
        "faults": faults,
        "construct": construct,
        "only": only,
        "by": by,
        "weighting": weighting,
        "change": change,
        "draws": draws,
        "seed": seed,
        "language": language,
    }
    studies.require("weights", parameters)
    _say(_weights_summary(studies.run(_WEIGHTS_STUDY, parameters, out)))


@app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A study folder.", show_default=False)] = None,
    questionnaire: Annotated[
        str, typer.Option("--questionnaire", metavar="Q", help="Without DIR: YAML file, or a shipped design.")
    ] = "",
    data: Annotated[str, typer.Option("--data", metavar="FILE", help="Without DIR: CSV, XLSX or SAV file.")] = "",
    by: By = "",
    faults: Faults = "error",
    sheet: Sheet = "",
    encoding: Encoding = "",
    format: Format = "",
) -> None:
    """Say what is wrong with a study folder, or with a survey's files, and where.

    Format, columns, personal data, faults, and answers given without care. Ends with exit code 2 if no study can be
    made of them.
    """
    from crmlab import InputError, Questionnaire, studies
    from crmlab import csi as index

    if folder is not None:
        if questionnaire or data:
            raise InputError(
                f"check: found {folder} and files; expected one or the other. Leave out what you do not mean."
            )
        _check_study(studies.Study.read(folder))
        return
    if not (questionnaire and data):
        raise InputError("check: expected a study folder, or --questionnaire and --data. Name what to check.")
    design = Questionnaire.read(questionnaire)
    _say_design(design)
    answers = studies.read_answers(data, design, sheet=sheet, encoding=encoding, format=format)
    _say_answers(answers)
    _say_quality(answers)
    index.check(design, answers, by=by or None, faults=faults)
    _say("Nothing stands in the way of an estimate.")


@app.command()
def new(
    kind: Annotated[
        str, typer.Argument(metavar="csi|rfm|weights", help="What the study is about.", show_default=False)
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.", show_default=False)],
    language: Annotated[str, typer.Option(metavar="en|zh", help="Language of explanations and report.")] = "en",
) -> None:
    """Make a study folder to adapt, which runs at once on sample data.

    It holds study.yaml with the settings, data/ for your export, notebook.ipynb, README.md, and for a survey
    questionnaire.yaml.
    """
    from crmlab import studies

    made = studies.new(kind, folder, language)
    _say(f"{made} is ready: run it with  crmlab run {made}  and read {made / 'README.md'}.")


@app.command(add_help_option=False)
def run(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="A study folder.", show_default=False)] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another setting for this run.", show_default=False),
    ] = None,
    each: Annotated[
        str,
        typer.Option(metavar="COLUMN|file", help="A report for each value of a column, or for each file in data/."),
    ] = "",
    help: Annotated[bool, typer.Option("--help", help="Show this; with DIR, also the settings of that study.")] = False,
) -> None:
    """Run a study folder and leave report and tables in DIR/results.

    With --each, one report for every branch or wave, and a comparison of them all.
    """
    from crmlab import InputError, studies

    if help:
        print(context.get_help())
        if folder is not None:
            _say_settings(studies.Study.read(folder).changed(changes or ()))
        raise typer.Exit
    if folder is None:
        raise InputError("run: found no study folder; expected one, such as crmlab run my-study. Name it.")
    study = studies.Study.read(folder).changed(changes or ())
    if each:
        _run_each(study, each)
        return
    _say_data(study)
    studies.require_study(study)
    _say(_SUMMARIES[study.kind](studies.run_study(study)))


@app.command("questionnaire")
def write_questionnaire(
    questionnaire: QuestionnaireFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files; other files in it stay.")],
    codes: Annotated[bool, typer.Option("--codes", help="Print column names on the forms, for typing answers in.")] = (
        False
    ),
) -> None:
    """Make a questionnaire ready for the field: forms to print, and the codebook.

    The folder then holds form_en.html, form_zh.html and codebook.xlsx.
    """
    from crmlab import Questionnaire

    design = Questionnaire.read(questionnaire)
    _say_design(design)
    _make_folder(out)
    for language in ("en", "zh"):
        design.write_form(out / f"form_{language}.html", language, codes=codes)
    design.write_codebook(out / "codebook.xlsx")
    _say(f"Forms and codebook: {out}")


def _check_study(study: Study) -> None:
    """What `check` says of a study folder."""
    from crmlab import studies

    _say(f"Study {study.place / 'study.yaml'}: {study.kind}, {len(study.settings)} settings.")
    _say_data(study)
    if study.kind == "rfm":
        studies.require_study(study)
        _say_orders(studies.read_transactions(study.values()))
    else:
        design, answers = studies.read_survey(study.values())
        _say_design(design)
        _say_answers(answers)
        _say_quality(answers)
        studies.require_study(study)
    _say("Nothing stands in the way of a run.")


def _run_each(study: Study, each: str) -> None:
    """Run branches or waves, telling which are done; one that could not be estimated is no failure of the command."""
    from crmlab import studies

    def tell(done: int, total: int) -> None:
        print(f"\r{done} of {total} done", end="" if done < total else "\n", file=sys.stderr, flush=True)

    found = studies.run_each(study, each, progress=tell)
    for outcome in found.outcomes:
        if outcome.numbers is None:
            _say(f"{outcome.name} could not be estimated: {outcome.reason}")
    for name in found.refused:
        _say(f"{name} is not to be used and was not compared, as its report says at its top.")
    made = f"{len(found.estimated)} of {len(found.outcomes)} reports made and compared"
    _say(f"{made}: {study.results / 'comparison.html'}")


def _say_data(study: Study) -> None:
    file, remark = study.data()
    if remark:
        _say(f"Data {Path(file).name}: {remark}")


def _say_orders(orders: Transactions) -> None:
    first, last = orders.period
    _say(f"Orders {orders.name}: {orders.n:,} lines, {orders.customers:,} customers, {first} to {last}.")
    _say("Columns: " + ", ".join(f"{role} from {column}" for role, column in orders.roles.items()) + ".")
    for problem in orders.problems:
        _say(f"- {problem}")


def _say_settings(study: Study) -> None:
    """Every setting: name, type, what holds, choices, meaning."""
    _say(f"Settings of {study.place} ({study.kind}), in study.yaml or with --set NAME=VALUE:")
    for name, parameter in study.known.items():
        if name == "out":
            continue
        value = study.settings.get(name, parameter.default)
        stated = f"the file in {study.place / 'data'}" if name == "data" and name not in study.settings else repr(value)
        default = "" if value == parameter.default else f" (default {parameter.default!r})"
        choices = f" One of {', '.join(parameter.choices)}." if parameter.choices else ""
        _say(f"  {name}: {parameter.type} = {stated}{default}")
        _say(f"      {parameter.meaning[:1].upper()}{parameter.meaning[1:]}.{choices}")


def _summary(folder: Path) -> str:
    import json

    study = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    lower, upper = study["ci"]
    interval = "no interval" if lower is None else f"{100 * study['level']:g}% interval {lower:.1f} to {upper:.1f}"
    index = "not estimated" if study["index"] is None else f"{study['index']:.1f} of 100"
    refused = "" if study["admissible"] else "Not to be used, as the report says at its top: "
    return f"{refused}Satisfaction index {index} ({interval}, n = {study['n']}): {folder / 'report.html'}"


def _rfm_summary(folder: Path) -> str:
    import json

    study = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    largest = max(study["segments"], key=lambda name: study["segments"][name]["customers"])
    return (
        f"{study['customers']:,} customers in {len(study['segments'])} segments as of {study['as_of']}, most of them "
        f"{largest} ({study['segments'][largest]['share']:.0%}): {folder / 'report.html'}"
    )


def _make_folder(folder: Path) -> None:
    from crmlab.errors import InputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made a folder ({error.strerror}); expected a place you may write to. Choose another."
        ) from None


def _weights_summary(folder: Path) -> str:
    import json

    study = json.loads((folder / "weights.json").read_text(encoding="utf-8"))
    indices = [method["index"] for method in study["methods"].values()]
    own = study["methods"][study["shown"]]["index"]
    return (
        f"Index {own:.1f} of 100 ({study['shown']}); {len(indices)} weightings between {min(indices):.1f} and "
        f"{max(indices):.1f}: {folder / 'report.html'}"
    )


_SUMMARIES: dict[str, Callable[[Path], str]] = {"csi": _summary, "rfm": _rfm_summary, "weights": _weights_summary}


def _say_design(design: Questionnaire) -> None:
    _say(f"Questionnaire {design.source}: {len(design.constructs)} constructs, {len(design.items)} items.")
    for finding in design.lint():
        _say(f"- {finding}")


def _say_answers(answers: Responses) -> None:
    _say(f"Answers {answers.source}: {answers.n} respondents.")
    evidence = f", by {', '.join(answers.evidence)}" if answers.evidence else ""
    _say(f"Format: {answers.format}{evidence}.")
    uses = answers.matching["use"].value_counts(sort=False)
    _say("Columns: " + ", ".join(f"{use} {count}" for use, count in uses.items()) + ".")
    matched = answers.matching[answers.matching["matched_by"].ne("name") & answers.matching["use"].eq("item")]
    for column in matched.to_dict("records"):
        _say(f"  column {column['column']}, {column['header']}: {column['item']}, by {column['matched_by']}")
    for problem in answers.problems:
        _say(f"- {problem}")
    for cell in answers.cells.head(_CELLS_SHOWN).itertuples(index=False):
        _say(f"  row {cell.row}, {cell.column}: {cell.value!r} {cell.problem}, {cell.action}")
    if len(answers.cells) > _CELLS_SHOWN:
        _say(f"  … and {len(answers.cells) - _CELLS_SHOWN} more cells.")


def _say_quality(answers: Responses) -> None:
    quality = answers.quality()
    _say("Quality of the answers (marked, not excluded):")
    for check in quality.checks.to_dict("records"):
        found = check["note"]
        if not found.startswith("not checked"):
            share, limit = f"{check['share']:.1%}", f"{check['threshold']:.3g}"
            found = f"{check['count']} of {check['of']} ({share}); {check['means']}: {limit} ({check['source']})"
        _say(f"  {check['check']}: {found}")
    for problem in quality.problems:
        _say(f"- {problem}")


def _say(text: str) -> None:
    print(_one_line(text))


def _end(error: Exception, code: int) -> NoReturn:
    print(_one_line(f"Error: {error}"), file=sys.stderr)
    raise SystemExit(code)


def _one_line(text: str) -> str:
    """Text without line breaks and control characters: what a file holds must not steer the terminal."""
    lead = " " * (len(text) - len(text.lstrip(" ")))
    words = " ".join(text.split())
    return lead + "".join(character if character.isprintable() else "\ufffd" for character in words)


if __name__ == "__main__":
    main()
