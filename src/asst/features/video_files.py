"""The videos in a folder: what is one by its name, what is passed over, and what has to be told of."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from asst.errors import InputError

VIDEO_EXTENSIONS = frozenset(
    ".3gp .asf .avi .flv .m2t .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm .wmv".split()  # noqa: SIM905
)
"""What a file in a folder must be called to be taken for a video."""

PASSED_OVER = frozenset(
    "$recycle.bin recycler recycled recycle.bin #recycle @recycle lost+found found.000 @eadir #snapshot "  # noqa: SIM905
    "__macosx".split()
) | {"system volume information", "network trash folder", "temporary items"}
"""Folders of bins, of file systems and of indices, in small letters: what is in them is deleted, or no one's video."""

_ALSO_SCRIPTS = (".ts", ".mts")
_LOOKED_AT_BYTES = 4096
_TEXT_CONTROLS = "\t\n\v\f\r\x1a\x1b\x85"


def video_files(path: Path) -> list[Path]:
    """The videos at and under a folder, sorted by their paths; a path that is no folder stands for itself.

    Links are followed, and each folder is looked into once. Hidden files and folders, bins and the like are passed
    over, and so is text that is named as a transport stream is (TypeScript). With the videos come subfolders and links
    that cannot be read, and pipes named as videos are: they fail when their turn comes, so that none is lost in
    silence. Raises an `InputError` for a folder without a video.
    """
    if not path.is_dir():
        return [path]
    seen: set[tuple[int, int]] = set()
    files: list[Path] = []
    folders, links = deque([path]), deque[Path]()
    while folders or links:
        # A folder keeps its own name, however many links lead to it.
        folder = (folders or links).popleft()
        try:
            facts = folder.stat()
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
            for entry in _entries(folder):
                at = folder / entry.name
                if not os.path.isdir(at):  # noqa: PTH112  it is False, where Path's raises, for what cannot be read
                    files += [at] if _is_taken(at) else []
                elif entry.is_symlink():
                    links.append(at)
                else:
                    folders.append(at)
        except OSError:
            files.append(folder)
    if not files:
        raise InputError(f"{path}: no video in this folder; name files, or another folder")
    return sorted(files)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name.lower() not in PASSED_OVER:
                yield entry


def _is_taken(path: Path) -> bool:
    """Whether a file is a video by its name, or a link that leads nowhere, which may have been one."""
    try:
        facts = path.stat()
    except OSError:
        return True
    extension = path.suffix.lower()
    if extension not in VIDEO_EXTENSIONS:
        return False
    return not (extension in _ALSO_SCRIPTS and stat.S_ISREG(facts.st_mode) and _is_text(path))


def _is_text(path: Path) -> bool:
    """Whether a file begins as text does: without the control characters that every packet of a stream holds."""
    try:
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT_BYTES)
    except OSError:
        return False
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = head.decode("utf-16" if wide else "latin-1", errors="replace")
    return bool(text) and not any(ord(letter) < 32 and letter not in _TEXT_CONTROLS for letter in text)
