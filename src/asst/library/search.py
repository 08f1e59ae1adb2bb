"""One sentence asked of all videos, in two stages.

The first compares the sentence with every window and picks parts of videos, those with the best window first, until
they are as long together as shall be scored. In the second the model ranks the moments of each part; those of a video
that overlap become one row, and the rows are grouped by video. A small library is scored whole, and loses nothing to
the first stage. One video is asked as a library of it alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.values import Features
from asst.library.corrections import Correction, Corrections, remembered
from asst.library.engine import Engine
from asst.library.folder import LibraryFolder
from asst.library.matrix import matrix_of
from asst.library.tables import Rows, Video
from asst.local import composed
from asst.models.base import RANKED_LEAST
from asst.moments import Answer, Curve, Moment, by_video, check_question, rows, within
from asst.text import understood

SCORED_S = 3600.0
"""Seconds of video that the second stage scores, unless more is asked for."""

_SCORED_A_MOMENT_S = 360.0


class Part(NamedTuple):
    """A part of a video that is scored whole: the hash of the video, its first step, and the step after its last."""

    content: str
    first: int
    stop: int


def search(
    library: LibraryFolder,
    engine: Engine,
    query: str,
    *,
    top: int = 10,
    within_glob: str | None = None,
    contents: Container[str] | None = None,
    min_score: float | None = None,
    scored_s: float | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Answer:
    """The best moments of all videos that a sentence describes, by a model that reads what the library was made with.

    What people said of answers to the same sentence comes before what the model finds (`remembered`).

    Raises an `InputError` for an empty sentence, ``top`` below one, a ``min_score`` that is no number, a library of
    other settings, or a pattern that no video fits.

    Args:
        library: to be searched.
        engine: the model.
        query: the sentence.
        top: moments at most, weaker ones included.
        within_glob: only videos whose path matches, ``*`` also standing for slashes; a pattern without a slash is
            matched against the file's name.
        contents: only videos of these.
        min_score: moments of at least this score, in place of the model's threshold.
        scored_s: seconds of video for the second stage; infinity scores everything.
        progress: told how many whole seconds of video are scored, and how many will be.
    """
    check_question([query], top, min_score)
    library.check(engine.identity)
    videos = _videos(library, within_glob, contents)
    most_s = max(SCORED_S, top * _SCORED_A_MOMENT_S) if scored_s is None else scored_s
    matrix = matrix_of(library)
    matches = matrix.products(engine.sentence(query))
    ordered = [part for part in parts_by_match(matrix.rows, matches) if part.content in videos]
    length_s = sum(video.duration_s for video in videos.values())
    scored: list[tuple[Video, Answer]] = []
    faults: list[str] = []
    seconds, step_s = 0.0, 1.0
    for part, features in _picked(library, ordered, videos, most_s, faults):
        (ranking,) = engine.model.rank(features, [query], top=max(top, RANKED_LEAST))
        scored.append((videos[part.content], ranking))
        step_s = features.step_s
        seconds += len(features) * step_s
        progress(round(min(seconds, most_s, length_s)), round(min(most_s, length_s)))
    if min_score is None and scored:
        min_score = scored[-1][1].threshold
    asked = Answer("", query, length_s, engine.model.name, (), threshold=min_score, understood=understood(query))
    said = _said(library, query, videos, faults)
    answer = _answer(replace(asked, parts=(len(scored), len(ordered))), scored, said, step_s, top)
    return replace(answer, faults=tuple(faults))


def _said(
    library: LibraryFolder, query: str, videos: dict[str, Video], faults: list[str]
) -> list[tuple[Video, list[Correction]]]:
    """What people said of answers to a sentence, by the video."""
    said: dict[str, list[Correction]] = defaultdict(list)
    try:
        for one in Corrections(library).of(query):
            said[one.content].append(one)
    except InputError as error:
        faults.append(str(error))
    return [(videos[content], own) for content, own in said.items() if content in videos]


def _answer(
    asked: Answer,
    scored: Sequence[tuple[Video, Answer]],
    said: Sequence[tuple[Video, Sequence[Correction]]],
    step_s: float,
    top: int,
) -> Answer:
    """What the model and people said of the parts of videos, as an answer about all and one about each video."""
    by_path: dict[str, list[Moment]] = defaultdict(list)
    for video, ranking in scored:
        by_path[video.path] += within(ranking.ranked, video.duration_s, video.path)
    durations_s = {video.path: video.duration_s for video, _ in chain(scored, said)}
    corrected = {video.path: corrections for video, corrections in said}
    each = [
        remembered(*rows(by_path[path], length_s, asked.threshold), corrected.get(path, ()), asked.query, path)
        for path, length_s in durations_s.items()
    ]
    moments = _best((moment for found, _ in each for moment in found), top)
    weaker = _best((moment for _, weaker in each for moment in weaker), top - len(moments))
    best_score = next((own.score for own in (*moments, *weaker)), None)
    whole, each_video = replace(asked, moments=moments, weaker=weaker, best_score=best_score), []
    for path in dict.fromkeys(moment.video or "" for moment in whole.ranked):
        found, others = (tuple(own for own in some if own.video == path) for some in (moments, weaker))
        curves = [ranking.curve for video, ranking in scored if video.path == path and ranking.curve is not None]
        about = replace(whole, video=path, duration_s=durations_s[path], moments=found, weaker=others)
        each_video.append(replace(about, curve=joined(curves, step_s) if curves else None))
    return replace(whole, by_video=tuple(each_video))


def parts_by_match(rows: Rows, matches: npt.NDArray[np.float32]) -> list[Part]:
    """The parts that windows are in, in the order of their best windows; those of a part need not be neighbours.

    ``rows`` are of `asst.library.tables.ROW`, and ``matches`` how well each matches, both of shape ``(windows,)``.
    """
    if not len(rows):
        return []
    changes = [rows[name][1:] != rows[name][:-1] for name in ("part_first", "part_stop", "content")]
    firsts = np.flatnonzero(np.append(True, np.logical_or.reduce(changes)))
    best = np.maximum.reduceat(matches, firsts)
    ordered = rows[firsts[np.argsort(-best, kind="stable")]]
    columns = (ordered[name].tolist() for name in ("content", "part_first", "part_stop"))
    return list(dict.fromkeys(Part(name.decode(), first, stop) for name, first, stop in zip(*columns, strict=True)))


def _best(moments: Iterable[Moment], top: int) -> tuple[Moment, ...]:
    """So many at most, grouped by their videos."""
    best = sorted(moments, key=lambda moment: -moment.score)[:top]
    return tuple(chain.from_iterable(by_video(best).values()))


def _videos(library: LibraryFolder, glob: str | None, contents: Container[str] | None) -> dict[str, Video]:
    """Of each content one video whose path fits."""
    videos = library.tables.videos()
    if not videos:
        raise InputError(f"{library.folder} holds no video; index some: asst index FILES... --library {library.folder}")
    if glob is not None:
        wanted = composed(glob)
        videos = [v for v in videos if fnmatchcase(composed(v.path if "/" in glob else Path(v.path).name), wanted)]
        if not videos:
            what = "path" if "/" in glob else "file name (one with a slash is compared with paths, as '*/2025/*')"
            raise InputError(
                f"no video of {library.folder} fits {glob!r} by its {what}; see asst library status --json"
            )
    return {video.content: video for video in reversed(videos) if contents is None or video.content in contents}


def _picked(
    library: LibraryFolder, parts: Iterable[Part], videos: dict[str, Video], most_s: float, faults: list[str]
) -> Iterator[tuple[Part, Features]]:
    """The first parts and their features, until they are so long together; one at least."""
    left_s = most_s
    for part in parts:
        try:
            features = cut_out(library.features.mapped(part.content), part.first, part.stop)
            features.require_finite(part.content)
        except InputError as error:
            faults.append(f"{videos[part.content].path}: {error}")
            continue
        yield part, features
        left_s -= (part.stop - part.first) * features.step_s
        if left_s <= 0:
            return


def cut_out(features: Features, first: int, stop: int) -> Features:
    """Some steps of a video, from ``first`` to before ``stop``, on the video's clock."""
    start_s, end_s = (features.start_s + step * features.step_s for step in (first, stop))
    if (first, stop) == (0, len(features)):
        return features
    # With the cut that is seen first where the part begins, if there is one.
    inside = (features.cuts_s > start_s - features.step_s) & (features.cuts_s < end_s)
    return Features(features.vectors[first:stop], start_s, features.step_s, features.extractor, features.cuts_s[inside])


def joined(curves: Sequence[Curve], step_s: float) -> Curve:
    """One curve of the parts of a video that were scored; it breaks, by a score of NaN, where none was.

    Where parts overlap the higher score stays, as the better of two moments does. The curves are in any order, one at
    least, on the steps of the video, which are ``step_s`` seconds apart.
    """
    times_s = np.concatenate([curve.times_s for curve in curves])
    scores = np.concatenate([curve.scores for curve in curves])
    start_s = times_s.min()
    steps, which = np.unique(np.round((times_s - start_s) / step_s).astype(np.int64), return_inverse=True)
    highest = np.full(len(steps), -np.inf)
    np.maximum.at(highest, which, scores)
    breaks = np.flatnonzero(np.diff(steps) > 1) + 1
    return Curve(
        np.insert(start_s + steps * step_s, breaks, start_s + (steps[breaks - 1] + 1) * step_s),
        np.insert(highest, breaks, np.nan),
    )
