"""What every test needs: the same examples every run, and a machine that is used well."""

import os

import pytest
from hypothesis import settings

# Their assertions tell what they compared, as those of a test module do.
pytest.register_assert_rewrite("chapters")

# A slow machine is no fault of the code, and a test that fails on Tuesdays teaches nobody.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

# Spark's Java lives for seconds here: to start soon counts, and what pays off after minutes does not.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules whose tests take long: begun last, one of them would keep one core busy and others idle.

    A module's tests, or a class's, stay together, for they share what is dear to set up.
    """
    slow = {_scope(item) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: _scope(item) not in slow)


def _scope(item: pytest.Item) -> str:
    return item.nodeid.rpartition("::")[0]
