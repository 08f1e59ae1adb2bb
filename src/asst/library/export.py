"""What a library holds, in forms that other programs read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from asst.atomic import moved_into_place, write_whole
from asst.errors import InputError
from asst.library.folder import LibraryFolder
from asst.local import local_path


def export(library: LibraryFolder, out: Path) -> None:
    """Writes the videos as JSON lines (``.jsonl``), or the windows with their vectors as Parquet (``.parquet``).

    Raises:
        InputError: for another ending, an address, or a file that cannot be written.
    """
    out = local_path(out, "an export")
    if out.suffix == ".jsonl":
        lines = (json.dumps(asdict(video), allow_nan=False) + "\n" for video in library.tables.videos())
        write_whole(out, "".join(lines))
    elif out.suffix == ".parquet":
        with moved_into_place(out) as lent:
            library.tables.write_parquet(lent)
    else:
        raise InputError(f"{out}: a library is exported to .jsonl (its videos) or .parquet (their windows)")
