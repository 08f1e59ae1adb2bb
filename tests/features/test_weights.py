"""Files of packages: found without importing them, and checked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from asst.errors import InputError
from asst.features.hashing import packaged_file

CONTENT = b"weights"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with weights, which cannot be imported."""
    folder = tmp_path / "asst_pretend_weights"
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "model" / "w.bin").write_bytes(CONTENT)
    (tmp_path / "asst_pretend_module.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def test_a_file_is_found_without_importing_its_package(package: str, tmp_path: Path) -> None:
    path = tmp_path / package / "model" / "w.bin"
    assert packaged_file(package, "model/w.bin") == path
    assert packaged_file(package, "model/w.bin", hashlib.sha256(CONTENT).hexdigest()) == path


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("asst_no_such_weights", "w.bin"),
        ("asst_pretend_weights", "w.bin"),
        ("asst_pretend_weights", "model"),
        ("asst_pretend_module", "w.bin"),
    ],
)
@pytest.mark.usefixtures("package")
def test_what_is_missing_is_told_in_one_line_with_the_remedy(name: str, file: str) -> None:
    with pytest.raises(InputError) as raised:
        packaged_file(name, file)
    assert str(raised.value) == (
        f"{name}: {file} is not installed; install it with: pip install {name.replace('_', '-')}"
    )


def test_a_file_of_another_content_is_refused_in_one_line(package: str, tmp_path: Path) -> None:
    wanted = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(InputError) as raised:
        packaged_file(package, "model/w.bin", wanted)
    message = str(raised.value)
    assert message.startswith(f"{tmp_path / package / 'model' / 'w.bin'}: not the published weights")
    assert hashlib.sha256(CONTENT).hexdigest()[:12] in message
    assert wanted[:12] in message
    assert message.endswith("reinstall asst-pretend-weights")
    assert "\n" not in message
