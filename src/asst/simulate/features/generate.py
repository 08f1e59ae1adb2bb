"""From a Charades video's annotation to its simulated features.

As `asst.simulate.features.painting` has it, with actions ``a``,

    s(t) = sum_a g_a(t) (verb + object + pair of a) + seen objects + scene + subject + n(t)

An annotated interval would give itself away if nothing else happened. At a level with a *crowd*, actions that nobody
annotated go on too: those of other videos of the same scene, of classes that the video itself has not, when they go on
there, in shares of the video. So they are as many, as long and as far apart as the annotated ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from asst.data.actions import LabelledSpan
from asst.data.readers.charades import CharadesVideo
from asst.errors import InputError, counted
from asst.features.stores.native import Provenance, Store
from asst.features.values import Features
from asst.moments import Float32Array
from asst.simulate.features.painting import LATENT, Painter, Shown, Subject, ar1_noise, digest, own_generator, steps_of
from asst.simulate.features.settings import Modality, Settings
from asst.simulate.features.words import action_words, object_names

_FLOAT16_BYTES = 2


class Simulator(Painter[CharadesVideo]):
    """Makes features of what the Charades CSV says of videos.

    ``classes`` are of `asst.data.readers.charades.read_classes`; ``videos`` are all there are: those of a video's scene
    lend it what nobody annotated.
    """

    modality: Modality

    def __init__(self, classes: Mapping[str, str], settings: Settings, videos: Iterable[CharadesVideo] = ()) -> None:
        super().__init__(settings)
        self._words = {code: action_words(name) for code, name in classes.items()}
        self._objects = object_names(self._words)
        self._mistaken = {
            code: [
                other
                for other, theirs in sorted(self._words.items())
                if other != code and (theirs.verb == ours.verb or ("" != ours.object == theirs.object))
            ]
            for code, ours in self._words.items()
        }
        self._made_by = digest(settings, sorted(self._words.items()))
        self._by_scene: dict[str, list[CharadesVideo]] = {}
        for video in sorted(videos, key=lambda video: video.video):
            self._by_scene.setdefault(video.scene, []).append(video)

    def features(self, video: CharadesVideo) -> Features:
        """As `Painter.features`; an `InputError` for an action of a class that is not among the classes."""
        modality = self.modality
        latent, events = self._events(video)
        latent += modality.scene * self.prototype("scene", video.scene)
        latent += modality.subject * self.prototype("subject", video.video, keep=False)
        if video.objects:
            seen = [self.prototype("object", self._objects.get(name, name)) for name in video.objects]
            latent += modality.seen / len(seen) ** 0.5 * np.sum(seen, axis=0)
        for key, actions, taken_for in events:
            if actions:
                spans = self.moved([(action.start_s, action.end_s) for action in actions], *key)
                latent += self.gains(*spans, len(latent)) @ np.stack([self._action(code) for code in taken_for])
        return self.painted(latent)

    def shown(self, video: CharadesVideo) -> list[Shown]:
        """Every action that the features show, annotated or not, in the order of the annotation and then of others."""
        found = []
        for key, actions, taken_for in self._events(video)[1]:
            spans, _ = self.moved([(action.start_s, action.end_s) for action in actions], *key)
            for action, seen, (start_s, end_s) in zip(actions, taken_for, spans.tolist(), strict=True):
                found.append(Shown(action.label, seen == action.label, start_s, end_s))
        return found

    def provenance(self, video: CharadesVideo) -> Provenance:
        """As `Painter.provenance`."""
        return Provenance(self._made_by, digest(video, *self._crowd(video)))

    def _events(
        self, video: CharadesVideo
    ) -> tuple[Float32Array, list[tuple[tuple[str, str], list[LabelledSpan], list[str]]]]:
        """The noise of a video; and of its actions, annotated and not, where times come from and how they look."""
        crowd = self._unannotated(video)
        if unknown := {action.label for action in (*video.actions, *crowd)} - self._words.keys():
            raise InputError(
                f"{video.video} has an action {min(unknown)} that is not among {len(self._words)} classes; "
                "read the classes that belong to the CSV"
            )
        level = self.level
        draw = self.own("video", video.video)
        noise = level.noise / LATENT**0.5 * ar1_noise(draw, steps_of(video.duration_s), LATENT, level.correlation)
        parts = (("events", list(video.actions), draw), ("crowd", crowd, self.own("crowd", video.video)))
        return noise, [
            ((name, video.video), actions, self.perceived(source, [a.label for a in actions], self._mistaken))
            for name, actions, source in parts
        ]

    def _crowd(self, video: CharadesVideo) -> Sequence[CharadesVideo]:
        """The videos that lend this one their actions."""
        around = self._by_scene.get(video.scene, ())
        own = next((place for place, other in enumerate(around) if other.video == video.video), len(around))
        others = [*range(own), *range(own + 1, len(around))]
        draw = own_generator(self.settings.seed, "lenders", video.video)
        return [around[others[int(place * len(others))]] for place in draw.uniform(size=self.level.crowd) if others]

    def _unannotated(self, video: CharadesVideo) -> list[LabelledSpan]:
        own = {action.label for action in video.actions}
        return [
            LabelledSpan(
                action.label,
                action.start_s / other.duration_s * video.duration_s,
                action.end_s / other.duration_s * video.duration_s,
            )
            for other in self._crowd(video)
            for action in other.actions
            if action.label not in own
        ]

    def _action(self, code: str) -> Float32Array:
        """What one action adds to a step, shape ``(LATENT,)``; nothing if it is missed."""
        if not code:
            return np.zeros(LATENT, dtype=np.float32)
        words, modality = self._words[code], self.modality
        total = modality.verb * self.prototype("verb", words.verb) + modality.pair * self.prototype("pair", code)
        if words.object:
            total = total + modality.object * self.prototype("object", self._objects[words.object])
        return total


def write_simulated(
    store: Store, videos: Iterable[Subject], simulator: Painter[Subject], say: Callable[[str], None]
) -> int:
    """Writes the features of videos to a store, but those it has from the same settings and annotation; gives how many.

    ``say`` is told before anything is written what is, where and how large. Raises an `InputError` if the store holds
    other features or cannot be written.
    """
    made = [(video, simulator.provenance(video)) for video in videos]
    lacking = [(video, own) for video, own in made if video.video not in store or store.provenance(video.video) != own]
    settings = simulator.settings
    if lacking:
        steps = sum(steps_of(video.duration_s) for video, _ in lacking)
        megabytes = steps * settings.dimension * _FLOAT16_BYTES / 1e6
        say(
            f"simulated features {settings.extractor} of {counted(len(lacking), 'video')}: {megabytes:.0f} MB "
            f"are written to {store.folder}"
        )
    for video, own in lacking:
        store.write(video.video, simulator.features(video), own)
    return len(lacking)
