"""The size that pictures are brought to before a network sees them, and what is cut from their middle."""

from __future__ import annotations

from dataclasses import dataclass

from asst.features.resampling import Pixels, short_side_size
from asst.video import Crop

# Networks see a part in the middle that is no longer than this; pictures longer than that are cut.
_MIDDLE_PART = Crop(1, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSize:
    """What pictures are brought to before anything else; ``short_side`` or ``exact`` is given.

    Attributes:
        short_side: pixels of the shorter side, the aspect kept.
        exact: height and width in pixels, the aspect not kept.
        grows: whether pictures whose shorter side is shorter are enlarged.
    """

    short_side: int | None = None
    exact: tuple[int, int] | None = None
    grows: bool = True

    @property
    def crop(self) -> Crop | None:
        """What is kept of long pictures before that; where the aspect is not kept they need not be cut."""
        return _MIDDLE_PART if self.exact is None else None

    def of(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that a picture is brought to."""
        if self.exact is not None:
            return self.exact
        assert self.short_side is not None
        if not self.grows and min(height, width) <= self.short_side:
            return height, width
        return short_side_size(height, width, self.short_side)


def centre(picture: Pixels, height: int, width: int) -> Pixels:
    """The middle of a picture, at most so high and wide; a view."""
    top, left = max(0, picture.shape[0] - height) // 2, max(0, picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]
