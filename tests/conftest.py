"""What every test needs: the same examples every run."""

import pytest
from hypothesis import settings

# Their assertions tell what they compared, as those of a test module do.
pytest.register_assert_rewrite("chapters")

# A slow machine is no fault of the code, and a test that fails on Tuesdays teaches nobody.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
