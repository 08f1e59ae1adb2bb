"""Every distribution of the simulated scenes, as one value that a recipe can change.

The defaults are calibrated against real features: ``scripts/compare_scenes.py`` shows both side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

from asst.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneSettings(Settings):
    """How scenes are planned and what they look like.

    A feature, less the mean feature, is a sum of unit directions times the weights below; it is then given a length.
    What a sentence looks like, its *appearance*, is a direction that its classifier points at as much as chance has it.

    Attributes:
        joined: share of scenes in which unrelated events follow each other.
        ordinals: share in which an event comes several times and one of them is asked for.
        relations: share in which an event comes before and after another and one of them is asked for. The other
            scenes are timelines as people annotated them.
        beyond: share of the sentences in joined scenes that tell of an order whose other part is not in the scene.
        piece_s: median length of an event in the scenes that are put together, in seconds.
        piece_spread: deviation of the log of that length.
        scene_s: median length of a timeline, in seconds; longer and shorter ones are stretched.
        scene_spread: deviation of the log of that length.
        shot_s: seconds from one shot change to the next inside a piece, on average.
        still: share of the pieces without a shot change.
        cuts_seen: share of the shot changes that are detected.
        cuts_false: detected shot changes that are none, a minute.
        topic: weight of what a piece shows all the time; part of it is the appearance of its sentences.
        topical: how far the topic is the appearance of the piece's sentences, the rest being chance.
        event: weight of an event's appearance while it lasts.
        event_spread: deviation of the log of that weight from one event to the next.
        shot: weight of what a shot shows all the time.
        drift: weight of what changes slowly.
        memory: how much of the drift is left half a second later.
        white: weight of what changes from step to step.
        squares: weight of what differs between the squares of a picture.
        cosine: median cosine of an appearance with the sentence's classifier.
        cosine_spread: deviation of the log of that cosine.
        named: weight, in an appearance, of classes that the sentence names, when it has them.
        named_chance: how often it has them.
        confused: how often an appearance is another sentence's instead.
        dropped: share of a sentence's words that its appearance does not show.
        unsaid: how often something of an event happens outside its span too.
        classes: share of a chance direction that is made of a few classes' rows; the rest has no direction.
        length: median length of a centred feature.
        length_spread: deviation of the log of that length from scene to scene.
        length_jitter: likewise from step to step.

    Raises:
        InputError: for a value that is no number of its kind.
    """

    joined: float = 0.4
    ordinals: float = 0.15
    relations: float = 0.15
    beyond: float = 0.35
    piece_s: float = 3.0
    piece_spread: float = 0.9
    scene_s: float = 18.0
    scene_spread: float = 0.7
    shot_s: float = 12.0
    still: float = 0.4
    cuts_seen: float = 0.95
    cuts_false: float = 0.3
    topic: float = 0.45
    topical: float = 0.47
    event: float = 0.06
    event_spread: float = 0.8
    shot: float = 0.2
    drift: float = 0.6
    memory: float = 0.92
    white: float = 0.25
    squares: float = 0.35
    cosine: float = 0.35
    cosine_spread: float = 0.6
    named: float = 0.5
    named_chance: float = 0.6
    confused: float = 0.08
    dropped: float = 0.15
    unsaid: float = 0.12
    classes: float = 0.6
    length: float = 16.5
    length_spread: float = 0.2
    length_jitter: float = 0.08
