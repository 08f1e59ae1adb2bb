"""Features kept in memory as far as they fit."""

from __future__ import annotations

from collections.abc import Iterable

from asst.features.safetensors_file import Provenance
from asst.features.store import FeatureStore
from asst.features.values import Features


class HeldStore:
    """A store whose first videos are in memory and whose others are read each time.

    Worker processes that are forked after it is made share its memory.

    Args:
        store: holds all of the videos.
        videos: to take into memory, in this order, while they fit.
        budget_bytes: memory for their vectors.

    Attributes:
        held_bytes: memory in use.

    Raises:
        InputError: if the store lacks one of the videos it comes to.
    """

    def __init__(self, store: FeatureStore, videos: Iterable[str], budget_bytes: int) -> None:
        self._store = store
        self._held: dict[str, Features] = {}
        self.held_bytes = 0
        for video in dict.fromkeys(videos):
            features = store.read(video)
            if self.held_bytes + features.vectors.nbytes > budget_bytes:
                break
            vectors = features.vectors.copy()  # they may be mapped from a file
            self._held[video] = Features(
                vectors, features.start_s, features.step_s, features.extractor, features.cuts_s
            )
            self.held_bytes += vectors.nbytes

    def videos(self) -> tuple[str, ...]:
        """The videos of the store beneath, sorted."""
        return self._store.videos()

    def read(self, video: str) -> Features:
        """One video's features.

        Raises:
            InputError: as the store beneath.
        """
        return self._held[video] if video in self._held else self._store.read(video)

    def provenance(self, video: str) -> Provenance:
        """What the store beneath knows of it."""
        return self._store.provenance(video)

    def __contains__(self, video: str) -> bool:
        return video in self._held or video in self._store
