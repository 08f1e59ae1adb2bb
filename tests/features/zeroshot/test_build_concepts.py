"""The script that gathers what the packaged model knows of words: on a WordNet of ten senses, and on the real one."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from safetensors.numpy import load_file

from asst.features.zeroshot.space import concept_data

WORDNET = Path("/usr/share/wordnet")
LICENCE = "  1 This line is part of the licence, which stands before the data in each file.\n"
DATA = """\
00000001 03 n 01 entity 0 000 | that which is
00000002 05 n 02 animal 0 beast 0 001 @ 00000001 n 0000 | a living thing; "animals move"
00000003 05 n 02 dog 0 domestic_dog 0 002 @ 00000002 n 0000 ~ 00000004 n 0000 | a pet; also a guard; "the dog barked"
00000004 05 n 01 poodle 0 001 @ 00000003 n 0000 | a curly dog
00000005 05 n 01 pug 0 002 @ 00000003 n 0000 + 00000009 v 0101 | a dog with a flat face
00000006 06 n 01 frying_pan 0 001 @ 00000001 n 0000 | for frying
00000007 05 n 0b a 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 j 0 k 0 001 @ 00000002 n 0000 | eleven words, counted in base 16
00000008 18 n 01 Fido 0 001 @i 00000004 n 0000 | one certain poodle
"""
INDEX = """\
dog n 4 2 @ ~ 4 1 00000099 00000003 00000098 00000097
poodle n 1 1 @ 1 0 00000004
late n 4 1 @ 4 0 00000096 00000097 00000098 00000003
frying_pan n 1 1 @ 1 0 00000006
in n 1 1 @ 1 0 00000004
entity n 1 1 ~ 1 0 00000001
stone n 1 1 @ 1 0 00000095
"""
EXCEPTIONS = "doggen dog\nfrying_pans frying_pan\nstonen stone\npoodle dog\n"


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    path = Path(__file__).parents[3] / "scripts" / "build_concepts.py"
    spec = importlib.util.spec_from_file_location("build_concepts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in (("data.noun", DATA), ("index.noun", INDEX)):
        (tmp_path / name).write_text(LICENCE + content)
    (tmp_path / "noun.exc").write_text(EXCEPTIONS)
    return tmp_path


def test_senses_are_read_with_their_words_their_gloss_and_what_is_above(script: ModuleType, folder: Path) -> None:
    senses = script.read_synsets(folder)
    assert sorted(senses) == [f"0000000{k}" for k in range(1, 9)]
    assert senses["00000003"] == script.Synset(["dog", "domestic dog"], "a pet; also a guard", ["00000002"])
    assert senses["00000005"].above == ["00000003"]
    assert senses["00000007"] == script.Synset(list("abcdefghijk"), "eleven words, counted in base 16", ["00000002"])
    assert senses["00000008"].above == ["00000004"]
    assert senses["00000001"] == script.Synset(["entity"], "that which is", [])


def test_classes_are_below_every_sense_that_stands_above_them(script: ModuleType, folder: Path) -> None:
    below = script.classes_below(script.read_synsets(folder), ["00000004", "00000005", "00000006", "00000008"])
    assert below == {
        "00000001": [0, 1, 2, 3],
        "00000002": [0, 1, 3],
        "00000003": [0, 1, 3],
        "00000004": [0, 3],
        "00000005": [1],
        "00000006": [2],
        "00000008": [3],
    }


def test_nouns_name_the_classes_of_their_first_three_senses(
    script: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = script.classes_below(script.read_synsets(folder), ["00000004", "00000005", "00000006"])
    monkeypatch.setattr(script, "CLASSES_MOST", 2)
    assert script.nouns(folder, below) == {
        "dog": [0, 1],
        "poodle": [0],
        "frying pan": [2],
        "doggen": [0, 1],
        "frying pans": [2],
    }


def test_a_class_is_glossed_by_its_name_and_its_sense(script: ModuleType, folder: Path) -> None:
    senses, offsets = script.read_synsets(folder), script.class_offsets()
    placed = dict.fromkeys(offsets, senses["00000004"]) | {offsets[999]: senses["00000006"]}
    glosses = script.glosses(placed, offsets)
    assert (len(glosses), glosses[0], glosses[999]) == (1000, "tench, a curly dog", "toilet paper, for frying")


def test_the_negative_sentences_are_the_shipped_ones(script: ModuleType) -> None:
    assert script.negatives() == concept_data()["negatives"]


def test_the_real_wordnet_gives_the_shipped_table(script: ModuleType) -> None:
    if not (WORDNET / "data.noun").is_file():
        pytest.skip(f"no WordNet in {WORDNET}; install Debian's wordnet-base to check the shipped table against it")
    senses, offsets, table = script.read_synsets(WORDNET), script.class_offsets(), concept_data()
    assert script.glosses(senses, offsets) == table["glosses"]
    assert script.nouns(WORDNET, script.classes_below(senses, offsets)) == table["nouns"]


def test_the_files_that_it_writes_are_read(
    script: ModuleType, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    monkeypatch.setattr(script, "OUT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["build_concepts.py", str(folder)])
    monkeypatch.setattr(script, "class_offsets", lambda: ["00000004", "00000006"])
    monkeypatch.setattr(script, "glosses", lambda senses, offsets: [senses[offset].gloss for offset in offsets])
    monkeypatch.setattr(script, "negatives", lambda: ["it rains"])
    script.main()
    content = json.loads(gzip.decompress((tmp_path / "concepts.json.gz").read_bytes()))
    assert content == {
        "glosses": ["a curly dog", "for frying"],
        "nouns": {"dog": [0], "poodle": [0], "frying pan": [1], "entity": [0, 1], "doggen": [0], "frying pans": [1]},
        "negatives": ["it rains"],
    }
    written = load_file(tmp_path / "concepts.safetensors")
    assert {name: rows.shape for name, rows in written.items()} == {"glosses": (2, 384), "negatives": (1, 384)}
