"""Tapes as the reranker sees them, made ahead by several processes and kept in files.

A shard holds the questions of some tapes. It is a function of the settings and its number alone, is written whole, and
is not made again: an interrupted run goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from asst.atomic import writing_whole
from asst.data.readers.captions import Captioned, Captions, decoded, held_out, read_captions
from asst.features.hashing import LENGTH, settings_hash
from asst.features.zeroshot.crops import STEP_S, TICKS_A_STEP, CropsExtractor
from asst.models.checkpoint import FeatureKind
from asst.models.reranker_inputs import FACTS, View, input_names
from asst.models.zeroshot.model import ZeroShotModel, zeroshot_of
from asst.moments import iou
from asst.simulate.tapes.plan import TapeSettings
from asst.simulate.tapes.tapes import Clip, Tape, TapeMaker, check_clips
from asst.training.recipe import Tapes
from asst.training.reranker.questions import RerankerQuestion, read_sentences
from asst.training.simulation import Say
from asst.training.space.cache import CHUNK, KeptArrays

TAPES_A_SHARD = 50

_VERSION = 2
_QUESTIONS_MOST = 4


Part = Literal["learnt", "held out"]
_TELL_EVERY = 4


@dataclass(frozen=True, slots=True)
class CaptionedClips:
    """The folders of captioned pictures and of their features, by all extractors, and what of them is `held_out`."""

    root: Path
    folder: Path
    holdout: Mapping[str, int]

    def make(self, extractor: CropsExtractor, say: Say) -> None:
        """Computes what is missing, a chunk after the other; an interrupted run goes on where it was.

        Raises an `InputError` as `read_captions`, `held_out` and `check_clips`, for a damaged picture, or a folder that
        cannot be written.
        """
        captions = read_captions(self.root)
        for part in get_args(Part):
            check_clips(self._clips(part, captions))
        kept = self._kept(captions, extractor)
        if not (missing := kept.missing()):
            return
        pictures = len(missing) * CHUNK
        megabytes = pictures * extractor.dimension * np.dtype(np.float16).itemsize / 1e6
        say(f"looking at {pictures} pictures; about {megabytes:.0f} MB are kept in {self.folder}")

        def looked(item: tuple[Captioned, bytes | None]) -> npt.NDArray[np.float16]:
            return extractor.frame_vector(np.asarray(decoded(*item)))

        images = captions.images()
        with ThreadPoolExecutor(os.cpu_count() or 1, "looking") as pool:
            for chunk in range(-(-len(kept) // CHUNK)):
                some = list(islice(images, CHUNK))
                if chunk in missing:
                    kept.write(chunk, list(pool.map(looked, some)))
                    if chunk % _TELL_EVERY == 0:
                        say(f"looked at {chunk * CHUNK + len(some)} of {len(kept)} pictures")

    def read(self, part: Part, extractor: CropsExtractor) -> tuple[list[Clip], npt.NDArray[np.float16]]:
        """The clips of a part, and the features of all pictures, shape ``(pictures, numbers)``; raises as `held_out`.

        Only pictures that people wrote sentences about make clips.
        """
        captions = read_captions(self.root)
        kept = self._kept(captions, extractor)
        return self._clips(part, captions), np.stack([kept[i] for i in range(len(kept))])

    def _clips(self, part: Part, captions: Captions) -> list[Clip]:
        learnt, held = held_out(captions, self.holdout)
        found: dict[tuple[str, str], list[int]] = {}
        for index in (learnt if part == "learnt" else np.concatenate(list(held.values()))).tolist():
            picture = captions.pictures[index]
            if not picture.labelled:
                found.setdefault((picture.set, picture.id), []).append(index)
        said = ([text for frame in frames for text in captions.pictures[frame].sentences] for frames in found.values())
        return [Clip(tuple(own), tuple(dict.fromkeys(texts))) for own, texts in zip(found.values(), said, strict=True)]

    def _kept(self, captions: Captions, extractor: CropsExtractor) -> KeptArrays:
        name = f"{extractor.name}-{extractor.weights}-{captions.digest()[:LENGTH]}"
        return KeptArrays(self.folder, name, len(captions.pictures))


@dataclass(frozen=True, slots=True)
class TapePool:
    """Tapes of one part of the clips, in the space of an extractor, whose name `zeroshot_of` knows."""

    clips: CaptionedClips
    part: Part
    seed: int
    settings: TapeSettings
    extractor: str

    def questions(self, model: ZeroShotModel, count: int, say: Say) -> list[RerankerQuestion]:
        """The questions of so many tapes, rounded up to shards; those missing are made, of which ``say`` is told.

        Raises an `InputError` as `TapeMaker`, or for a folder that cannot be written.
        """
        folder = self._folder(model)
        shards = [folder / f"{number:06d}.npz" for number in range(-(-count // TAPES_A_SHARD))]
        missing = [(path, number) for number, path in enumerate(shards) if not path.exists()]
        if missing:
            say(f"making {len(missing) * TAPES_A_SHARD} tapes in {folder}")
            self._make(missing, say)
        return [question for path in shards for question in _read(path)]

    def _folder(self, model: ZeroShotModel) -> Path:
        """Of the shards of these settings, with hashes of pictures and of the extractor's weights."""
        made_of = {
            **self.settings.to_dict(),
            "seed": self.seed,
            "extractor": model.extractor.name,
            "weights": model.extractor.weights,
            "inputs": list(input_names(model.reader.sentences.measures)),
            "facts": list(FACTS),
            "version": _VERSION,
            "questions": _QUESTIONS_MOST,
            "tapes": TAPES_A_SHARD,
            "part": self.part,
            "holdout": {name: count for name, count in self.clips.holdout.items() if count},
            "pictures": read_captions(self.clips.root).digest()[:LENGTH],
        }
        return self.clips.folder / settings_hash(made_of)

    def _make(self, missing: Sequence[tuple[Path, int]], say: Say) -> None:
        workers = min(len(missing), os.cpu_count() or 1)
        tell_every = max(1, len(missing) // 10)
        with ProcessPoolExecutor(workers, get_context("spawn"), _Worker.start, (self,)) as processes:
            futures = [processes.submit(_Worker.make, path, number) for path, number in missing]
            try:
                for done, future in enumerate(as_completed(futures), 1):
                    future.result()
                    if done % tell_every == 0:
                        say(f"made {done * TAPES_A_SHARD} of {len(missing) * TAPES_A_SHARD} tapes")
            except BaseException:
                processes.shutdown(wait=False, cancel_futures=True)
                raise


def tape_questions(
    tapes: Tapes, root: Path, say: Say
) -> tuple[list[RerankerQuestion], list[RerankerQuestion], FeatureKind]:
    """What is asked of tapes, to learn from and to choose checkpoints by, and what their features are."""
    model = zeroshot_of(tapes.extractor, "a reranker")
    clips, extractor = CaptionedClips(root, tapes.folder, tapes.holdout), model.extractor
    clips.make(extractor, say)

    def questions(part: Part, count: int) -> list[RerankerQuestion]:
        return TapePool(clips, part, tapes.seed, tapes.settings, extractor.name).questions(model, count, say)

    # Which pictures are looked at may differ, as long as the network is the same.
    kind = FeatureKind(
        extractor=extractor.name, dimension=extractor.dimension, step_s=STEP_S, weights=extractor.weights
    )
    return questions("learnt", tapes.count), questions("held out", tapes.validation), kind


class _Worker:
    """One process's maker and reader."""

    maker: TapeMaker
    model: ZeroShotModel

    @classmethod
    def start(cls, pool: TapePool) -> None:
        """Called once in each process, which uses one core."""
        # Read by the libraries of networks when they open one.
        os.environ["OMP_NUM_THREADS"] = "1"
        cls.model = zeroshot_of(pool.extractor, "a reranker")
        extractor = cls.model.extractor
        clips, pictures = pool.clips.read(pool.part, extractor)
        cls.maker = TapeMaker(clips, pictures, extractor.space, pool.settings, pool.seed)

    @classmethod
    def make(cls, path: Path, number: int) -> None:
        """One shard."""
        tapes = map(cls.maker.tape, range(number * TAPES_A_SHARD, (number + 1) * TAPES_A_SHARD))
        questions = [question for tape in tapes for question in questions_of(cls.model, tape)]
        with writing_whole(path) as file:
            np.savez(file, allow_pickle=False, **_packed(questions))


def questions_of(model: ZeroShotModel, tape: Tape) -> Iterator[RerankerQuestion]:
    """Some questions of a tape, which is one view, as the reranker sees them."""
    context = model.context(tape.features)
    view, everything = View(0, len(tape.features)), np.arange(len(context.proposals.spans))
    # Those of a tape's first clips would all be early.
    apart = np.linspace(0, len(tape.questions), min(_QUESTIONS_MOST, len(tape.questions)), endpoint=False).astype(int)
    chosen = [tape.questions[i] for i in apart]
    read_ones = read_sentences(model, context, [question.query for question in chosen])
    for question, one in zip(chosen, read_ones, strict=True):
        overlaps = iou(context.proposals.spans, np.array([question.span]) * TICKS_A_STEP).max(axis=1)
        yield one.question(question.kind, context, view, overlaps, everything)


def _packed(questions: Sequence[RerankerQuestion]) -> dict[str, npt.NDArray[Any]]:
    """As arrays: rows of all questions in turn, and how many each has."""
    proposals = [np.concatenate([q.clips, q.facts, q.overlaps[:, None]], axis=1) for q in questions]
    return {
        "queries": np.array([q.query for q in questions]),
        "kinds": np.array([q.kind for q in questions]),
        "steps": np.array([len(q.inputs) for q in questions]),
        "inputs": np.concatenate([q.inputs for q in questions]),
        "counts": np.array([len(rows) for rows in proposals]),
        "proposals": np.concatenate(proposals).astype(np.float16),
    }


def _read(path: Path) -> Iterator[RerankerQuestion]:
    with np.load(path, allow_pickle=False) as file:
        packed = {name: file[name] for name in file.files}
    inputs = np.split(packed["inputs"], np.cumsum(packed["steps"])[:-1])
    proposals = np.split(packed["proposals"].astype(np.float32), np.cumsum(packed["counts"])[:-1])
    for query, kind, seen, rows in zip(packed["queries"], packed["kinds"], inputs, proposals, strict=True):
        yield RerankerQuestion(str(query), str(kind), seen, rows[:, :2], rows[:, 2:-1], rows[:, -1])
