"""``concepts``: finds moments with an image classifier and a sentence encoder, never having seen a video described.

Four things are measured at every step. Two are the cosines between what is seen and the sentence's classifiers, one a
language encoder (see ``asst.features.concepts``), less the same for sentences about nothing in particular. Two are the
logs of the probability that the image classifier gives to the classes which the sentence names, and to those whose
glosses it resembles. Each is standardised over the video, and they are added. A sentence about the camera also looks
for steps at which what is seen turns. Spans between shot changes compete by their mean; a window inside a shot must
stand out from the rest of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from asst.features.concepts import ConceptMap
from asst.features.imagenet import LOOKS_A_SECOND, ImageNetExtractor
from asst.features.values import Features
from asst.models.evidence import EvidenceReader
from asst.models.model import Ranking
from asst.models.scored import Stage, check_features, ranking, scored


class ConceptsModel:
    """The packaged model. See the module's text for what it measures.

    Attributes:
        name: ``concepts`` or ``concepts-fast``.
        extractor: makes the features it reads.
        reader: measures what its features say of sentences.

    Args:
        name: its name.
        variant: of the image classifier, ``lite2`` or ``lite0``.
        looks_a_second: how many pictures of a second of video the classifier sees at most.

    Raises:
        InputError: when packaged weights are missing.
    """

    def __init__(self, name: str = "concepts", variant: str = "lite2", looks_a_second: float = LOOKS_A_SECOND) -> None:
        self.name = name
        self.extractor = ImageNetExtractor(variant, looks_a_second)
        network = self.extractor.network
        self.reader = EvidenceReader(
            network.mean_feature.numpy(),
            network.class_weights.numpy(),
            network.class_bias.numpy(),
            ConceptMap(network.class_weights),
        )

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Ranking]:
        """The best moments of each sentence; a moment's score is explained in ``docs/models.md``.

        Raises:
            InputError: for features of another extractor, or on steps of another length.
        """
        check_features(features, self.extractor.name, self.name)
        stage, evidence = Stage.of(features), self.reader(features, queries)
        rankings = []
        for i, query in enumerate(queries):
            own = scored(stage, evidence, i, query)
            rankings.append(ranking(stage, query, own, own.strengths, evidence, i, top))
        return rankings
