import gc
import io
import json
import runpy
import shlex
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from asst import __version__
from asst.cli.app import app
from asst.cli.progress import reading_progress

FAKES = runpy.run_path(str(Path(__file__).with_name("fakes.py")))


@pytest.fixture(autouse=True)
def localizer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    fakes: dict[str, ModuleType] = FAKES["modules"]()
    for name, module in fakes.items():
        monkeypatch.setitem(sys.modules, name, module)
    return fakes["asst.localizer"]


@pytest.fixture
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("v.mp4").write_bytes(b"video")
    return "v.mp4"


def run(*words: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=stdin)


@pytest.mark.parametrize(
    ("verb", "usage", "named"),
    [
        ("locate", "VIDEO [SENTENCE...]", "VIDEO        The video file."),
        ("index", "FILES...", "FILES...  Video files"),
        ("serve", "[VIDEO...]", "VIDEO...  Videos"),
        ("recipes", "[RECIPE...] [KEY=VALUE...]", "[RECIPE...] [KEY=VALUE...]  Print"),
    ],
)
def test_help_shows_arguments_as_they_are_called(verb: str, usage: str, named: str) -> None:
    told = run(verb, "--help").stdout
    assert f" {verb} [OPTIONS] {usage}\n" in told.partition("\n\n")[0] + "\n"
    assert f"\n  {named}" in told


def refused(result: Result) -> str:
    """The one line that bad input gets; nothing is on standard output."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("asst: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_sentence_gets_a_table(video: str) -> None:
    result = run("locate", video, "a dog runs")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "a dog runs: 2 found, 1 weaker (--all)"
    assert "0:02.0  0:04.0  0.500" in result.stdout
    assert result.stderr == ""


def test_all_sentences_are_asked_in_one_call_and_in_order(video: str, localizer: ModuleType) -> None:
    Path("q.txt").write_text("\ufeffthird\n\n   \n  fourth \n", encoding="utf-8")
    result = run("locate", video, "first", "second", "--queries", "q.txt", "--top", "1", "--model", "prior", "--json")
    assert localizer.calls == [("prior", "v.mp4", ["first", "second", "third", "fourth"], 1)]
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["query"] for record in records] == ["first", "second", "third", "fourth"]
    assert [len(record["moments"]) for record in records] == [1, 1, 1, 1]


def test_sentences_come_from_standard_input(video: str, localizer: ModuleType) -> None:
    assert run("locate", video, "--queries", "-", stdin="un caf\u00e9\nb\n").exit_code == 0
    assert localizer.calls[0][2] == ["un café", "b"]


def test_nothing_found_at_all_is_code_one(video: str) -> None:
    result = run("locate", video, "a penguin", "two penguins")
    assert result.exit_code == 1
    assert "a penguin: nothing found (best score 0.200, threshold 0.250)\n" in result.stdout
    assert run("locate", video, "a penguin", "a dog").exit_code == 0


def test_bad_input_is_one_line_before_any_work(video: str, localizer: ModuleType) -> None:
    Path("blank.txt").write_text(" \n\n")
    Path("latin.txt").write_bytes(b"ok\ncaf\xe9\n")
    Path("here").mkdir()
    assert "no sentence" in refused(run("locate", video))
    assert "no sentence" in refused(run("locate", video, "--queries", "blank.txt"))
    assert "latin.txt, line 2" in refused(run("locate", video, "--queries", "latin.txt"))
    assert "none.txt: cannot be read" in refused(run("locate", video, "--queries", "none.txt"))
    assert "empty" in refused(run("locate", video, ""))
    assert "empty" in refused(run("locate", video, "a", " \t"))
    assert f"{video}: a video in place" in refused(run("locate", video, video, "a"))
    assert "not valid text" in refused(run("locate", video, "a \udcff"))
    assert "no such file" in refused(run("locate", "none.mp4", "a"))
    assert "is a folder" in refused(run("locate", "here", "a"))
    assert "must end in .mp4" in refused(run("locate", video, "a", "--clip", "a.avi"))
    assert "is the input" in refused(run("locate", video, "a", "--clip", video))
    assert "no such folder" in refused(run("locate", video, "a", "--report", "no/a.html"))
    assert "must end in .png" in refused(run("locate", video, "a", "--plot", "a.jpg"))
    assert "at most 100" in refused(run("locate", video, *["a"] * 101, "--plot", "a.png"))
    assert localizer.calls == []


def test_an_error_of_the_library_is_one_line_too(video: str) -> None:
    assert "no model 'unknown'" in refused(run("locate", video, "a", "--model", "unknown"))


@pytest.mark.parametrize("words", [["--top", "0"], ["--top", "x"], ["--min-score", "nan"], ["--no-such-option"]])
def test_a_usage_error_is_code_two(video: str, words: list[str]) -> None:
    result = run("locate", video, "a", *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words[0] in result.stderr


def test_every_file_asked_for_is_written_and_named(video: str) -> None:
    result = run("locate", video, "a dog", "--clip", "c.mp4", "--report", "r.html", "--plot", "p.png")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == ["wrote c.mp4 (0:02.0 to 0:04.0)", "wrote r.html", "wrote p.png"]
    assert Path("c.mp4").read_text() == "2.0 4.0"
    assert "a dog" in Path("r.html").read_text(encoding="utf-8")
    with Image.open("p.png") as image:
        assert image.format == "PNG"


def test_several_sentences_get_numbered_clips(video: str) -> None:
    result = run("locate", video, "a dog", "a penguin", "a cat", "--clip", "c.mp4")
    assert sorted(path.name for path in Path().glob("c*.mp4")) == ["c-1.mp4", "c-3.mp4"]
    assert "no clip c-2.mp4: nothing found for 'a penguin'" in result.stderr


def test_a_file_that_fails_stops_neither_the_table_nor_the_other_files(
    video: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise FAKES["InputError"]("c.mp4: cannot be written (No space left on device)")

    monkeypatch.setattr(sys.modules["asst.video"], "cut", cut)
    result = run("locate", video, "a dog", "a cat", "--clip", "c.mp4", "--report", "r.html")
    assert result.exit_code == 2
    assert "a dog" in result.stdout
    assert result.stderr.splitlines() == ["wrote r.html", "asst: c.mp4: cannot be written (No space left on device)"]


def test_the_demo_shows_what_is_and_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, localizer: ModuleType
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("demo")
    ((_, video, sentences, _),) = localizer.calls
    assert result.exit_code == 0
    assert Path(video).name == "bikes.mp4"
    assert Path(video).is_file()
    assert "a penguin on the ice: nothing found" in result.stdout
    page = Path("demo/report.html").read_text(encoding="utf-8")
    assert all(sentence in page for sentence in sentences)
    program, verb, named, *_ = shlex.split(result.stderr.splitlines()[-1])
    assert program == ("asst" if shutil.which("asst") else sys.argv[0])
    assert (verb, Path(named).name) == ("locate", "bikes.mp4")


def test_the_demo_writes_where_it_is_told_and_json_when_it_is_told(tmp_path: Path) -> None:
    result = run("demo", "--out", str(tmp_path / "a" / "b"), "--json")
    assert len([json.loads(line) for line in result.stdout.splitlines()]) == 6
    assert (tmp_path / "a" / "b" / "report.html").is_file()


def test_the_demo_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    assert "file: File exists; check the folder" in refused(run("demo", "--out", str(tmp_path / "file")))


def test_models_are_listed(video: str) -> None:
    assert ["similarity", "needs", "no", "training", "yes"] in [
        line.split() for line in run("models").stdout.splitlines()
    ]
    records = [json.loads(line) for line in run("models", "--json").stdout.splitlines()]
    assert records == [
        {"name": "similarity", "summary": "needs no training", "here": True},
        {"name": "asst", "summary": "x", "here": True},
    ]


def test_the_version_is_printed() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"asst {__version__}\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_shows_the_fraction_and_the_speed_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with reading_progress() as move:
        for done_s in (0.0, 10.0, 40.0):
            move(done_s, 80.0)
    assert "loading the model" in terminal.getvalue()
    assert "50%" in terminal.getvalue()
    assert "x real time" in terminal.getvalue()
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with reading_progress() as move:
        move(10.0, 80.0)
    assert pipe.getvalue() == ""


@pytest.mark.parametrize("model", ["similarity", "unknown"])
def test_what_is_loaded_is_left_to_the_end_and_collection_goes_on(video: str, model: str) -> None:
    before = gc.get_freeze_count()
    try:
        run("locate", video, "a dog", "--model", model)
        assert gc.get_freeze_count() > before
        assert gc.isenabled()
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_lines_of_sentences_end_at_line_ends_alone(video: str, end: str, inside: str) -> None:
    Path("q.txt").write_bytes(f"\ufeffa bike{inside}on a rail{end}{end}b{end} c".encode())
    result = run("locate", video, "--queries", "q.txt", "--json")
    assert [json.loads(line)["query"] for line in result.stdout.split("\n")[:-1]] == [
        f"a bike{inside}on a rail",
        "b",
        "c",
    ]
    Path("bad.txt").write_bytes(end.join(("a", "b", "c")).encode() + b"\xff")
    assert "bad.txt, line 3" in refused(run("locate", video, "--queries", "bad.txt"))


def test_a_sentence_of_which_no_word_is_understood_is_said_to_be(video: str) -> None:
    table = run("locate", video, "blargh", "a dog")
    assert table.exit_code == 0
    assert table.stderr == (
        "blargh: no word of this is understood, so what is found is a guess; describe it in English\n"
    )
    records = [json.loads(line) for line in run("locate", video, "blargh", "a dog", "--json").stdout.splitlines()]
    assert [record["understood"] for record in records] == [False, True]
