"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt
import pytest
import yaml

from asst.features.stores.native import Store
from asst.features.values import Features
from asst.video import Frames

if TYPE_CHECKING:
    import asst
    from asst.features.zeroshot.captions import CaptionExtractor
    from asst.models.zeroshot.model import SimilarityModel


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public annotation files and real videos; tests that read it are skipped where it is absent."""
    folder = os.environ.get("ASST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"no data folder at {folder}; set ASST_DATA to one")
    return Path(folder)


@pytest.fixture(scope="session")
def one_thread() -> None:
    """Small networks are no faster on more threads, and much slower where other work takes the processor's cores."""
    import torch

    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def street() -> Path:
    """A ten-second real video of a street, which the package carries."""
    from asst.cli.asking import DEMO_VIDEO

    return DEMO_VIDEO


@pytest.fixture(scope="session")
def similarity(one_thread: None) -> SimilarityModel:
    """The packaged model that is not trained on video."""
    from asst.models.zeroshot.model import SimilarityModel

    return SimilarityModel()


@pytest.fixture(scope="session")
def extractor(similarity: SimilarityModel) -> CaptionExtractor:
    """The packaged extractor."""
    from asst.features.zeroshot.captions import CaptionExtractor

    assert isinstance(similarity.extractor, CaptionExtractor)
    return similarity.extractor


@pytest.fixture(scope="session")
def localizer(one_thread: None) -> asst.Localizer:
    """The packaged model."""
    import asst

    return asst.load()


@pytest.fixture(scope="session")
def street_features(extractor: CaptionExtractor, street: Path) -> asst.Features:
    """What the packaged models need of the street."""
    return extractor.extract(street)


@pytest.fixture(scope="session")
def untrained_reranker(similarity: SimilarityModel) -> Callable[[Path, dict[str, Any]], Path]:
    """Writes a checkpoint of a small reranker that learnt nothing, as one trained on tapes."""
    import torch

    from asst.features.zeroshot.crops import STEP_S as CROPS_STEP_S
    from asst.models.checkpoint import FeatureKind, save_checkpoint
    from asst.models.methods.reranker import RerankerMethod
    from asst.models.reranker_inputs import input_names
    from asst.text import WordVectors

    from .descriptions import description_of

    def write(path: Path, settings: dict[str, Any]) -> Path:
        torch.manual_seed(3)
        words, extractor = WordVectors.packaged(), similarity.extractor
        channels = len(input_names(similarity.reader.sentences.measures))
        widths = {"feature_channels": channels, "word_channels": words.dimension}
        method = RerankerMethod({**settings, **widths})
        kind = FeatureKind(
            extractor=extractor.name,
            dimension=extractor.dimension,
            step_s=CROPS_STEP_S,
            weights=extractor.weights,
        )
        description = description_of(
            "reranker",
            method.settings,
            observation={},
            features=kind,
            origin="simulated",
            recipe="default",
            dataset="tapes",
            step=0,
        )
        save_checkpoint(path, description, method.state_dict())
        return path

    return write


@pytest.fixture
def few_tapes(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> list[str]:
    """Tapes are made in this process, ten to train on and ten to validate on; the settings that ask for so many."""
    from asst.training.reranker import tape_pool

    def in_this_process(_: int, __: object, start: Callable[..., None], given: tuple[object]) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, initializer=start, initargs=given)

    monkeypatch.setattr(tape_pool, "TAPES_A_SHARD", 10)
    monkeypatch.setattr(tape_pool, "ProcessPoolExecutor", in_this_process)
    return ["data.tapes.count=10", "data.tapes.validate=10"]


# A data set that can be learnt in seconds: what a sentence names is seen in its moment.
THINGS = ("dog", "car", "tree", "door")
DURATION_S, STEP_S = 16.0, 1.0
WIDTH = 6


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``annotation/{train,val}.jsonl`` and ``features``; two things are seen in each video."""
    folder = tmp_path_factory.mktemp("toy")
    draw = np.random.default_rng(0)
    store = Store(folder / "features")
    (folder / "annotation").mkdir()
    for split, videos in (("train", 24), ("val", 8)):
        rows = []
        for index in range(videos):
            video = f"{split}{index}"
            vectors = 0.1 * draw.standard_normal((round(DURATION_S / STEP_S), WIDTH)).astype(np.float32)
            first, second = draw.choice(len(THINGS), 2, replace=False)
            middle = int(draw.integers(5, 12))
            for thing, (start, end) in ((first, (1, middle)), (second, (middle, 15))):
                vectors[start:end, thing] += 2
                moments = [[start * STEP_S, end * STEP_S]]
                sentence = f"a {THINGS[thing]} is seen"
                rows.append({"video": video, "duration": DURATION_S, "sentence": sentence, "moments": moments})
            store.write(video, Features(vectors, 0.0, STEP_S, "toy"))
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "annotation" / f"{split}.jsonl").write_text(lines)
    return folder


@pytest.fixture
def settings(toy: Path) -> dict[str, Any]:
    """A recipe's settings for the toy data, of a network of a few channels."""
    return {
        "data": {
            "dataset": "jsonlines",
            "root": str(toy / "annotation"),
            "streams": ["toy"],
            "features": {"toy": str(toy / "features")},
        },
        "observation": {"kind": "crops", "steps": 16, "step_s": STEP_S},
        "network": {
            "dilation_layers": 2,
            "squeezing_layers": 2,
            "dilation_channels": 16,
            "channels": 16,
            "language_channels": 16,
            "attention_channels": 16,
            "levels": 4,
            "dropout": 0.0,
            "input_dropout": 0.0,
        },
        "optimizer": {"learning_rate": 0.01},
        "training": {"steps": 6, "interval": 3, "batch": 8, "precision": "float32"},
    }


@pytest.fixture
def recipe_file(tmp_path: Path, settings: dict[str, Any]) -> Path:
    """The settings as a file."""
    path = tmp_path / "recipes" / "toy.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(settings))
    return path


ACTIONS = ("jump", "run")
LONG_S = 48.0


@pytest.fixture(scope="session")
def toy_actions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``annotation/{train,val,test}.jsonl`` of labelled spans and ``features``; each is seen in its span.

    Videos are three windows of 16 steps long and have three actions of two classes each.
    """
    folder = tmp_path_factory.mktemp("toy_actions")
    draw = np.random.default_rng(1)
    store = Store(folder / "features")
    (folder / "annotation").mkdir()
    for split, videos in (("train", 16), ("val", 5), ("test", 5)):
        rows = []
        for index in range(videos):
            vectors = 0.1 * draw.standard_normal((round(LONG_S / STEP_S), WIDTH)).astype(np.float32)
            actions = []
            for third in range(3):
                start = third * 16 + int(draw.integers(0, 8))
                end, label = start + int(draw.integers(4, 8)), int(draw.integers(2))
                vectors[start:end, label] += 2
                actions.append({"label": ACTIONS[label], "start_s": start * STEP_S, "end_s": end * STEP_S})
            rows.append({"video": f"{split}{index}", "duration": LONG_S, "actions": actions})
            store.write(f"{split}{index}", Features(vectors, 0.0, STEP_S, "toy"))
        (folder / "annotation" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def detector_settings(toy_actions: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """A recipe's settings for the toy actions, of a network of a few channels."""
    network = {key: value for key, value in settings["network"].items() if "language" not in key and "att" not in key}
    data = settings["data"] | {
        "dataset": "actions",
        "root": str(toy_actions / "annotation"),
        "features": {"toy": str(toy_actions / "features")},
    }
    return settings | {
        "method": "detector",
        "data": data,
        "network": network,
        "optimizer": {"name": "sgd", "learning_rate": 0.05},
        "overlap": 0.3,
    }


# Videos made on the spot, whose every picture shows its own number as black and white bars.
BITS = 10
Pixels = npt.NDArray[np.uint8]


def picture_of(number: int, width: int, height: int) -> Pixels:
    """The number in binary, the greatest bit on the left; a dark grey and a light grey, so that ranges show too."""
    bits = [(number >> (BITS - 1 - bit)) & 1 for bit in range(BITS)]
    row = np.array([bits[min(x * BITS // width, BITS - 1)] for x in range(width)], dtype=np.uint8)
    return np.broadcast_to((30 + 190 * row)[None, :, None], (height, width, 3)).astype(np.uint8)


def number_in(picture: Pixels) -> int:
    """The number that an upright picture shows, whatever its size."""
    height, width, _ = picture.shape
    columns = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    bars = picture[height // 4 : 3 * height // 4, columns].mean(axis=(0, 2)) > 125
    return int("".join("1" if bar else "0" for bar in bars), 2)


@dataclass(frozen=True)
class Recipe:
    """What kind of file to make."""

    ticks: Sequence[int] = tuple(range(60))
    time_base: Fraction = Fraction(1, 25)
    width: int = 160
    height: int = 96
    pixel_format: str = "yuv420p"
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    aspect: Fraction | None = None
    turned_left: int = 0
    beep_s: tuple[float, float] | None = None
    sound_rate: int = 44_100
    sound_codec: str = "aac"
    sound_layout: str = "mono"
    turned_back: bool = False
    stored: Callable[[Pixels], Pixels] | None = None


def write(path: Path, recipe: Recipe) -> Path:
    """Make the file: picture ``i`` shows the number ``i`` from ``ticks[i]`` on."""
    with av.open(str(path), "w", options=recipe.container_options) as out:
        stream: Any = out.add_stream(recipe.codec, rate=25, options={"crf": "12", "threads": "1", **recipe.options})
        codec = stream.codec_context
        codec.width, codec.height, codec.pix_fmt = recipe.width, recipe.height, recipe.pixel_format
        if recipe.turned_left % 2:
            codec.width, codec.height = recipe.height, recipe.width
        codec.time_base = recipe.time_base
        if recipe.aspect is not None:
            codec.sample_aspect_ratio = recipe.aspect
        if recipe.turned_back:
            stream.set_display_rotation(-90 * recipe.turned_left)
        tracks: list[Any] = []
        if recipe.beep_s is not None:
            tracks.append(out.add_stream(recipe.sound_codec, rate=recipe.sound_rate, layout=recipe.sound_layout))
        for number, tick in enumerate(recipe.ticks):
            pixels = np.rot90(picture_of(number, recipe.width, recipe.height), recipe.turned_left)
            pixels = recipe.stored(pixels) if recipe.stored else pixels
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            frame.pts, frame.time_base = tick, recipe.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if recipe.beep_s is not None:
            seconds = float((recipe.ticks[-1] - recipe.ticks[0]) * recipe.time_base) + 1 / 25
            times = np.arange(int(seconds * recipe.sound_rate)) / recipe.sound_rate
            on = (times >= recipe.beep_s[0]) & (times < recipe.beep_s[1])
            wave = (0.5 * on * np.sin(2 * np.pi * 880 * times)).astype(np.float32)
            layout = av.AudioLayout(recipe.sound_layout)
            heard = av.AudioFrame.from_ndarray(np.repeat(wave, layout.nb_channels)[None], "flt", layout.name)
            heard.sample_rate, heard.pts = (
                recipe.sound_rate,
                int(recipe.ticks[0] * recipe.time_base * recipe.sound_rate),
            )
            heard.time_base = Fraction(1, recipe.sound_rate)
            out.mux(tracks[0].encode(heard))
            out.mux(tracks[0].encode(None))
    return path


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``make(name, **recipe)`` writes a numbered video in a folder of its own and gives its path."""

    def made(name: str, **recipe: object) -> Path:
        return write(tmp_path_factory.mktemp("video") / name, Recipe(**recipe))  # type: ignore[arg-type]

    return made


@pytest.fixture(scope="session")
def numbers() -> Callable[[Iterable[Frames]], list[int]]:
    """Reads which pictures came back in a run of batches."""

    def read(batches: Iterable[Frames]) -> list[int]:
        return [number_in(picture) for batch in batches for picture in batch.pixels]

    return read


@pytest.fixture(scope="session")
def noisy() -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]:
    """Puts grain into the upper part of a picture, so that its file has bytes to lose."""

    def grained(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        pixels = pixels.copy()
        pixels[:20] = np.random.default_rng(int(pixels[50].sum())).integers(0, 255, pixels[:20].shape)
        return pixels

    return grained


@pytest.fixture
def hurt(make: Callable[..., Path], noisy: Callable[..., Any]) -> Path:
    """Two hundred numbered pictures, 25 a second; from the middle on, a tenth of the file's bytes are zero."""
    path = make("hurt.mp4", ticks=list(range(200)), options={"g": "20", "bf": "2"}, stored=noisy)
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + len(data) // 2
    data[begin : begin + len(data) // 10] = bytes(len(data) // 10)
    path.write_bytes(data)
    return path
