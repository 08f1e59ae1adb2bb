"""Simulated scenes as the reranker sees them, made ahead by several processes and kept in files.

A shard holds the questions of some scenes. It is a function of the settings and its number alone, is written whole, and
is not made again: an interrupted run goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from asst.atomic import writing_whole
from asst.data.simulate.scene_settings import SceneSettings
from asst.data.simulate.scenes import Scene, SceneSimulator
from asst.data.simulate.timelines import read_timelines
from asst.features.fingerprint import settings_hash
from asst.features.squares import TICKS_A_STEP
from asst.models.channels import channel_names
from asst.models.views import FACTS, View
from asst.models.zeroshot import ZeroShotModel, zeroshot_of
from asst.moments import iou
from asst.training.reranker_questions import RerankerQuestion, read_sentences
from asst.training.simulation import Say

SCENES_A_SHARD = 50

_VERSION = 4
_QUESTIONS_MOST = 4


@dataclass(frozen=True, slots=True)
class ScenePool:
    """Which scenes, and where they are kept.

    Attributes:
        folder: of the shards of all settings.
        seed: of the scenes.
        settings: of the scenes.
        extractor: whose space they are made in.
        weights: hash of the extractor's.
        measures: of `asst.features.reading.SentenceReader`.
    """

    folder: Path
    seed: int
    settings: SceneSettings
    extractor: str
    weights: str
    measures: tuple[str, ...]

    @classmethod
    def of(cls, model: ZeroShotModel, folder: Path, seed: int, settings: SceneSettings) -> Self:
        """Scenes in the space of a model's extractor; the other arguments are as above."""
        extractor = model.extractor
        return cls(folder, seed, settings, extractor.name, extractor.weights, model.reader.sentences.measures)

    @property
    def own_folder(self) -> Path:
        """Of the shards of these settings."""
        made_of = {
            **self.settings.to_dict(),
            "seed": self.seed,
            "extractor": self.extractor,
            "weights": self.weights,
            "channels": list(channel_names(self.measures)),
            "facts": list(FACTS),
            "version": _VERSION,
            "questions": _QUESTIONS_MOST,
            "scenes": SCENES_A_SHARD,
        }
        return self.folder / settings_hash(made_of)

    def questions(self, first: int, count: int, say: Say) -> list[RerankerQuestion]:
        """The questions of scenes ``first`` to ``first + count``, rounded up to shards; those missing are made.

        Args:
            first: scene, a multiple of ``SCENES_A_SHARD``.
            count: scenes.
            say: told what is made.

        Raises:
            InputError: for annotation that is missing, or a folder that cannot be written.
        """
        numbers = range(first // SCENES_A_SHARD, -(-(first + count) // SCENES_A_SHARD))
        missing = [number for number in numbers if not self._shard(number).exists()]
        if missing:
            say(f"making {len(missing) * SCENES_A_SHARD} scenes in {self.own_folder}")
            self._make(missing, say)
        return [question for number in numbers for question in _read(self._shard(number))]

    def _shard(self, number: int) -> Path:
        return self.own_folder / f"{number:06d}.npz"

    def _make(self, numbers: Sequence[int], say: Say) -> None:
        workers = min(len(numbers), os.cpu_count() or 1)
        tell_every = max(1, len(numbers) // 10)
        with ProcessPoolExecutor(workers, get_context("spawn"), _Worker.start, (self,)) as processes:
            futures = [processes.submit(_Worker.make, self._shard(number), number) for number in numbers]
            try:
                for done, future in enumerate(as_completed(futures), 1):
                    future.result()
                    if done % tell_every == 0:
                        say(f"made {done * SCENES_A_SHARD} of {len(numbers) * SCENES_A_SHARD} scenes")
            except BaseException:
                processes.shutdown(wait=False, cancel_futures=True)
                raise


class _Worker:
    """One process's simulator and reader."""

    simulator: SceneSimulator
    model: ZeroShotModel

    @classmethod
    def start(cls, pool: ScenePool) -> None:
        """Called once in each process, which uses one core."""
        import torch

        torch.set_num_threads(1)
        cls.model = zeroshot_of(pool.extractor, "a reranker")
        sentences, space = cls.model.reader.sentences, cls.model.extractor.space
        cls.simulator = SceneSimulator(read_timelines(), sentences, space, pool.settings, pool.seed)

    @classmethod
    def make(cls, path: Path, number: int) -> None:
        """One shard."""
        scenes = cls.simulator.scenes(number * SCENES_A_SHARD, SCENES_A_SHARD)
        questions = [question for scene in scenes for question in questions_of(cls.model, scene)]
        with writing_whole(path) as file:
            np.savez(file, allow_pickle=False, **_packed(questions))


def questions_of(model: ZeroShotModel, scene: Scene) -> Iterator[RerankerQuestion]:
    """The first questions of a scene, which is one view, as the reranker sees them."""
    stage = model.stage(scene.features)
    view, everything = View(0, len(scene.features)), np.arange(len(stage.found.spans))
    chosen = scene.questions[:_QUESTIONS_MOST]
    heard = read_sentences(model, stage, [question.query for question in chosen])
    for question, one in zip(chosen, heard, strict=True):
        overlaps = iou(stage.found.spans, np.array(question.spans) * TICKS_A_STEP).max(axis=1)
        yield one.question(question.kind, stage, view, overlaps, everything)


def _packed(questions: Sequence[RerankerQuestion]) -> dict[str, npt.NDArray[Any]]:
    """As arrays: rows of all questions in turn, and how many each has."""
    candidates = [np.concatenate([q.clips, q.facts, q.overlaps[:, None]], axis=1) for q in questions]
    return {
        "queries": np.array([q.query for q in questions]),
        "kinds": np.array([q.kind for q in questions]),
        "steps": np.array([len(q.channels) for q in questions]),
        "channels": np.concatenate([q.channels for q in questions]),
        "counts": np.array([len(rows) for rows in candidates]),
        "candidates": np.concatenate(candidates).astype(np.float16),
    }


def _read(path: Path) -> Iterator[RerankerQuestion]:
    with np.load(path, allow_pickle=False) as file:
        packed = {name: file[name] for name in file.files}
    channels = np.split(packed["channels"], np.cumsum(packed["steps"])[:-1])
    candidates = np.split(packed["candidates"].astype(np.float32), np.cumsum(packed["counts"])[:-1])
    for query, kind, seen, rows in zip(packed["queries"], packed["kinds"], channels, candidates, strict=True):
        yield RerankerQuestion(str(query), str(kind), seen, rows[:, :2], rows[:, 2:-1], rows[:, -1])
