"""What every test needs: no windows, no figures left open, the same examples every run."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"
# Their assertions tell what they compared, as those of a test module do.
pytest.register_assert_rewrite("chapters")

# A slow machine is no fault of the code, and a test that fails on Tuesdays teaches nobody.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _figures_closed() -> Iterator[None]:
    """Close what a test drew: matplotlib warns at twenty open figures, and here a warning is an error."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
