"""Features and tokens in the forms that the field passes on, written as their authors do, and a recipe of each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import torch
import yaml

Numbers = npt.NDArray[np.floating]
SLOWFAST, CLIP, VGG, FLOW = 2304, 512, 4096, 1024
WIDTHS = ("dilation_channels", "channels", "language_channels", "attention_channels")
SENTENCE = "a person opens the door"


@dataclass
class Form:
    """What a recipe says of some files, and how the run is judged.

    Attributes:
        data: the recipe's.
        steps: of the video that is looked at.
        step_s: of its features.
        dimension: likewise.
        split: to be judged.
        queries: in it.
        kind: of the observation.
    """

    data: dict[str, Any]
    steps: int
    step_s: float
    dimension: int
    split: str
    queries: int
    kind: dict[str, Any] = field(default_factory=lambda: {"kind": "crops", "steps": 16, "step_s": 2.0})


def numbers(*shape: int) -> Numbers:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def queries(path: Path, videos: list[str], duration_s: float, first_qid: int) -> None:
    lines(
        path,
        [
            {
                "qid": first_qid + at,
                "query": SENTENCE,
                "duration": duration_s,
                "vid": video,
                "relevant_windows": [[2, 8]],
            }
            for at, video in enumerate(videos)
        ],
    )


def tokens(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True)
    for at, name in enumerate(names):
        np.savez(
            folder / f"{name}.npz",
            last_hidden_state=numbers(6 + at % 3, CLIP).astype(np.float16),
            pooler_output=numbers(CLIP),
        )


def npz(folder: Path, videos: list[str], *shape: int) -> str:
    folder.mkdir()
    for video in videos:
        np.savez(folder / f"{video}.npz", features=numbers(*shape))
    return str(folder)


def charades(root: Path) -> list[str]:
    """The authors' text and CSV files, of ten videos to learn from and one to test on."""
    videos = [f"{at}ABCD" for at in range(11)]
    head = "id,subject,scene,quality,relevance,verified,script,objects,descriptions,actions,length\n"
    for split, own in (("train", videos[:10]), ("test", videos[10:])):
        (root / f"charades_sta_{split}.txt").write_text("".join(f"{video} 2.0 8.0##{SENTENCE}.\n" for video in own))
        rows = "".join(f"{video},A,B,6,7,Yes,s,o,d,c001 2.0 8.0,30.0\n" for video in own)
        (root / f"Charades_v1_{split}.csv").write_text(head + rows)
    return videos


def by_video(root: Path, videos: dict[str, list[str]], **extra: Any) -> None:
    """TACoS and ActivityNet Captions: an object of videos a split."""
    for split, own in videos.items():
        entry = {"timestamps": [[20, 80]], "sentences": [f"{SENTENCE}."], **extra}
        (root / f"{split}.json").write_text(json.dumps(dict.fromkeys(own, entry)))


def moment_detr(root: Path) -> Form:
    train, val = ["a_0.0_150.0", "b_60.0_210.0"], ["c_0.0_150.0"]
    queries(root / "highlight_train_release.jsonl", train, 150, 8737)
    queries(root / "highlight_val_release.jsonl", val, 150, 2579)
    tokens(root / "clip_text_features", ["qid8737", "qid8738", "qid2579"])
    slowfast = npz(root / "slowfast_features", train + val, 75, SLOWFAST)
    clip = npz(root / "clip_features", train + val, 77, CLIP)
    return Form(
        {
            "dataset": "qvhighlights",
            "streams": ["slowfast", "clip"],
            "step_s": 2,
            "features": {
                "slowfast": {"path": slowfast, "normalize": True},
                "clip": {"path": clip, "normalize": True},
            },
            "words": {"path": str(root / "clip_text_features"), "normalize": True, "most": 32},
        },
        *(75, 2.0, SLOWFAST + CLIP, "val", 1),
    )


def lighthouse(root: Path) -> Form:
    """Charades-STA in the form of QVHighlights, in steps of a second."""
    train, test = [f"{at}ABCD" for at in range(10)], ["TESTV"]
    queries(root / "charades_train_release.jsonl", train, 31.3, 0)
    queries(root / "charades_test_release.jsonl", test, 31.3, 10)
    tokens(root / "clip_text", [f"qid{at}" for at in range(11)])
    features = {
        name: npz(root / name, train + test, 31, width) for name, width in (("clip", CLIP), ("slowfast", SLOWFAST))
    }
    return Form(
        {
            "dataset": "charades_sta",
            "streams": ["clip", "slowfast"],
            "step_s": 1,
            "features": features,
            "words": str(root / "clip_text"),
        },
        *(31, 1.0, SLOWFAST + CLIP, "test", 1),
    )


def own_clip_lengths(root: Path) -> Form:
    videos = charades(root)
    slowfast, clip = npz(root / "slowfast", videos, 15, SLOWFAST), npz(root / "clip", videos, 30, CLIP)
    features = {"slowfast": {"path": slowfast, "step_s": 2.0}, "clip": {"path": clip, "step_s": 1.0}}
    data = {"dataset": "charades_sta", "streams": ["slowfast", "clip"], "features": features}
    return Form(data, *(15, 2.0, SLOWFAST + CLIP, "test", 1))


def tensors(root: Path) -> Form:
    """A tensor a video, or one among other things that are no tensors; tokens by the order of the text file's lines."""
    videos = charades(root)
    folder = root / "C3D_unit16_overlap0.5_merged"
    folder.mkdir()
    for at, video in enumerate(videos):
        tensor = torch.from_numpy(numbers(88, VGG))
        torch.save({"features": tensor, "fps": 24.0, "video": video} if at % 2 else tensor, folder / f"{video}.pt")
    tokens(root / "text" / "charades_sta_train", [f"qid{at}" for at in range(10)])
    tokens(root / "text" / "charades_sta_test", ["qid0"])
    return Form(
        {
            "dataset": "charades_sta",
            "streams": ["c3d"],
            "features": {"c3d": {"path": str(folder), "step_s": "even"}},
            "words": {"path": str(root / "text" / "{file}"), "by": "order"},
        },
        *(88, 30 / 88, VGG, "test", 1),
    )


def vgg_hdf5(root: Path) -> Form:
    videos = charades(root)
    with h5py.File(root / "vgg_rgb_features.hdf5", "w") as file:
        for video in videos:
            file.create_dataset(video, data=numbers(180, VGG))
    with h5py.File(root / "CLIP_language_token_features.h5", "w") as file:
        for at in range(11):
            file.create_dataset(str(at + 1), data=numbers(7, CLIP))
    return Form(
        {
            "dataset": "charades_sta",
            "streams": ["vgg"],
            "features": {"vgg": {"path": str(root / "vgg_rgb_features.hdf5"), "step_s": 1 / 6}},
            "words": {"path": str(root / "CLIP_language_token_features.h5"), "by": "order", "first": 1},
        },
        *(180, 1 / 6, VGG, "test", 1),
    )


def didemo(root: Path) -> Form:
    """A video of five pieces has a sixth row of zeros."""
    videos = {"train": "12090392@N02_13482799053_87ef417396.mov", "val": "10015567@N08_3655084291_d8b58466fa.mpg"}
    for at, (split, video) in enumerate(videos.items()):
        row = {"annotation_id": at, "video": video, "description": SENTENCE, "num_segments": 5, "dl_link": "x"}
        (root / f"{split}_data.json").write_text(json.dumps([{**row, "times": [[1, 1], [1, 1], [1, 2], [0, 0]]}]))
    for name, width in (("average_fc7", VGG), ("average_global_flow", FLOW)):
        with h5py.File(root / f"{name}.h5", "w") as file:
            for video in videos.values():
                average = np.zeros((6, width))
                average[:5] = numbers(5, width)
                file.create_dataset(video, data=average)
    features = {"rgb": str(root / "average_fc7.h5"), "flow": str(root / "average_global_flow.h5")}
    data = {"dataset": "didemo", "streams": ["rgb", "flow"], "step_s": 5, "features": features}
    return Form(data, 6, 5.0, VGG + FLOW, "val", 1, {"kind": "pieces", "steps": 16})


def tacos(root: Path) -> Form:
    videos = {"train": ["s13-d21.avi"], "val": ["s13-d25.avi"], "test": ["s13-d28.avi"]}
    by_video(root, videos, fps=29.4, num_frames=2940)
    with h5py.File(root / "tall_c3d_features.hdf5", "w") as file:
        for (video,) in videos.values():
            file.create_dataset(video, data=numbers(150, VGG))
    features = {"c3d": {"path": str(root / "tall_c3d_features.hdf5"), "step_s": "even"}}
    return Form({"dataset": "tacos", "streams": ["c3d"], "features": features}, 150, 100 / 150, VGG, "test", 1)


def activitynet(root: Path) -> Form:
    videos = {"train": ["v_QOlSCBRmfWY"], "val": ["v_bXdq2zI1Ms0"], "test": ["v_FsS_NCZEfaI"]}
    by_video(root, videos, duration=82.73)
    with h5py.File(root / "sub_activitynet_v1-3.c3d.hdf5", "w") as file:
        for (video,) in videos.values():
            file.create_group(video).create_dataset("c3d_features", data=numbers(310, 500))
    path = str(root / "sub_activitynet_v1-3.c3d.hdf5")
    data = {"dataset": "activitynet_captions", "streams": ["c3d"], "step_s": "even", "features": {"c3d": path}}
    return Form(data, 310, 82.73 / 310, 500, "test", 1)


def tall(root: Path) -> Form:
    """Windows of 64 and 128 frames that overlap by four fifths, a vector each."""
    videos = {"train": ["s13-d21.avi"], "val": ["s13-d25.avi"], "test": ["s13-d28.avi"]}
    by_video(root, videos, fps=29.4, num_frames=2940)
    folder = root / "Interval64_128_256_512_overlap0.8_c3d_fc6"
    folder.mkdir()
    for (video,) in videos.values():
        for length in (64, 128):
            for start in range(1, 2940 - length, round(length * 0.2)):
                np.save(folder / f"{video}_{start}_{start + length}.npy", np.full(VGG, start, dtype=np.float32))
    files = {"path": str(folder), "windows": {"fps": 29.4, "length": 128}}
    data = {"dataset": "tacos", "streams": ["c3d"], "features": {"c3d": files}}
    return Form(data, 113, 26 / 29.4, VGG, "test", 1)


FORMS = [
    *(moment_detr, lighthouse, own_clip_lengths, tensors, vgg_hdf5),
    *(didemo, tacos, activitynet, tall),
]


def written(form: Form, root: Path) -> Path:
    classes = {"head": "classification", "pieces": 6} if form.kind["kind"] == "pieces" else {"levels": 4}
    recipe = {
        "data": {**form.data, "root": str(root)},
        "observation": form.kind,
        "network": {"dilation_layers": 2, "squeezing_layers": 2, **dict.fromkeys(WIDTHS, 8), **classes},
        "training": {"steps": 2, "interval": 2, "batch": 2, "precision": "float32"},
        "overlap": 1.0 if classes.get("pieces") else 0.8,
    }
    path = root / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return path
