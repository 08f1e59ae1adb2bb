"""Stand-ins for the parts below the command line: a model that finds all but penguins, and a grey video.

Run as a program this is the ``asst`` command with the stand-ins in place. What is heavy is imported where it is used:
most commands need none of it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

from asst.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from asst.moments import Answer


class Localizer:
    def __init__(self, name: str, calls: list[tuple[str, str, list[str], int]]) -> None:
        self.name = name
        self.calls = calls

    def answer(
        self,
        video: str | Path,
        queries: Sequence[str],
        *,
        top: int = 5,
        min_score: float | None = None,
        progress: Callable[[float, float], None] | None = None,
        attention: bool = False,
    ) -> list[Answer]:
        self.calls.append((self.name, str(video), list(queries), top))
        if progress is not None:
            progress(5.0, 10.0)
            progress(10.0, 10.0)
        if "interrupt" in queries:
            # As in a terminal, also where this was started as a background job.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(30)
        if "warning" in queries:
            logging.getLogger("asst.video").warning("%s is damaged", "a\x1b[2J\nb.mp4")
        if "fault" in queries:
            raise RuntimeError("a fault")
        return [self._one(str(video), query, top) for query in queries]

    def _one(self, video: str, query: str, top: int) -> Answer:
        import numpy as np

        from asst.moments import Answer, Curve, Moment

        spans = ((2.0, 4.0, 0.5), (6.0, 7.0, 0.3), (8.0, 9.0, 0.1))
        found = [Moment(*span, query=query, video=video) for span in spans[:top]]
        moments, weaker = ((), ()) if "penguin" in query else (tuple(found[:2]), tuple(found[2:]))
        curve = Curve(np.arange(0.5, 10.0), np.linspace(0.0, 0.2, 10))
        known = "blargh" not in query
        return Answer(
            video, query, 10.0, self.name, moments, curve, 0.25, best_score=0.2, understood=known, weaker=weaker
        )


def modules() -> dict[str, ModuleType]:
    localizer, video, models = ModuleType("asst.localizer"), ModuleType("asst.video"), ModuleType("asst.models")
    calls: list[tuple[str, str, list[str], int]] = []

    def load(name_or_path: str = "similarity") -> Localizer:
        if name_or_path == "unknown":
            raise InputError("no model 'unknown';\nsee asst models")
        return Localizer(name_or_path, calls)

    def frames(path: Path, *, times_s: Sequence[float], short_side: int, crop: object) -> Iterator[SimpleNamespace]:
        import numpy as np

        pixels = np.full((len(times_s), short_side, short_side, 3), 90, dtype=np.uint8)
        yield SimpleNamespace(pixels=pixels, times_s=np.array(times_s))

    def jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
        import io

        from PIL import Image

        Image.fromarray(pixels).save(file := io.BytesIO(), "JPEG")
        return file.getvalue()

    def probe(path: Path) -> SimpleNamespace:
        facts = {"width": 64, "height": 64, "rate": Fraction(25), "codec": "h264", "has_audio": False, "start_s": 0.0}
        return SimpleNamespace(**facts, duration_s=10.0, time_code=None)

    def cut(path: Path, start_s: float, end_s: float, out: Path, *, exact: bool = True) -> SimpleNamespace:
        # A copy begins at a key frame, of which this video has one every 1.5 seconds.
        start_s = start_s if exact else start_s // 1.5 * 1.5
        out.write_text(f"{start_s} {end_s}")
        return SimpleNamespace(path=out, start_s=start_s, end_s=end_s)

    vars(localizer).update(load=load, calls=calls)
    vars(video).update(STILL=None, frames=frames, probe=probe, cut=cut, jpeg=jpeg)
    entries = [
        SimpleNamespace(name="similarity", summary="needs no training"),
        SimpleNamespace(name="asst", summary="x"),
    ]
    vars(models)["MODELS"] = {entry.name: entry for entry in entries}
    return {"asst.localizer": localizer, "asst.video": video, "asst.models": models}


if __name__ == "__main__":
    from asst.cli import main

    sys.modules.update(modules())
    main()
