"""From DiDeMo's sentences and their times to simulated features of its videos.

As `asst.simulate.features.painting` has it, with sentences ``q``,

    s(t) = sum_q g_q(t) (verbs + things of q) + things of all q + subject + n(t)

A word has one prototype wherever it is said, and so have its forms; words that mean the same are no more alike than
others. Verbs weigh as an action's verb does for Charades, things as its object: `Vocabulary` tells which is which.

A sentence shows when one of its annotators, drawn at random, says: the others disagree with what is to be seen as much
as they disagree with each other. All sentences of a video show, so each has the others for distractors; at a level with
a crowd, sentences of other videos too, which nobody annotated here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from asst.data.record import Record, Span
from asst.features.stores.native import Provenance
from asst.features.values import Features
from asst.moments import Float32Array
from asst.simulate.features.painting import LATENT, Painter, Shown, ar1_noise, digest, own_generator, steps_of
from asst.simulate.features.settings import Modality, Settings
from asst.simulate.features.words import SentenceWords, Vocabulary

FAMILY = "didemo-"
"""Begins the names of the extractors."""


@dataclass(frozen=True, slots=True)
class DescribedVideo:
    """A video and all sentences that are said of it."""

    video: str
    duration_s: float
    records: tuple[Record, ...]


def described_videos(records: Iterable[Record]) -> list[DescribedVideo]:
    """The videos of records, sorted by name."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.video, []).append(record)
    return [DescribedVideo(video, max(r.duration_s for r in own), tuple(own)) for video, own in sorted(found.items())]


class SentenceSimulator(Painter[DescribedVideo]):
    """Makes features of what is said of videos, which are all there are."""

    modality: Modality

    def __init__(self, videos: Iterable[DescribedVideo], settings: Settings) -> None:
        super().__init__(settings, "sentences")
        self._videos = sorted(videos, key=lambda video: video.video)
        self._vocabulary = Vocabulary(sorted({r.sentence for video in self._videos for r in video.records}))
        self._made_by = digest(settings, self._vocabulary.verbs, self._vocabulary.things)
        self._mistaken = {
            word: [other for other in words if other != word]
            for words in (self._vocabulary.verbs, self._vocabulary.things)
            for word in words
        }

    def features(self, video: DescribedVideo) -> Features:
        """As `Painter.features`."""
        modality, level = self.modality, self.level
        steps, draw = steps_of(video.duration_s), self.own("noise", video.video)
        latent = level.noise / LATENT**0.5 * ar1_noise(draw, steps, LATENT, level.correlation)
        latent += modality.subject * self.prototype("subject", video.video, keep=False)
        things = {thing for record in video.records for thing in self._vocabulary.words(record.sentence).things}
        latent += modality.seen * self._mean("thing", sorted(things))
        records = self._all_records(video)
        spans = self.moved(*self._spans(video, records))
        latent += self.gains(*spans, steps) @ np.stack([self._sentence(video, record) for record in records])
        return self.painted(latent)

    def shown(self, video: DescribedVideo) -> list[Shown]:
        """Every sentence shown, first the video's own; clear if at least half of its words are seen."""
        records = self._all_records(video)
        spans, _ = self.moved(*self._spans(video, records))
        return [
            Shown(record.id, self._is_clear(video, record), *span)
            for record, span in zip(records, spans.tolist(), strict=True)
        ]

    def provenance(self, video: DescribedVideo) -> Provenance:
        """As `Painter.provenance`."""
        return Provenance(self._made_by, digest(video.duration_s, *self._all_records(video)))

    def _all_records(self, video: DescribedVideo) -> list[Record]:
        """Those of the video, and those that others lend it."""
        draw = own_generator(self.settings.seed, "lenders", video.video)
        lent = [self._videos[int(place * len(self._videos))] for place in draw.uniform(size=self.level.crowd)]
        others = (record for other in lent if other.video != video.video for record in other.records)
        return [*video.records, *others]

    def _spans(self, video: DescribedVideo, records: list[Record]) -> tuple[list[Span], str, str]:
        """When each sentence shows, as one of its annotators has it, within the video; and where moves come from."""
        spans = []
        for record in records:
            draw = own_generator(self.settings.seed, "annotator", record.id, record.video)
            start_s, end_s = record.annotated[int(draw.integers(len(record.annotated)))]
            end_s = min(end_s, video.duration_s)
            spans.append((min(start_s, end_s - 1), end_s))
        return spans, "sentences", video.video

    def _perceived(self, video: DescribedVideo, record: Record) -> SentenceWords:
        """What this modality sees of a sentence: nothing, or its words, some of them taken for others."""
        draw = self.own("video", video.video, record.id, record.video)
        words = self._vocabulary.words(record.sentence)
        if draw.uniform() < self.level.missed:
            return SentenceWords((), ())
        return SentenceWords(
            *(tuple(self._taken_for(draw, word) for word in part) for part in (words.verbs, words.things))
        )

    def _is_clear(self, video: DescribedVideo, record: Record) -> bool:
        said, seen = self._vocabulary.words(record.sentence), self._perceived(video, record)
        both = {*said.verbs} & {*seen.verbs} | {*said.things} & {*seen.things}
        return 0 < len(said.verbs) + len(said.things) <= 2 * len(both)

    def _taken_for(self, draw: np.random.Generator, word: str) -> str:
        chance, choice = draw.uniform(size=2)
        others = self._mistaken[word]
        return others[int(choice * len(others))] if others and chance < self.level.confused else word

    def _sentence(self, video: DescribedVideo, record: Record) -> Float32Array:
        """What one sentence adds to a step, shape ``(LATENT,)``."""
        words, modality = self._perceived(video, record), self.modality
        return modality.verb * self._mean("verb", words.verbs) + modality.object * self._mean("thing", words.things)

    def _mean(self, kind: str, words: Iterable[str]) -> Float32Array:
        """The sum of some prototypes, of about length one; zero if there is none."""
        found = [self.prototype(kind, word) for word in words]
        total: Float32Array = np.sum(found, axis=0) / len(found) ** 0.5 if found else np.zeros(LATENT, dtype=np.float32)
        return total.astype(np.float32)
