"""The folder a study leaves behind: written whole or not at all.

A study is prepared in a hidden folder beside its destination, on the same file system, and moved into place by
renaming. Until the new folder is in place the old one is kept, and it is put back if the move fails. What a run that
was killed left lying is cleared, and its old folder restored, when the next study is written to the same place.

A destination is replaced only if it is empty or a study that crmlab wrote; one with anything else in it is refused.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crmlab.errors import InputError

#: The executed notebook of a study. Its metadata say that crmlab wrote the folder, and which files are the study's.
NOTEBOOK = "notebook.ipynb"
#: The numbers of many studies side by side; they say the same of a folder that holds a folder for each.
COMPARISON = "comparison.json"
_MARKS = {NOTEBOOK: ("metadata", "crmlab", "files"), COMPARISON: ("files",)}

# What file managers and Jupyter leave in any folder that was looked at.
_TRACES = {".DS_Store", ".ipynb_checkpoints", "Thumbs.db", "desktop.ini"}


def checked(out: str | Path) -> Path:
    """Return the real path of a destination that may be written, or say why it may not.

    Parameters
    ----------
    out
        The folder a study is to be written to. It need not exist, nor need its parents.

    Raises
    ------
    InputError
        If it is a file, holds other files than a study's, is the current folder or one above it, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp())
    >>> checked(place / "study").name
    'study'
    >>> _ = (place / "thesis.docx").write_text("years of work")
    >>> checked(place)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    crmlab.errors.InputError: out: the folder ... holds thesis.docx, not written by a crmlab study; ...
    """
    folder = Path(out).resolve()
    if Path.cwd().is_relative_to(folder):
        raise InputError(
            f"out: {out} is the current folder or one above it; a study replaces its folder as a whole. "
            "Name a folder of its own, for example build/my-study."
        )
    if folder.is_dir():
        _refuse_foreign(folder)
    elif folder.exists():
        raise InputError(f"out: {out} is a file; a study is written to a folder. Name another folder.")
    _refuse_unwritable(folder)
    return folder


@contextmanager
def replacing(out: str | Path) -> Iterator[Path]:
    """Give an empty folder to write a study to; when the block ends well, it takes the place of ``out``.

    Parameters
    ----------
    out
        The destination; see :func:`checked` for what is refused.

    Yields
    ------
    Path
        An empty folder beside ``out``. If the block raises, it is removed and ``out`` is left as it was.

    Raises
    ------
    InputError
        If ``out`` may not be replaced, or the folder cannot be made or moved there.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "study"
    >>> with replacing(out) as folder:
    ...     _ = (folder / "index.json").write_text("{}")
    >>> [file.name for file in out.iterdir()]
    ['index.json']
    """
    folder = checked(out)
    new_parents = [parent for parent in folder.parents if not parent.exists()]
    staging = _beside(folder, "new")
    try:
        with _told(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            _clear_leftovers(folder)
            staging.mkdir()
        yield staging
        with _told(folder):
            _move(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for parent in new_parents:
            with suppress(OSError):  # not empty: the study is in it
                parent.rmdir()


def _refuse_foreign(folder: Path) -> None:
    ours = _study_files(folder)
    foreign = [name for name in files(folder) if name not in ours and not _TRACES & {*Path(name).parts}]
    if foreign:
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        raise InputError(
            f"out: the folder {folder} holds {', '.join(foreign[:3])}{more}, not written by a crmlab study; a study "
            "replaces its folder as a whole, so it would be lost. Name a new or empty folder."
        )


def files(folder: Path) -> list[str]:
    """Everything below a folder that is no folder itself or an empty one, by its path from there."""
    found = [entry for entry in folder.rglob("*") if not entry.is_dir() or not any(entry.iterdir())]
    return sorted(entry.relative_to(folder).as_posix() for entry in found)


def _study_files(folder: Path) -> set[str]:
    """The files of the study in a folder, as its notebook or its comparison lists them; none without one of them."""
    listed: set[str] = set()
    for name, keys in _MARKS.items():
        try:
            content = json.loads((folder / name).read_text(encoding="utf-8"))
            for key in keys:
                content = content[key]
            listed |= set(content)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return listed


def _refuse_unwritable(folder: Path) -> None:
    nearest = next(parent for parent in folder.parents if parent.exists())
    if not nearest.is_dir():
        raise InputError(f"out: {folder} cannot be made, because {nearest} is a file. Name another folder.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(f"out: {folder} cannot be written; {nearest} allows no new files. Name another folder.")


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"out: {folder} cannot be written ({reason}). Name another folder.") from error


def _move(staging: Path, folder: Path) -> None:
    """Put the new folder in place of the old one; whatever goes wrong, one of the two stands there afterwards."""
    kept = _beside(folder, "old")
    if folder.exists():
        shutil.copymode(folder, staging)
        folder.rename(kept)
    try:
        staging.rename(folder)
    except BaseException:
        if kept.exists():
            kept.rename(folder)
        raise
    shutil.rmtree(kept, ignore_errors=True)


def _beside(folder: Path, state: str) -> Path:
    """The hidden neighbour of a folder; named by machine and process, so that the leftovers of a dead one are known."""
    return folder.with_name(f".{folder.name}.crmlab-{platform.node()}-{os.getpid()}-{state}")


def _clear_leftovers(folder: Path) -> None:
    import psutil

    ours = re.compile(rf"\.{re.escape(folder.name)}\.crmlab-{re.escape(platform.node())}-(\d+)-(new|old)")
    # "new" sorts before "old": an unfinished new folder never hides an old one that waits to be put back.
    for leftover in sorted(folder.parent.iterdir()):
        match = ours.fullmatch(leftover.name)
        if not match or psutil.pid_exists(int(match[1])):
            continue
        if match[2] == "old" and not folder.exists():
            leftover.rename(folder)
        else:
            shutil.rmtree(leftover, ignore_errors=True)
