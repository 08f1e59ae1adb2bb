"""From what methods say of single windows to what they say of a sentence: scores and attention of windows merged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from asst.data.windows import Window, placed
from asst.models.answers import Answers
from asst.moments import Attention, FloatArray, nms


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


def of_window(weights: Mapping[str, FloatArray], window: Window, observed: int) -> dict[str, FloatArray]:
    """The attention in one window without its padding, by layer, shape ``(words, real steps of the layer)``.

    ``weights`` are of the one sample of a batch, ``(1, words, steps of the layer)``; the network observes ``observed``
    steps.
    """
    real = {}
    for name, own in weights.items():
        steps = math.ceil(window.steps * own.shape[2] / observed)
        real[name] = own[0, :, :steps]
    return real


def over_time(
    windows: Sequence[Window], weights: Sequence[Mapping[str, FloatArray]], words: Sequence[str]
) -> Attention | None:
    """The attention to each word at the centre of each step, from `of_window` of each window; None without layers.

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
