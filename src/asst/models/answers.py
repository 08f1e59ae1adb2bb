"""What a method says of every clip of some windows, whatever computes it, and what that comes to for a sentence."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from asst.data.sample import Sample, Window, network_inputs, placed
from asst.errors import InputError
from asst.features.runtime import Network
from asst.models.checkpoint import Description, described
from asst.moments import Attention, FloatArray, IntArray, nms

ATTENTION = "attention."
"""What the names of outputs begin with that are weights of words."""
CUT_OFF = 0.5
"""Factor of the score of a run that touches an edge of its window: the window beside it sees more of it."""
SUFFIX = ".onnx"
FORMAT = "asst-network-1"
SAID = ("relative", "averages", "finds_actions")
"""What is said of a method, whatever computes it; see `asst.models.methods.base.Method`."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a method says of every clip of a batch of windows.

    ``spans`` are in steps of each window, ``(windows, clips, 2)``; of shape ``(windows, clips)`` are ``scores``, larger
    is better, ``kept``, the clips the window can answer with, and ``labels``, the action that each clip is scored for,
    an index of `Method.labels`; None for sentences.
    """

    spans: FloatArray
    scores: FloatArray
    kept: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64] | None = None


class Answerer(ABC):
    """A method with its weights, computed by PyTorch or by ONNX Runtime; attributes as of methods, by `SAID`."""

    relative: bool
    averages: bool
    finds_actions: bool

    def __init__(self, settings: Mapping[str, Any], said: Mapping[str, bool]) -> None:
        self._settings, self.labels = settings, tuple(settings.get("labels", ()))
        self.relative, self.averages, self.finds_actions = (said[name] for name in SAID)

    @abstractmethod
    def outputs(self, samples: Sequence[Sample], *, attention: bool) -> Mapping[str, npt.NDArray[Any]]:
        """What the method gives for samples, with the weights of words if asked for; see `Method.outputs`."""

    def answers(self, samples: Sequence[Sample]) -> Answers:
        """Every clip of every sample's window."""
        return answers_of(self.outputs(samples, attention=False), self._settings)

    def attention(self, samples: Sequence[Sample]) -> dict[str, FloatArray]:
        """By the name of each layer that attends to words, their weights, ``(samples, words, steps of the layer)``."""
        return attention_of(self.outputs(samples, attention=True))


class ExportedMethod(Answerer):
    """A graph as a method, which `asst export` wrote, or that has the weights of a checkpoint."""

    def __init__(self, network: Network, description: Description) -> None:
        super().__init__(description.settings, {name: network.metadata[name] == "yes" for name in SAID})
        self._network, self._steps, self._read = network, int(network.metadata["steps"]), network.inputs

    @classmethod
    def load(cls, path: Path) -> tuple[Self, Description]:
        """From a file; an `InputError` for one that is missing, damaged or no network of ours."""
        network = Network(path)
        said = network.metadata
        if said.get("format") != FORMAT:
            raise InputError(
                f"{path} is no network of asst ({said.get('format', 'no format')}); write one by asst export"
            )
        try:
            description = described(said["description"])
            return cls(network, description), description
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is of another version ({error}); export it again") from error

    @classmethod
    def of_graph(cls, path: Path, weights: Mapping[str, npt.NDArray[Any]], description: Description) -> Self:
        """From a graph without weights, and a checkpoint of the same settings."""
        # How many batches a normalisation has averaged matters to training alone.
        used = {name: own for name, own in weights.items() if not name.endswith("num_batches_tracked")}
        return cls(Network(path, used), description)

    def outputs(self, samples: Sequence[Sample], *, attention: bool) -> dict[str, npt.NDArray[Any]]:
        """See `Answerer`; a graph gives the weights of words in any case."""
        inputs = network_inputs(samples, self._steps)
        found = self._network(**{name: own for name, own in inputs.items() if name in self._read})
        return dict(zip(self._network.outputs, found, strict=True))


def attention_of(outputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, FloatArray]:
    """The weights of words among a method's ``outputs``, by the name of the layer."""
    return {
        name.removeprefix(ATTENTION): own.astype(np.float64)
        for name, own in outputs.items()
        if name.startswith(ATTENTION)
    }


def answers_of(outputs: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> Answers:
    """The answers that a method's ``outputs`` stand for, or the runs of its ``values`` of classes at steps."""
    if "values" in outputs:
        values = outputs["values"].astype(np.float64)
        outputs = padded_runs(values, [runs(values, own, settings["gap"]) for own in settings["thresholds"]])
    spans, scores = (outputs[name].astype(np.float64) for name in ("spans", "scores"))
    return Answers(spans, scores, outputs["kept"], outputs.get("labels"))


def runs(values: FloatArray, threshold: float, gap: int) -> IntArray:
    """Where values, ``(windows, classes, steps)``, reach a threshold; runs no further apart than ``gap`` steps are one.

    Gives window, class, first step and the step after the last of each run, shape ``(runs, 4)``.

    >>> runs(np.array([[[0.9, 0.1, 0.9, 0.1, 0.1, 0.9]]]), 0.5, 1).tolist()
    [[0, 0, 0, 3], [0, 0, 5, 6]]
    """
    reached = np.pad((values >= threshold).astype(np.int8), ((0, 0), (0, 0), (1, 1)))
    changes = np.diff(reached, axis=2)
    starts, ends = np.argwhere(changes == 1), np.argwhere(changes == -1)
    found = np.concatenate([starts, ends[:, 2:]], axis=1)
    if len(found) < 2:
        return found
    near = (found[1:, :2] == found[:-1, :2]).all(axis=1) & (found[1:, 2] - found[:-1, 3] <= gap)
    merged: IntArray = found[np.concatenate([[True], ~near])]
    merged[:, 3] = found[np.concatenate([~near, [True]]), 3]
    return merged


def padded_runs(values: FloatArray, found: list[IntArray]) -> dict[str, npt.NDArray[Any]]:
    """Runs, one array a threshold, as the outputs of windows, scored by their mean values; see `Method.outputs`."""
    together = np.unique(np.concatenate(found), axis=0)
    window, label, start, end = together.T
    sums = np.pad(np.cumsum(values, axis=2), ((0, 0), (0, 0), (1, 0)))
    means = (sums[window, label, end] - sums[window, label, start]) / np.maximum(end - start, 1)
    means = np.where((start == 0) | (end == values.shape[2]), CUT_OFF * means, means)
    counts = np.bincount(window, minlength=len(values))
    column = np.arange(len(together)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = len(values), int(counts.max(initial=0))
    spans, scores = np.zeros((*shape, 2)), np.zeros(shape)
    labels, kept = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    spans[window, column] = together[:, 2:]
    scores[window, column], labels[window, column], kept[window, column] = means, label, True
    return {"spans": spans, "scores": scores, "kept": kept, "labels": labels}


@dataclass(frozen=True, slots=True, eq=False)
class WindowAnswer:
    """What several methods say of one window, of the query of one record.

    ``spans`` are in steps, the mean of the methods', ``(clips, 2)``; ``scores`` of each method, ``(methods, clips)``;
    ``kept`` and ``labels``, None for the answer to a sentence, as in `Answers`, ``(clips,)``.
    """

    record: int
    window: Window
    spans: FloatArray
    scores: FloatArray
    kept: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class QueryAnswer:
    """What is said of the sentence of one record: spans in seconds, best first, ``(n, 2)``, and scores in [0, 1].

    ``every_s`` and ``every_score`` are all that the windows said, what was dropped for a better one included.
    """

    record: int
    spans_s: FloatArray
    scores: FloatArray
    every_s: FloatArray
    every_score: FloatArray


def window_answers(
    each: Sequence[Answers], records: Sequence[int], windows: Sequence[Window]
) -> Iterator[WindowAnswer]:
    """The answers of one batch, a window at a time."""
    spans = np.mean([own.spans for own in each], axis=0)
    scores = np.stack([own.scores for own in each], axis=1)
    for row, (record, window) in enumerate(zip(records, windows, strict=True)):
        labels = None if each[0].labels is None else each[0].labels[row]
        yield WindowAnswer(record, window, spans[row], scores[row], each[0].kept[row], labels)


def query_answers(
    answers: Iterable[WindowAnswer],
    durations_s: Sequence[float],
    *,
    relative: bool,
    overlap: float,
    limit: int | None = None,
) -> Iterator[QueryAnswer]:
    """One answer a query, from the windows that observe it, which come one after the other.

    ``durations_s`` are of each record's video, by the record's index. If scores are ``relative``, logits, each method's
    become a softmax over all clips of the query. The weaker of two spans whose IoU exceeds ``overlap`` is dropped (0.8
    on Charades-STA, section 4.2), and ``limit`` are returned at most.
    """
    for record, group in groupby(answers, key=lambda answer: answer.record):
        own = list(group)
        kept = np.stack([answer.kept for answer in own])
        scores = np.stack([answer.scores for answer in own], axis=1)
        if relative:
            scores = _softmax(scores, kept)
        spans_s, strengths = placed(
            [answer.window for answer in own],
            np.stack([answer.spans for answer in own]),
            scores.mean(axis=0),
            kept,
            durations_s[record],
        )
        best = nms(spans_s, strengths, overlap, limit)
        yield QueryAnswer(record, spans_s[best], strengths[best], spans_s, strengths)


def _softmax(logits: FloatArray, kept: npt.NDArray[np.bool_]) -> FloatArray:
    """Over all kept clips of all windows; shape ``(methods, windows, clips)`` in and out."""
    masked = np.where(kept, logits, -np.inf)
    powers = np.exp(masked - masked.max(axis=(1, 2), keepdims=True))
    shares: FloatArray = powers / powers.sum(axis=(1, 2), keepdims=True)
    return shares


def window_attention(method: Answerer, sample: Sample, observed: int) -> dict[str, FloatArray]:
    """The attention in one window without its padding, by layer, shape ``(words, real steps of the layer)``.

    The network observes ``observed`` steps.
    """
    steps = sample.window.steps
    weights = method.attention([sample])
    return {name: own[0, :, : math.ceil(steps * own.shape[2] / observed)] for name, own in weights.items()}


def over_time(
    windows: Sequence[Window], weights: Sequence[Mapping[str, FloatArray]], words: Sequence[str]
) -> Attention | None:
    """The attention to each word at the centre of each step, from that of each window; None without layers.

    It is the mean of the layers that see every step of the window. The squeezing layers are left out: each of their
    steps stands for several of the video's, and would smear what the others tell apart. Where windows overlap it is the
    mean of theirs. They are in order and without gaps between them.
    """
    longest = max(range(len(windows)), key=lambda index: windows[index].steps)
    layers = tuple(name for name, own in weights[longest].items() if own.shape[1] == windows[longest].steps)
    if not layers:
        return None
    first_s, step_s = windows[0].start_s, min(window.step_s for window in windows)
    total_steps = round((windows[-1].end_s - first_s) / step_s)
    times_s = first_s + (np.arange(total_steps, dtype=np.float64) + 0.5) * step_s
    total = np.zeros((len(words), len(times_s)))
    count = np.zeros(len(times_s))
    for window, own in zip(windows, weights, strict=True):
        steps = np.floor(window.to_steps(times_s)).astype(np.int64)
        seen = (steps >= 0) & (steps < window.steps)
        total[:, seen] += np.mean([own[name] for name in layers], axis=0)[:, steps[seen]]
        count += seen
    return Attention(tuple(words), times_s, total / count, layers)
