"""What ``import asst`` offers, and what it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import asst


def test_the_public_names_are_few_and_all_of_them_resolve() -> None:
    assert len(asst.__all__) <= 12
    assert sorted(asst.__all__) == dir(asst)
    assert len(set(asst.__all__)) == len(asst.__all__)
    for name in asst.__all__:
        assert getattr(asst, name) is not None


def test_a_public_class_is_the_one_at_its_home() -> None:
    from asst.library.library import Library
    from asst.localizer import Localizer
    from asst.moments import Moment
    from asst.video import Frames

    assert (asst.Library, asst.Localizer, asst.Moment, asst.Frames) == (Library, Localizer, Moment, Frames)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'locator'"):
        _ = asst.locator


def test_importing_loads_nothing_heavy_until_a_name_is_used() -> None:
    program = (
        "import sys, asst\n"
        "heavy = {'numpy', 'torch', 'av', 'tokenizers', 'safetensors', 'lancedb'}\n"
        "print(*sorted(heavy & set(sys.modules)))\n"
        "asst.load\n"
        "print(*sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["", "numpy"]


def test_whatever_writes_json_refuses_what_is_no_json() -> None:
    """Python's own writer makes NaN and Infinity of numbers, which no other reader takes, unless it is told not to."""
    calls = [
        (path.name, call.lineno, {keyword.arg for keyword in call.keywords})
        for path in sorted(Path(asst.__file__).parent.rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("json.dumps", "json.dump")
    ]
    assert len(calls) > 10
    assert [(name, line) for name, line, given in calls if "allow_nan" not in given] == []


def test_the_wheel_holds_every_file_that_is_no_module() -> None:
    root = Path(asst.__file__).parent
    settings = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["asst"]
    others = (path for path in root.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
    files = [path.relative_to(root) for path in others]
    assert [
        str(path) for path in files if not any(path.match(pattern.removeprefix("**/")) for pattern in patterns)
    ] == []
