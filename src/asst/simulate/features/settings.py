"""How strong and how noisy simulated features are: three modalities, four levels of difficulty.

**The order of the modalities is put in here, by their weights**: that flow tells actions apart better than colours do
is an assumption, after the paper's Tables 3 and 4, and nothing that a simulation could find.
"""

from __future__ import annotations

from dataclasses import dataclass

STEPS_PER_SECOND = 4
"""The paper's frame rate on Charades-STA (section 4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyModality:
    """What an extractor is sensitive to; the name is part of the extractor's."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Modality(AnyModality):
    """What an extractor is sensitive to: the lengths of the prototypes that are added up in a step.

    While an action goes on those of its ``verb``, ``object`` and class (``pair``); throughout the video, of the objects
    that the annotation lists (``seen``, all together), the ``scene``, and the person and the home (``subject``).
    """

    verb: float
    object: float
    pair: float
    seen: float
    scene: float
    subject: float


MODALITIES: dict[str, Modality] = {
    modality.name: modality
    for modality in (
        Modality(name="rgb", verb=0.3, object=0.9, pair=0.2, seen=1.0, scene=1.2, subject=1.0),
        Modality(name="flow", verb=1.2, object=0.25, pair=0.6, seen=0.2, scene=0.3, subject=0.5),
        Modality(name="c3d", verb=0.75, object=0.55, pair=0.4, seen=0.6, scene=0.7, subject=0.8),
    )
}
"""Appearance, motion, and a mixture of both. Two streams are ``rgb`` and ``flow`` in a `ConcatenatedStore`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What stands between the annotation and the features; the name is part of the extractor's.

    Attributes:
        noise: length of the noise vector of a step; prototypes have about length one.
        correlation: of the noise of neighbouring steps, an AR(1) process.
        missed: share of actions that a modality does not see at all.
        confused: share that it takes for another class of the same verb or object.
        jitter_s: standard deviation of the true start and end about the annotated ones, in seconds; never more than a
            quarter of the action.
        ramp_s: time that an action takes to appear and to fade, in seconds.
        crowd: videos whose actions go on too, without being annotated.
    """

    name: str
    noise: float
    correlation: float
    missed: float
    confused: float
    jitter_s: float
    ramp_s: float
    crowd: int = 0


LEVELS: dict[str, Level] = {
    level.name: level
    for level in (
        Level(name="easy", noise=2.0, correlation=0.7, missed=0.0, confused=0.02, jitter_s=0.25, ramp_s=0.5),
        Level(name="standard", noise=4.0, correlation=0.85, missed=0.1, confused=0.15, jitter_s=0.8, ramp_s=1.0),
        Level(
            name="crowded", noise=4.0, correlation=0.85, missed=0.1, confused=0.15, jitter_s=0.8, ramp_s=1.0, crowd=1
        ),
        Level(name="hard", noise=6.0, correlation=0.9, missed=0.2, confused=0.25, jitter_s=1.5, ramp_s=2.0),
    )
}
"""``easy`` to find faults quickly, ``crowded`` to compare methods, ``hard`` to see them fail.

``standard``, which methods were compared on before, is ``crowded`` without anything that nobody annotated: there the
annotated intervals are the only things to see.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that simulated features depend on besides the video's annotation.

    ``seed`` is of the prototypes, the map to features and every draw; ``dimension`` the width of a feature vector.
    ``family`` begins the names of a data set's extractors, where there are several data sets.
    """

    modality: AnyModality
    level: Level
    seed: int = 0
    dimension: int = 256
    family: str = ""

    def __post_init__(self) -> None:
        if self.dimension < 1 or self.seed < 0:
            raise ValueError(f"a dimension is positive and a seed not negative, not {self.dimension} and {self.seed}")

    @property
    def extractor(self) -> str:
        """Name of the extractor; another seed makes another one.

        >>> Settings(modality=MODALITIES["rgb"], level=LEVELS["standard"]).extractor
        'simulated-rgb-standard'
        >>> Settings(modality=MODALITIES["flow"], level=LEVELS["hard"], seed=3, family="didemo-").extractor
        'simulated-didemo-flow-hard-seed3'
        """
        name = f"simulated-{self.family}{self.modality.name}-{self.level.name}"
        return f"{name}-seed{self.seed}" if self.seed else name
