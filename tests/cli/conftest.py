"""The library's fakes, for the verbs that are about libraries."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The model that knows three colours, in place of the packaged one."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "library"))
    module = import_module("fake_engine")
    monkeypatch.setattr("asst.library.engine.engine_of", module.engine_of)
    yield module
    sys.modules.pop("fake_engine", None)
