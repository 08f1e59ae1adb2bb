"""Models fetched by name from a hub: what is fetched, how it is checked, and what is said where it cannot be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from asst.errors import InputError
from asst.features.image_text.hub import IMAGE_TEXT, ImageText, Manifest, fetch, wanted
from asst.models import model_named

from ...hub_server import REVISION, Hub, blob, serving, sha256
from ...tiny_clip import write

CLIP, SIGLIP = IMAGE_TEXT["clip-b32"], IMAGE_TEXT["siglip2-base"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> dict[str, Path]:
    """Tiny models as a hub has them, with what nobody needs beside."""
    found = {}
    for model, kind in ((CLIP, "clip"), (SIGLIP, "siglip")):
        folder = write(tmp_path_factory.mktemp(kind), kind)
        for name in ("README.md", "pytorch_model.bin", "onnx/vision_model_quantized.onnx"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("not needed")
        found[model.repository] = folder
    return found


@pytest.fixture
def hub(published: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub that is asked."""
    monkeypatch.setenv("ASST_WEIGHTS", str(tmp_path / "weights"))
    with serving(dict(published)) as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", served.address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr("time.sleep", lambda _s: None)
        # What is less than a piece is lost where a connection breaks; real pieces are of 10 MB.
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 500)
        yield served


def content(hub: Hub, model: ImageText, name: str) -> bytes:
    return (hub.repositories[model.repository] / name).read_bytes()


def got(hub: Hub, name: str) -> list[str]:
    """The requests for a file's content."""
    return [asked for asked in hub.asked if asked.startswith("GET") and name in asked]


@pytest.mark.parametrize("model", [CLIP, SIGLIP], ids=["clip", "siglip"])
def test_what_is_needed_is_fetched_and_loads(hub: Hub, model: ImageText) -> None:
    told: list[tuple[int, int]] = []
    manifest = fetch(model, lambda done, size: told.append((done, size)))
    assert (manifest.repository, manifest.revision) == (model.repository, REVISION)
    names = {"config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"}
    assert {path.name for path in model.place.iterdir()} == {*names, "asst.json"}
    assert Manifest.read(model.place) == manifest
    large, small = manifest.files["model.safetensors"], manifest.files["config.json"]
    assert large.sha256 == sha256(content(hub, model, "model.safetensors"))
    assert (small.sha256, small.blob) == ("", blob(content(hub, model, "config.json")))
    size = sum(stated.size for stated in manifest.files.values())
    assert told[0] == (0, size)
    assert told[-1] == (size, size)
    assert told == sorted(told)
    loaded = model_named(model.name)
    assert (loaded.name, loaded.extractor.name) == (model.name, model.name)
    assert loaded.extractor.weights == large.sha256[:12]
    hub.asked.clear()
    assert fetch(model) == manifest
    assert not hub.asked


def test_a_token_is_shown_to_the_hub_alone(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch(CLIP)
    assert hub.tokens
    assert set(hub.tokens) == {None}


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub: Hub) -> None:
    hub.cut["model.safetensors"] = 1000
    fetch(CLIP)
    assert [asked.partition(" bytes=")[2] for asked in got(hub, "model.safetensors")][-1] == "1000-"
    assert (CLIP.place / "model.safetensors").read_bytes() == content(hub, CLIP, "model.safetensors")


def test_a_run_that_ended_in_between_is_gone_on_with(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = content(hub, CLIP, "model.safetensors")

    def interrupted(_s: float) -> None:
        raise KeyboardInterrupt

    hub.cut["model.safetensors"] = 1000
    with monkeypatch.context() as patch:
        # It waits before it tries again.
        patch.setattr("time.sleep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(CLIP)
    with pytest.raises(InputError, match=r"^clip-b32 is not in .*; fetch it: asst models get clip-b32$"):
        model_named("clip-b32")
    hub.asked.clear()
    fetch(CLIP)
    assert (CLIP.place / "model.safetensors").read_bytes() == whole
    assert not got(hub, "tokenizer.json")
    assert got(hub, "model.safetensors")[-1].endswith("bytes=1000-")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_came_damaged_is_refused_and_fetched_again(hub: Hub, name: str) -> None:
    hub.damaged.add(name)
    with pytest.raises(InputError, match=rf"^{name} of {CLIP.repository} came damaged: .* run the same again$"):
        fetch(CLIP)
    assert not CLIP.here
    hub.damaged.clear()
    fetch(CLIP)
    assert (CLIP.place / name).read_bytes() == content(hub, CLIP, name)


def flipped(path: Path) -> None:
    """Another content of the same length."""
    held = path.read_bytes()
    path.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
    # A file system may not tell two writes in a row apart.
    os.utime(path, ns=(0, 0))


HARM: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: flipped(folder / "model.safetensors"), "model.safetensors is not as it was fetched"),
    (lambda folder: flipped(folder / "config.json"), "config.json is not as it was fetched"),
    (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json is missing"),
    (lambda folder: (folder / "adapter_config.json").write_text("{}"), "adapter_config.json was not fetched"),
]


@pytest.mark.parametrize(("harm", "told"), HARM)
def test_a_folder_that_changed_is_refused_until_it_is_fetched_again(
    hub: Hub, harm: Callable[[Path], object], told: str
) -> None:
    fetch(CLIP)
    model_named("clip-b32")
    harm(CLIP.place)
    with pytest.raises(InputError, match=rf"has changed since it was fetched: {told}; run: asst models get clip-b32$"):
        model_named("clip-b32")
    hub.asked.clear()
    fetch(CLIP)
    model_named("clip-b32")
    # What had not changed is kept.
    assert not got(hub, "preprocessor_config.json")


def test_a_damaged_manifest_is_told(hub: Hub) -> None:
    fetch(CLIP)
    (CLIP.place / "asst.json").write_text('{"files": 3}')
    with pytest.raises(InputError, match=r"asst\.json is damaged; delete .* and get it again$"):
        model_named("clip-b32")


def test_a_folder_that_somebody_brought_is_left_alone(hub: Hub) -> None:
    CLIP.place.mkdir(parents=True)
    (CLIP.place / "mine").write_text("own")
    with pytest.raises(InputError, match="is there and was not fetched by asst; move it elsewhere"):
        fetch(CLIP)
    assert (CLIP.place / "mine").read_text() == "own"


def refuse(status: int, *, gated: bool = False) -> Callable[[Hub], object]:
    def told(hub: Hub) -> None:
        hub.status[CLIP.repository] = status
        hub.gated |= {CLIP.repository} if gated else set()

    return told


def lacking(name: str) -> Callable[[Hub], object]:
    def told(hub: Hub) -> None:
        folder = Path(os.environ["ASST_WEIGHTS"]).with_name("other")
        shutil.copytree(hub.repositories[CLIP.repository], folder)
        (folder / name).unlink()
        hub.repositories[CLIP.repository] = folder

    return told


FAULTS: list[tuple[Callable[[Hub], object], str]] = [
    (lambda hub: hub.repositories.clear(), f"has no {CLIP.repository}, or shows it only to others"),
    (refuse(401), f"has no {CLIP.repository}, or shows it only to others"),
    (refuse(403, gated=True), f"^{CLIP.repository} is gated: accept its terms at http"),
    (refuse(503), rf"refused {CLIP.repository} \(.*503"),
    (lacking("tokenizer.json"), r"cannot be used: it has no tokenizer\.json$"),
    (lacking("model.safetensors"), r"cannot be used: it has neither model\.safetensors nor onnx/vision_model\.onnx"),
    (lambda hub: setattr(hub, "stripped", True), "cannot be used: the size or the hash of config.json is not stated"),
    (lambda hub: setattr(constants, "HF_HUB_OFFLINE", True), "^HF_HUB_OFFLINE is set, so clip-b32 cannot be fetched"),
    (lambda hub: setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 9)), r"MB left; free space"),
]


@pytest.mark.parametrize(("harm", "told"), FAULTS)
def test_what_cannot_be_fetched_is_told_in_a_line(
    hub: Hub,
    harm: Callable[[Hub], object],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(shutil, "disk_usage", shutil.disk_usage)
    harm(hub)
    with pytest.raises(InputError, match=told) as refused:
        fetch(CLIP)
    assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")
    assert not CLIP.here


def test_a_hub_that_is_not_there_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"^http://127\.0\.0\.1:9 cannot be reached, or was cut off"):
        fetch(CLIP)


def test_weights_are_fetched_in_one_form() -> None:
    told = ["config.json", "preprocessor_config.json", "tokenizer.json"]
    onnx = ["onnx/vision_model.onnx", "onnx/text_model.onnx", "onnx/text_model.onnx_data"]
    needed = ["config.json", "tokenizer.json", "preprocessor_config.json"]
    assert wanted([*told, "model.safetensors", *onnx, "onnx/text_model_fp16.onnx"]) == [*needed, *onnx]
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    assert wanted([*told, "model.safetensors.index.json", *shards, "pytorch_model.bin"]) == [
        *needed,
        "model.safetensors.index.json",
        *shards,
    ]
