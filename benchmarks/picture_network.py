"""How fast the packaged picture network sees pictures, by what computes it, and how alike its features are.

Rates are medians of rounds that take turns, of one picture a thread on every core, as extraction looks at them. The
features compared are pooled ones of real pictures, centred: their cosine with those of ONNX Runtime in 32 bits. With
``--retrieval`` held-out captioned pictures (``ASST_DATA/captions``) are found by their sentences, once by each.

The row of PyTorch needs the extra ``train``.

Run: ``python benchmarks/picture_network.py [--rounds 5] [--retrieval]``
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from asst.cli.asking import DEMO_VIDEO
from asst.data import data_folder
from asst.data.readers.captions import decoded, held_out, read_captions
from asst.evaluation.retrieval import retrieval_ranks
from asst.features.resampling import resized, short_side_size
from asst.features.runtime import PRECISION, threads
from asst.features.zeroshot.captions import PACKAGED, CaptionExtractor, load_space, pooled_crops
from asst.features.zeroshot.efficientnet import CHANNELS, SIDE
from asst.training.space_recipe import CaptionRecipe, read_any_recipe
from asst.video import frames

Pixels = npt.NDArray[np.uint8]
See = Callable[[Pixels], npt.NDArray[np.floating]]

_PICTURES = 40


def networks() -> dict[str, See]:
    """What sees pictures, by name."""
    found: dict[str, See] = {}
    for precision in ("float32", "int8"):
        os.environ[PRECISION] = precision
        found[f"ONNX Runtime, {precision}"] = CaptionExtractor().crop_vectors
    if find_spec("torch") is not None:
        found["PyTorch, float32"] = _by_pytorch()
    return found


def _by_pytorch() -> See:
    import torch

    from asst.training.space.towers import towers_with

    torch.set_num_threads(1)
    network = towers_with(load_space(PACKAGED).weights()).pictures.network

    def see(pictures: Pixels) -> npt.NDArray[np.floating]:
        with torch.inference_mode():
            maps = network(torch.tensor(pictures)).permute(0, 2, 3, 1).numpy()
        return pooled_crops(maps).reshape(len(pictures), -1)

    return see


def rate(see: See, pictures: Pixels) -> float:
    """Pictures a second."""
    with ThreadPoolExecutor(threads()) as pool:
        start = time.perf_counter()
        list(pool.map(lambda k: see(pictures[k : k + 1]), range(len(pictures))))
        return len(pictures) / (time.perf_counter() - start)


def centred(seen: npt.NDArray[np.floating], mean: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Unit vectors of crops, shape ``(pictures, crops, channels)``."""
    crops = seen.reshape(len(seen), -1, CHANNELS).astype(np.float64) - mean
    unit: npt.NDArray[np.float64] = crops / np.linalg.norm(crops, axis=2, keepdims=True)
    return unit


def retrieval(see: See, extractor: CaptionExtractor) -> dict[str, float]:
    """R@10 of pictures by their sentences, in per cent by set; a clip is found by the mean of its frames."""
    captions = read_captions(data_folder("captions"))
    recipe = read_any_recipe(["captions"])
    assert isinstance(recipe, CaptionRecipe)
    _, held = held_out(captions, recipe.data.holdout, recipe.data.seed)
    wanted = {index for own in held.values() for index in own.tolist()}
    seen: dict[int, npt.NDArray[np.float64]] = {}
    with ThreadPoolExecutor(threads()) as pool:

        def one(item: tuple[int, Pixels]) -> tuple[int, npt.NDArray[np.float64]]:
            index, pixels = item
            return index, centred(see(pixels[None]), extractor.space.mean)[0]

        shown = (
            (index, _sized(np.asarray(decoded(picture, image))))
            for index, (picture, image) in enumerate(captions.images())
            if index in wanted
        )
        seen.update(pool.map(one, shown))
    recalls = {}
    for name, own in held.items():
        clips: dict[str, list[int]] = {}
        for index in own.tolist():
            clips.setdefault(captions.pictures[index].id, []).append(index)
        said = [captions.pictures[indices[0]].sentences for indices in clips.values()]
        sentences = extractor.sentences.vectors([text for texts in said for text in texts])
        frames_seen = {index: (sentences @ seen[index].T).max(axis=1) for index in own.tolist()}
        whole = np.stack([np.mean([frames_seen[i] for i in indices], axis=0) for indices in clips.values()], axis=1)
        owners = np.repeat(np.arange(len(said)), [len(texts) for texts in said])
        recalls[name] = retrieval_ranks(whole, owners)["pictures"].metrics()["r@10"]
    return recalls


def _sized(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    sized: Pixels = resized(pixels[None], short_side_size(height, width, SIDE))[0]
    return sized


def _video_pictures() -> Pixels:
    batches = frames(DEMO_VIDEO, rate=4, short_side=SIDE, batch=_PICTURES)
    pixels: Pixels = next(iter(batches)).pixels
    return pixels


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--retrieval", action="store_true")
    options = parser.parse_args(arguments)
    pictures, found = _video_pictures(), networks()
    for see in found.values():
        see(pictures[:2])
    rates: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(options.rounds):
        for name, see in found.items():
            rates[name].append(rate(see, pictures))
    extractor = CaptionExtractor()
    reference = centred(found["ONNX Runtime, float32"](pictures), extractor.space.mean)
    table = Table(title=f"{pictures.shape[2]} x {pictures.shape[1]} pixels, {threads()} threads")
    for column in ("computed by", "pictures/s", "least cosine", "median cosine"):
        table.add_column(column)
    for name, see in found.items():
        cosines = (centred(see(pictures), extractor.space.mean) * reference).sum(axis=2)
        row = f"{statistics.median(rates[name]):.1f}", f"{cosines.min():.3f}", f"{np.median(cosines):.4f}"
        table.add_row(name, *row)
    Console().print(table)
    if options.retrieval:
        for name, see in found.items():
            recalls = retrieval(see, extractor)
            print(f"{name}: R@10 of {', '.join(f'{own} {value:.1f}' for own, value in recalls.items())}")


if __name__ == "__main__":
    main()
