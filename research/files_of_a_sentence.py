"""How many files a reader passes to follow one sentence, from features that are ready to the printed answer.

Run: ``python research/files_of_a_sentence.py [SENTENCE] [--model NAME]``. It prints each of our files in the order in
which they are entered, with the calls of its functions and the changes of file: calls from a function of another file.
Loading the model and making the features are not followed, nor is what runs on import.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import asst
from asst.cli.asking import DEMO_VIDEO
from asst.outputs.json_lines import answer_record, as_lines

SOURCE = Path(asst.__file__).parent


class Calls:
    """Calls of our functions, by file, while it is the profiler."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self._open: list[tuple[FrameType, str]] = []

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """What `sys.setprofile` calls; a call made through a library's code counts as made by ours around it."""
        if event == "return" and self._open and self._open[-1][0] is frame:
            self._open.pop()
        if event != "call" or not frame.f_code.co_filename.startswith(str(SOURCE)):
            return
        module = frame.f_code.co_name == "<module>"
        before = self._open[-1][1] if self._open else ""
        importing = module or (self._open and not before)
        file = "" if importing else str(Path(frame.f_code.co_filename).relative_to(SOURCE))
        self._open.append((frame, file))
        if file:
            self.calls[file] += 1
            self.changes[file] += file != before


def followed(localizer: asst.Localizer, features: asst.Features, sentence: str) -> Calls:
    """The calls from features to the JSON line of the answer."""
    calls = Calls()
    sys.setprofile(calls)
    try:
        as_lines(map(answer_record, localizer.answer(features, [sentence])))
    finally:
        sys.setprofile(None)
    return calls


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sentence", nargs="?", default="a taxi sign on top of a car")
    parser.add_argument("--model", default="default")
    given = parser.parse_args()
    localizer = asst.load(given.model)
    features = localizer.features(DEMO_VIDEO)
    # The first sentence also makes what is kept of a video and of the model.
    for title, calls in [
        ("first sentence", followed(localizer, features, given.sentence)),
        ("another sentence", followed(localizer, features, given.sentence + " at night")),
    ]:
        files, changes = len(calls.calls), calls.changes.total()
        print(f"{title}: {files} files, {changes} changes of file, {calls.calls.total()} calls")
        print(f"{'calls':>8} {'changes':>8}  file")
        for file, count in calls.calls.items():
            print(f"{count:8} {calls.changes[file]:8}  {file}")
        print()


if __name__ == "__main__":
    main()
