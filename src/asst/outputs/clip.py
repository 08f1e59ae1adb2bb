"""The best moment of an answer as a video file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asst.outputs.destination import check_destination

if TYPE_CHECKING:
    from asst.moments import Answer
    from asst.video import CutReport


def write_clip(answer: Answer, out: Path, *, exact: bool = True) -> CutReport | None:
    """Cut the best moment of an answer out of its video into an ``.mp4`` file.

    Without ``exact`` what is stored is copied, from the key frame before the moment on. Where the answer has no moment,
    nothing is written.

    Raises:
        InputError: when the video cannot be read or ``out`` cannot be written.
    """
    from asst.video import cut

    source = Path(answer.video)
    check_destination(out, ".mp4", source=source)
    if not answer.moments:
        return None
    best = answer.moments[0]
    return cut(source, best.start_s, best.end_s, out, exact=exact)
