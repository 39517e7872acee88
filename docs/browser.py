"""A real browser, for the tests of pages and the README's pictures, and a real JupyterLab for one of these."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Debian calls it chromium, others chromium-browser or google-chrome; None where there is none.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
SECONDS_TO_START = 90


@contextmanager
def lab(folder: Path, settings: Path) -> Iterator[str]:
    """JupyterLab serving a folder, with no settings but its own; gives the address, with its token, to open.

    Parameters
    ----------
    folder
        What it serves.
    settings
        An empty folder for its configuration, its data and its log.

    Yields
    ------
    str
        Address with ``{}`` for the path of a notebook in the folder.
    """
    places = {f"JUPYTER_{kind}_DIR": str(settings / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")} | {
        "JUPYTERLAB_SETTINGS_DIR": str(settings / "user"),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "workspaces"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.port=0", "--allow-root"]
    command += [f"--ServerApp.root_dir={folder}"]
    log = settings / "lab.log"
    with log.open("w") as said:
        server = subprocess.Popen(
            command, stdout=said, stderr=said, env={**os.environ, **places, "IPYTHONDIR": str(settings)}
        )
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not (found := list((settings / "runtime").glob("jpserver-*.json"))):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")
            time.sleep(0.2)
        about = json.loads(found[0].read_text())
        yield f"{about['url']}lab/tree/{{}}?token={about['token']}"
    finally:
        server.terminate()
        server.wait(timeout=30)
