"""``asst index``, ``search`` and ``library`` as their user types them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner, Result

import asst
from asst.cli.app import app


def run(*words: str | Path, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(map(str, words)), input=typed)


def test_a_folder_is_indexed_asked_and_looked_after(tmp_path: Path, fake: ModuleType) -> None:
    videos, library = tmp_path / "videos", tmp_path / "library"
    fake.make_video(videos / "a.mp4", "rrrrgggg")
    fake.make_video(videos / "b.mp4", "bbbb")
    (videos / "bad.mp4").write_text("no video")
    first = run("index", videos, "--library", library)
    assert first.exit_code == 1
    assert first.stdout.startswith("of 3 videos indexed 2 (6 s of video at ")
    assert first.stdout.endswith(f"0 were there already, 1 failed; the library is {library}\n")
    assert first.stderr.startswith("bad.mp4: cannot read")
    assert first.stderr.count("\n") == 1

    found = run("search", "green", "--library", library, "--json")
    assert found.exit_code == 0
    (line,) = map(json.loads, found.stdout.splitlines())
    assert list(line) == ["video", "query", "start_s", "end_s", "score", "found", "understood"]
    assert (line["video"], line["query"], line["start_s"], line["end_s"]) == (str(videos / "a.mp4"), "green", 2.0, 4.0)
    guess = run("search", "gggg", "--library", library, "--json")
    assert json.loads(guess.stdout)["understood"] is False
    assert guess.stderr.startswith("gggg: no word of this is understood")
    table = run("search", "green", "--library", library).stdout.splitlines()
    assert table[:2] == ["green", str(videos / "a.mp4")]
    assert table[3].split()[:3] == ["1", "0:02.0", "0:04.0"]
    nothing = run("search", "green", "--library", library, "--in", "b.mp4")
    assert (nothing.exit_code, nothing.stderr) == (1, "")
    assert nothing.stdout.startswith("green: nothing found (")
    both = run("search", "green", "--queries", "-", "--library", library, "--json", typed="blue\n")
    assert [json.loads(line)["query"] for line in both.stdout.splitlines()] == ["green", "blue"]
    assert run("search", "green", "--library", library, "--in", "c*").exit_code == 2

    (videos / "b.mp4").unlink()
    (videos / "bad.mp4").unlink()
    again = run("index", videos, "--library", library)
    assert (again.exit_code, again.stdout.split(";")[0]) == (0, "of 1 video indexed 0, 1 was there already, 0 failed")
    assert "1 video of the library is gone: " in again.stderr
    status = run("library", "status", "--library", library)
    assert status.stdout.startswith(f"{library}: 2 videos, 0:06.0, 2 windows' vectors, ")
    assert f"gone: {videos / 'b.mp4'}" in status.stdout
    facts = json.loads(run("library", "status", "--library", library, "--json").stdout)
    assert (facts["videos"], facts["duration_s"], facts["missing"]) == (2, 6.0, [str(videos / "b.mp4")])
    assert run("library", "remove", "--missing", "--library", library).stdout == "removed 1 video of 2\n"
    assert run("library", "verify", "--library", library).stdout == f"{library}: 1 video, 0 faulty\n"


def test_what_is_wrong_is_printed_and_repaired(tmp_path: Path, fake: ModuleType) -> None:
    library = tmp_path / "library"
    run("index", fake.make_video(tmp_path / "a.mp4", "rrrr"), "--library", library)
    next((library / "pictures").iterdir()).write_bytes(b"")
    found = run("library", "verify", "--library", library, "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout) == {
        "videos": 1,
        "faults": [f"{tmp_path / 'a.mp4'}: its strip of pictures is damaged"],
        "unfinished": 0,
        "changed": [],
    }
    assert run("library", "verify", "--repair", "--library", library).exit_code == 1
    assert run("index", tmp_path / "a.mp4", "--library", library).stdout.startswith("of 1 video indexed 1")
    assert run("library", "verify", "--library", library).exit_code == 0


def test_a_change_that_its_folder_does_not_show_is_found_by_reading(tmp_path: Path, fake: ModuleType) -> None:
    library, video = tmp_path / "library", fake.make_video(tmp_path / "a.mp4", "rrrr")
    os.utime(video, ns=(10**18, 10**18))
    run("index", video, "--library", library)
    content = bytearray(video.read_bytes())
    content[-1] ^= 1
    video.write_bytes(content)
    os.utime(video, ns=(10**18, 10**18))
    assert "indexed 0, 1 was there already" in run("index", video, "--library", library).stdout
    found = run("library", "verify", "--library", library)
    assert found.exit_code == 1
    assert found.stdout.splitlines() == [
        f"{video}: has changed since it was indexed; index it again with --rehash",
        f"{library}: 1 video, 0 faulty, 1 changed",
    ]
    assert "indexed 1 (" in run("index", video, "--rehash", "--library", library).stdout
    assert run("library", "verify", "--library", library).exit_code == 0


def test_a_library_is_exported_and_videos_are_removed_by_pattern(tmp_path: Path, fake: ModuleType) -> None:
    from pyarrow import parquet

    library = tmp_path / "library"
    files = [fake.make_video(tmp_path / f"{name}.mp4", "rg" * (k + 1)) for k, name in enumerate("abc")]
    assert run("index", *files, "--library", library).exit_code == 0
    assert run("library", "export", tmp_path / "out.jsonl", "--library", library).exit_code == 0
    listed = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(video["path"], video["duration_s"]) for video in listed] == [
        (str(file), k + 1.0) for k, file in enumerate(files)
    ]
    assert run("library", "export", tmp_path / "out.parquet", "--library", library).exit_code == 0
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 3
    assert run("library", "export", tmp_path / "out.csv", "--library", library).exit_code == 2
    for ending in ("jsonl", "parquet"):
        refused = run("library", "export", f"s3://bucket/out.{ending}", "--library", library)
        assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
        assert refused.stderr.startswith(f"asst: s3://bucket/out.{ending}: an export must be on a file system")
    assert run("library", "remove", files[0], "*/b.mp4", "--library", library).stdout == "removed 2 videos of 3\n"
    assert run("library", "remove", "nothing", "--library", library).exit_code == 2
    assert run("library", "remove", "--library", library).exit_code == 2


def test_a_missing_library_is_one_line(tmp_path: Path) -> None:
    for words in (("search", "a dog"), ("library", "status"), ("library", "verify")):
        found = run(*words, "--library", tmp_path / "none")
        assert found.exit_code == 2
        assert found.stderr.startswith(f"asst: no library in {tmp_path / 'none'}; make one: asst index")
        assert found.stderr.count("\n") == 1


def test_an_address_is_one_line(tmp_path: Path, fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (("search", "a dog"), ("library", "status"), ("index", "a.mp4")):
        found = run(*words, "--library", "s3://bucket/lib")
        assert (found.exit_code, found.stdout) == (2, "")
        assert found.stderr == (
            "asst: s3://bucket/lib: a library must be on a file system of this machine; "
            "files are wanted, not addresses: download it first, or see docs/library.md, Object storage\n"
        )
    found = run("index", "s3://bucket/a.mp4", "--library", "lib")
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert found.stderr.startswith("asst: s3://bucket/a.mp4: a video must be on a file system")
    assert list(tmp_path.iterdir()) == []


def test_the_packaged_model_answers_as_locate_does(
    tmp_path: Path, street: Path, localizer: asst.Localizer, street_features: asst.Features
) -> None:
    library, video = tmp_path / "library", tmp_path / "street.mp4"
    shutil.copy(street, video)
    assert run("index", video, "--library", library).exit_code == 0
    sentence = "a taxi sign on top of a car"
    found = run("search", sentence, "--library", library, "--json", "--top", "3")
    (expected,) = localizer.locate(street_features, [sentence], top=3)
    moments = [json.loads(line) for line in found.stdout.splitlines()]
    assert [(m["start_s"], m["end_s"], m["score"]) for m in moments] == [
        (moment.start_s, moment.end_s, pytest.approx(moment.score)) for moment in expected
    ]
    assert run("search", "a penguin on the ice", "--library", library).exit_code == 1


def test_one_video_is_searched_without_the_database(street: Path) -> None:
    program = (
        "import sys\n"
        "from asst.cli.app import app\n"
        "app(['locate', sys.argv[1], 'a bus', '--json', '--model', 'similarity-fast'], standalone_mode=False)\n"
        "print(*sorted({'lancedb', 'pandas'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(street)], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "", done.stderr
