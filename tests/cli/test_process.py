import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

FAKES = Path(__file__).with_name("fakes.py")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"video")
    return path


def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FAKES), *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=os.environ | environment, timeout=60, check=False
    )


def test_data_and_messages_have_their_own_streams(video: Path) -> None:
    done = run("locate", video, "a dog", "--json", "--plot", video.with_name("p.png"))
    assert done.returncode == 0
    assert json.loads(done.stdout)["query"] == "a dog"
    assert done.stderr == f"wrote {video.with_name('p.png')}\n"


@pytest.mark.parametrize(
    ("words", "code"), [(["a penguin"], 1), ([""], 2), (["a", "--model", "unknown"], 2), (["interrupt"], 130)]
)
def test_exit_codes_come_with_one_line_at_most_and_no_traceback(video: Path, words: list[str], code: int) -> None:
    done = run("locate", video, *words)
    assert done.returncode == code
    assert done.stderr.count("\n") <= 1
    assert done.stderr == "" or done.stderr.startswith("asst: ")


def test_a_warning_of_a_video_is_one_line_whatever_its_name(video: Path) -> None:
    assert (
        run("locate", video, "warning").stderr
        == "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}b.mp4 is damaged\n"
    )


def test_a_fault_of_ours_is_shown_in_full(video: Path) -> None:
    done = run("locate", video, "fault")
    assert done.returncode == 1
    assert "RuntimeError: a fault" in done.stderr


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_reader_that_goes_away_ends_the_run_quietly_and_loses_no_file(video: Path, as_json: list[str]) -> None:
    report = video.with_name("r.html")
    command = [sys.executable, str(FAKES), "locate", str(video), *["a dog"] * 200, "--report", str(report), *as_json]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert done.stderr == f"wrote {report}\n"
    assert report.is_file()


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["models"]])
def test_a_short_answer_to_a_closed_pipe_is_quiet_too(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, str(FAKES), *words], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writing)
    assert done.stderr == b""


VERBS = [
    *(["--help"], ["--version"], ["models"], ["models", "--json"], ["tables", "1"], ["tables", "1", "--json"]),
    *(["features", "--help"], ["locate", "--help"]),
    *(["locate", "v.mp4", "a dog"], ["locate", "v.mp4", "a dog", "--json"], ["locate", "v.mp4", "a penguin"]),
]


@pytest.mark.parametrize(
    ("words", "closing"),
    [
        *((words, closing) for words in VERBS for closing in ("> /dev/full", ">&-")),
        *((words, "<&- >&-") for words in (["--version"], ["locate", "v.mp4", "a dog"])),
    ],
    ids=str,
)
def test_output_that_cannot_be_written_is_one_line_and_no_answer(video: Path, words: list[str], closing: str) -> None:
    command = f"exec {shlex.join([sys.executable, str(FAKES), *words])} {closing}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=video.parent, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("asst: standard output cannot be written (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("closing", ["2> /dev/full", "2>&-", "2>&- <&-"])
@pytest.mark.parametrize(
    ("words", "code", "printed"),
    [
        (["v.mp4", "a dog", "--json"], 0, 1),
        (["v.mp4", "a dog", "--json", "--report", "r.html"], 2, 1),
        (["gone.mp4", "a dog"], 2, 0),
        (["v.mp4"], 2, 0),
        (["v.mp4", "--unknown"], 2, 0),
    ],
)
def test_a_message_that_cannot_be_written_is_not_mixed_with_the_answer_and_shows_in_the_code(
    video: Path, words: list[str], code: int, printed: int, closing: str
) -> None:
    command = f"exec {shlex.join([sys.executable, str(FAKES), 'locate', *words])} {closing}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=video.parent, stdout=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert done.returncode == code
    assert done.stdout.count("\n") == printed
    assert ("--report" in words) == (video.parent / "r.html").is_file()


def test_closed_standard_input_is_said(video: Path) -> None:
    command = f"exec {shlex.join([sys.executable, str(FAKES), 'locate', 'v.mp4', '--queries', '-'])} <&-"
    done = subprocess.run(["sh", "-c", command], cwd=video.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("asst: -: cannot be read (")


def asked(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line)["query"] for line in done.stdout.splitlines()]


def test_sentences_are_read_from_a_pipe_as_from_a_file(video: Path) -> None:
    # As a shell gives it for <(command).
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo\n")
    os.close(writing)
    command = [sys.executable, str(FAKES), "locate", str(video), "--json", "--queries", f"/dev/fd/{reading}"]
    try:
        done = subprocess.run(command, pass_fds=[reading], capture_output=True, text=True, timeout=60, check=False)
    finally:
        os.close(reading)
    assert asked(done) == ["one", "two"]
    os.mkfifo(pipe := video.with_name("pipe"))
    writer = threading.Thread(target=pipe.write_text, args=("three\nfour\n",), daemon=True)
    writer.start()
    assert asked(run("locate", video, "--json", "--queries", pipe)) == ["three", "four"]


def test_a_pipe_of_sentences_is_not_waited_for_where_there_is_no_video_and_a_device_is_none(video: Path) -> None:
    os.mkfifo(pipe := video.with_name("pipe"))
    refused: list[tuple[list[str | Path], str]] = [
        (["none.mp4", "--queries", pipe], "none.mp4: no such file"),
        ([pipe, "--queries", pipe], "pipe: is a pipe, and no file"),
        ([video, "--queries", "/dev/zero"], "/dev/zero: is a device, and no file"),
    ]
    for words, message in refused:
        done = run("locate", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "asst", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("asst ")


def test_a_sentence_that_the_terminal_cannot_show_stops_nothing(video: Path) -> None:
    done = run("locate", video, "un café", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == r"un caf\xe9: 2 found, 1 weaker (--all)"


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['asst', '--help']\n"
        "from asst.cli import main\n"
        "try: main()\n"
        "finally: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in ("locate", "demo", "models", "evaluate", "fuse", "tables"))
    heavy = {"numpy", "torch", "av", "matplotlib", "jinja2", "PIL", "pyarrow", "tokenizers", "safetensors"}
    assert not heavy & set(done.stderr.split())


@pytest.mark.parametrize(
    ("module", "words", "end", "code"),
    [("typer", [], "pass", -signal.SIGINT), ("jinja2", ["demo"], "raise ImportError('failed') from error", 130)],
)
def test_an_interrupt_while_modules_load_ends_quietly(
    tmp_path: Path, module: str, words: list[str], end: str, code: int
) -> None:
    """What loads them may lose it; in a verb, a compiled module makes an ImportError of it."""
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Pressed:\n"
        "    def find_spec(name, *_):\n"
        f"        try: name == {module!r} and signal.raise_signal(signal.SIGINT)\n"
        f"        except KeyboardInterrupt as error: {end}\n"
        "sys.meta_path.insert(0, Pressed)\n"
        f"sys.argv = {['asst', *words]!r}\n"
        "from asst.cli import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize(("given", "kept"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_wait_asleep_unless_told_otherwise(given: dict[str, str], kept: str) -> None:
    told = "atexit.register(lambda: print(os.environ['OMP_WAIT_POLICY']))"
    code = f"import atexit, os; {told}; from asst.cli import main; main()"
    rest = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", code, "--version"], capture_output=True, text=True, env=rest | given, check=True
    )
    assert done.stdout.splitlines()[-1] == kept


def test_simulated_features_need_nothing_that_only_training_needs(tmp_path: Path) -> None:
    """What the extra brings is hidden, as where it is not installed; annotation of one video is enough."""
    part = tmp_path / "thumos14"
    for split in ("val", "test"):
        (part / f"annotations_{split}").mkdir(parents=True)
        (part / f"annotations_{split}" / f"Run_{split}.txt").write_text(f"video_{split} 1.0 4.0\n")
    (part / "video_info.json").write_text(
        json.dumps({f"video_{split}": {"duration": 9.0} for split in ("val", "test")})
    )
    hidden = "import sys\nfor name in ('lightning', 'yaml', 'tensorboard'): sys.modules[name] = None\n"
    words = ["asst", "simulate", str(tmp_path / "store"), "--dataset", "thumos14", "--data", str(part)]
    code = f"{hidden}sys.argv = {words!r}\nfrom asst.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, f"wrote simulated features of 2 videos to {tmp_path / 'store'}\n")
