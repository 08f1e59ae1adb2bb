"""Pictures with what people wrote of them, from Parquet files.

A row is a picture: the ``set`` it belongs to, ``id`` and ``frame`` (a clip has several), ``group`` (what shares a
source and must not be split), ``image`` (the encoded file), ``sentences``, ``labels``. Other columns are not read.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from asst.errors import InputError
from asst.moments import IntArray
from asst.settings import first_fault


class _Row(BaseModel):
    """What a row holds beside the image."""

    model_config = ConfigDict(strict=True)

    set: str
    id: str
    frame: int
    group: str
    sentences: list[str] | None
    labels: list[str] | None


COLUMNS = tuple(_Row.model_fields)
_IMAGE = "image"
_LABEL_SENTENCES = ("a photo of {}", "{}")
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Captioned:
    """A picture without its pixels.

    ``id`` is of the picture or clip, ``group`` what shares a source with it. ``sentences`` are in lower case, at least
    one; ``labelled`` says whether they were made from labels.
    """

    file: Path
    row: int
    set: str
    id: str
    frame: int
    group: str
    sentences: tuple[str, ...]
    labelled: bool

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.file}, row {self.row}"


@dataclass(frozen=True, slots=True)
class Captions:
    """What a folder holds: the pictures with a sentence or a label, by file and row."""

    root: Path
    pictures: tuple[Captioned, ...]

    def images(self) -> Iterator[tuple[Captioned, bytes | None]]:
        """Each picture in turn with its encoded file."""
        pictures = iter(self.pictures)
        wanted = next(pictures, None)
        for file in dict.fromkeys(picture.file for picture in self.pictures):
            rows = (
                value
                for batch in pq.ParquetFile(file).iter_batches(_ROWS_AT_ONCE, columns=[_IMAGE])
                for value in batch.column(0)
            )
            for row, value in enumerate(rows):
                if wanted is not None and (wanted.file, wanted.row) == (file, row):
                    yield wanted, value.as_py()
                    wanted = next(pictures, None)

    def digest(self) -> str:
        """Of the files' content, which what is computed from them depends on."""
        total = hashlib.sha256()
        for path in dict.fromkeys(picture.file for picture in self.pictures):
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        return total.hexdigest()


def read_captions(root: Path) -> Captions:
    """Every captioned picture of a folder, the pixels left where they are.

    A picture without sentences has those that its labels give; one with neither is left out. Raises an `InputError` for
    a folder without such files, or a file or row that is not of the form.
    """
    files = sorted(root.glob("*.parquet"))
    if not files:
        raise InputError(f"{root} has no Parquet file; name a folder of captioned pictures")
    pictures = tuple(picture for file in files for picture in _pictures(file))
    if not pictures:
        raise InputError(f"{root} has no picture with a sentence or a label; fill the columns sentences or labels")
    return Captions(root, pictures)


def decoded(picture: Captioned, image: bytes | None) -> Image.Image:
    """The picture in RGB; an `InputError` with file and row, if it is none."""
    try:
        return Image.open(io.BytesIO(image or b"")).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = "no bytes" if not image else "not a picture, or damaged"
        raise InputError(f"{picture.where}: cannot read the image ({reason}); replace it or drop the row") from error


def held_out(captions: Captions, counts: Mapping[str, int], seed: int = 0) -> tuple[IntArray, dict[str, IntArray]]:
    """Splits by group: indices of the pictures to learn from, and by set of those held out; no group has both.

    ``counts`` says how many pictures of each set to hold out, a clip with all its frames as one; only pictures that
    people wrote sentences about. An `InputError` for a set with too few such pictures, or nothing left to learn from.
    """
    random = np.random.default_rng(seed)
    held: dict[str, IntArray] = {}
    for name, count in counts.items():
        members: dict[str, list[int]] = {}
        for index, picture in enumerate(captions.pictures):
            if picture.set == name and not picture.labelled:
                members.setdefault(picture.group, []).append(index)
        chosen: list[int] = []
        missing = count
        for group in random.permutation(sorted(members)):
            size = len({captions.pictures[index].id for index in members[group]})
            if missing and size <= missing:
                chosen += members[group]
                missing -= size
        if missing:
            sets = ", ".join(dict.fromkeys(picture.set for picture in captions.pictures))
            raise InputError(
                f"{captions.root}: set {name} has {count - missing} pictures with sentences to hold out, not {count} "
                f"(its sets are {sets}); set data.holdout.{name} to what it has, or to 0"
            )
        if count:
            held[name] = np.array(sorted(chosen), dtype=np.int64)
    groups = {captions.pictures[index].group for own in held.values() for index in own}
    learnt = [index for index, picture in enumerate(captions.pictures) if picture.group not in groups]
    if not learnt:
        raise InputError(f"{captions.root}: everything is held out, nothing is left to learn from; lower data.holdout")
    return np.array(learnt, dtype=np.int64), held


def _pictures(file: Path) -> Iterator[Captioned]:
    try:
        opened = pq.ParquetFile(file)
        absent = sorted({*COLUMNS, _IMAGE} - set(opened.schema_arrow.names))
        if absent:
            raise InputError(f"{file} has no column {absent[0]}; it needs {', '.join([*COLUMNS, _IMAGE])}")
        kind = opened.schema_arrow.field(_IMAGE).type
        if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
            raise InputError(f"{file}: column {_IMAGE} is {kind}, not the bytes of encoded pictures; write these")
        rows = opened.read(columns=list(COLUMNS)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file}: no readable Parquet file ({' '.join(str(error).split())[:120]})") from error
    for number, row in enumerate(rows):
        try:
            own = _Row.model_validate(row)
        except ValidationError as error:
            raise InputError(f"{file}, row {number}: {first_fault(error)}; mend the row") from error
        sentences = _cleaned(own.sentences or [])
        # Labels have underscores for spaces, and a slash between names of the same thing.
        labels = _cleaned([label.replace("_", " ").replace("/", " or ") for label in own.labels or []])
        named = [form.format(label) for label in labels for form in _LABEL_SENTENCES]
        if sentences or named:
            said = tuple(dict.fromkeys(sentences or named))
            yield Captioned(file, number, own.set, own.id, own.frame, own.group, said, not sentences)


def _cleaned(texts: list[str]) -> list[str]:
    """In lower case, without those that have no word."""
    return [" ".join(text.lower().split()) for text in texts if any(character.isalnum() for character in text)]
