"""``asst features`` as its user types it, on real videos and bad ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.features.stores.native import Store
from asst.features.zeroshot.captions import CaptionExtractor

pytestmark = pytest.mark.usefixtures("one_thread")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["features", *map(str, words)])


@pytest.fixture
def videos(tmp_path: Path, street: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    shutil.copy(street, folder / "street.mp4")
    (folder / "broken.mp4").write_bytes(b"no video at all")
    return folder


def test_a_folder_is_extracted_gone_on_with_and_looked_at(videos: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = run(videos, "--extractor", "none", "--out", store)
    assert first.exit_code == 1
    assert first.stdout.startswith("of 2 videos extracted 1 (10 s of video at ")
    assert f"0 were there already, 1 failed; the store is {store}" in first.stdout
    assert first.stderr.startswith("broken: ")
    assert first.stderr.count("\n") == 1
    assert Store(store).videos() == ("street",)
    again = run(videos / "street.mp4", "--extractor", "none", "--out", store)
    assert (again.exit_code, again.stderr) == (0, "")
    assert again.stdout == f"of 1 video extracted 0, 1 was there already, 0 failed; the store is {store}\n"

    looked = run("info", store)
    assert looked.exit_code == 0
    assert f"{store}: 1 video, 1 step, 0.00 hours" in looked.stdout
    assert "1 of none: dimension 1, steps of" in looked.stdout
    converted = run("convert", store, tmp_path / "all.hdf5")
    assert converted.stdout == f"wrote 1 video to {tmp_path / 'all.hdf5'}\n"
    assert json.loads(run("info", tmp_path / "all.hdf5", "--json").stdout)["videos"] == 1


def test_the_packaged_extractor_fills_a_store_by_workers(videos: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    done = run(videos, "--extractor", "captions", "--out", store, "--workers", "2", "--names", "name")
    assert done.exit_code == 1, done.output
    features, provenance = Store(store).read("street.mp4"), Store(store).provenance("street.mp4")
    assert (features.extractor, features.step_s, len(features)) == ("captions", 0.5, 20)
    assert provenance.preprocessing
    assert provenance.weights
    assert len(provenance.content) == 32


def test_missing_videos_of_a_data_set_are_named(toy: Path, tmp_path: Path) -> None:
    shutil.copytree(toy / "features", tmp_path / "store")
    (tmp_path / "store" / "val3.safetensors").unlink()
    (tmp_path / "store" / "val4.safetensors").write_bytes(b"12345678")
    words = ("info", tmp_path / "store", "--dataset", "jsonlines", "--split", "val", "--data", toy / "annotation")
    found = run(*words)
    assert found.exit_code == 1
    assert "1 video of the data set is missing: val3" in found.stdout
    assert "damaged: " in found.stdout
    listed = json.loads(run(*words, "--json").stdout)
    assert (listed["missing"], [bad["video"] for bad in listed["damaged"]]) == (["val3"], ["val4"])


def test_the_extractors_are_listed_with_what_they_need() -> None:
    listed = [json.loads(line) for line in run("extractors", "--json").stdout.splitlines()]
    by_name = {entry["name"]: entry for entry in listed}
    assert by_name["captions"]["weights"] == ""
    assert by_name["vgg16"]["dimension"] == 4096
    assert "vgg16" in by_name["vgg16"]["weights"]
    assert run("extractors").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["VIDEOS", "--extractor", "resnet", "--out", "OUT"], "features of resnet cannot be made from a video here"),
        (["VIDEOS", "--extractor", "vgg16", "--out", "OUT"], "vgg16 needs weights"),
        (["VIDEOS", "--out", "VIDEOS/street.mp4"], "is a file; a store is a folder"),
        (["VIDEOS", "--out", "OUT", "--names", "id"], "--names is one of stem, name, path, not 'id'"),
        (["info", "OUT"], "no feature store at"),
        (["convert", "VIDEOS", "OUT", "--step-s", "1"], "needs both --step-s and --extractor"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.delenv("ASST_WEIGHTS", raising=False)
    named = {"VIDEOS": str(videos), "OUT": str(tmp_path / "out"), "VIDEOS/street.mp4": str(videos / "street.mp4")}
    done = run(*(named.get(word, word) for word in words))
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr


def test_a_store_of_another_extractor_is_refused_before_a_video_is_read(videos: Path, toy: Path) -> None:
    done = run(videos, "--extractor", "none", "--out", toy / "features")
    assert done.exit_code == 2
    assert "holds features of toy, not of none" in done.stderr


def test_an_interrupted_run_reports_what_failed_and_what_is_left(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(videos / "street.mp4", videos / "z.mp4")
    real = CaptionExtractor.extract

    def interrupted(self: CaptionExtractor, video: Path, **options: Any) -> Any:
        if video.name == "z.mp4":
            raise KeyboardInterrupt
        return real(self, video, **options)

    monkeypatch.setattr(CaptionExtractor, "extract", interrupted)
    done = run(videos, "--extractor", "captions", "--out", tmp_path / "store")
    assert done.exit_code not in (0, 1, 2)
    assert done.stderr.startswith("broken: ")
    assert "of 3 videos extracted 1 (" in done.stdout
    assert "1 failed, 1 not reached; the store is" in done.stdout
