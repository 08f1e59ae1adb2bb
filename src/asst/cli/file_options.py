"""Options that several verbs have: of the files of their answers, and of where they work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ClusterOption = Annotated[
    bool,
    typer.Option(
        "--cluster", help="Spread the work over the Ray cluster of $RAY_ADDRESS, or a local one (extra: cluster)."
    ),
]
FastClipOption = Annotated[
    bool,
    typer.Option(
        "--fast-clip",
        help="Copy the clip from the key frame before the moment on, which is fast and loses nothing; else encode it.",
    ),
]
MinScoreOption = Annotated[
    float | None,
    typer.Option(metavar="X", help="Moments of this score or more, in place of what the model finds convincing."),
]
ReportOption = Annotated[
    Path | None, typer.Option(metavar="OUT.html", help="Write a page with frames, curves and moments.")
]
PlotOption = Annotated[Path | None, typer.Option(metavar="OUT.png", help="Draw the curves and moments (extra: plot).")]
ExportOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="OUT",
        help="Write what is found for another program, in the format of the ending: .csv .json .jsonl, .srt .vtt "
        "(subtitles) .fcpxml, with the extra timeline .otio .edl (timelines), .mp4 (one reel). Repeat for more files.",
    ),
]
AllOption = Annotated[
    bool, typer.Option("--all", help="Print and export the weaker moments too, up to --top of a sentence.")
]
