"""The fakes, importable here and by processes that are started."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module of fakes, which a spawned process finds on the path that it is given."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield import_module("fake_engine")
    sys.modules.pop("fake_engine", None)
