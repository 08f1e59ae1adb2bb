"""The table of extractors: what it says of each is what is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from asst.errors import InputError
from asst.features.extractor import EXTRACTORS, Extractor, extractor_named

from ..tiny_space import write_space


@pytest.fixture(scope="module")
def built(weights: Path) -> dict[str, Extractor]:
    """Every extractor whose dimension does not depend on the weights that somebody brings."""
    own = {name: entry for name, entry in EXTRACTORS.items() if entry.dimension is not None}
    return {name: extractor_named(name, weights if entry.needs else None) for name, entry in own.items()}


def test_extractors_are_what_the_table_says(built: dict[str, Extractor]) -> None:
    for name, extractor in built.items():
        entry = EXTRACTORS[name]
        assert (entry.name, entry.name, entry.dimension) == (name, extractor.name, extractor.dimension)
        assert "\n" not in entry.summary
        assert bool(entry.needs) == bool(entry.source)


def test_no_two_share_their_preprocessing_and_weights(built: dict[str, Extractor]) -> None:
    told = {(extractor.preprocessing, extractor.weights) for extractor in built.values()}
    assert len(told) == len(built)
    assert all(len(extractor.preprocessing) == 12 for name, extractor in built.items() if name != "none")
    assert {extractor.weights.count("+") for extractor in built.values()} == {0, 1}


def test_the_environment_names_a_folder(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASST_WEIGHTS", str(weights))
    named, given = extractor_named("bn-inception-rgb"), extractor_named("bn-inception-rgb", weights)
    assert (named.weights, named.preprocessing) == (given.weights, given.preprocessing)


@pytest.mark.parametrize("name", [name for name, entry in EXTRACTORS.items() if entry.needs])
def test_missing_weights_are_named_with_where_to_get_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASST_WEIGHTS", raising=False)
    for weights in (None, tmp_path):
        with pytest.raises(InputError) as refused:
            extractor_named(name, weights)
        message = str(refused.value)
        assert "\n" not in message
        assert EXTRACTORS[name].source.split("; ")[0] in message


def test_packaged_extractors_look_at_no_file_that_was_not_given(
    tmp_path: Path, extractor: Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = write_space(tmp_path / "captions.safetensors")
    monkeypatch.setenv("ASST_WEIGHTS", str(tmp_path))
    packaged, given, held = (extractor_named("captions", weights).weights for weights in (None, own, tmp_path))
    assert packaged == extractor.weights != given == held != ""
    assert extractor_named("none", tmp_path).weights == extractor_named("none").preprocessing == ""


def test_another_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"^features of i3d cannot be made from a video here \(only .*vgg16, "):
        extractor_named("i3d")
