"""``asst locate``: the moments of a video that sentences describe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from asst.cli import options
from asst.cli.asking import ask, check_video, exit_by, print_answers, sentences_of
from asst.cli.files import Files
from asst.cli.options import argument, option


def locate(
    video: Annotated[Path, argument("VIDEO", "The video file.")],
    sentences: options.Sentences = None,
    queries: options.Queries = None,
    top: Annotated[int, option("--top N", "Moments to keep for each sentence.", min=1)] = 5,
    model: Annotated[str, option("--model NAME|PATH", "A model from 'asst models', or a checkpoint.")] = "default",
    min_score: options.MinScore = None,
    as_json: options.Json = False,
    *,
    files: Files,
    every: options.All = False,
    device: options.Device = None,
) -> None:
    """Find the moments of a VIDEO that each SENTENCE describes.

    The video is read once for all sentences.

    Exit codes: 0 when something was found, 1 when nothing was, 2 for bad input.
    """
    check_video(video)
    asked = sentences_of(sentences or [], queries)
    files.check([video], len(asked), len(asked))
    answers = ask(video, asked, model=model, top=top, min_score=min_score, attention=files.report is not None)
    try:
        print_answers(answers, as_json=as_json, every=every)
    finally:
        files.write(answers, clips=len(asked), every=every)
    exit_by(answers)
