"""Captioned pictures as they are read and split."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from asst.data.readers.captions import decoded, held_out, read_captions
from asst.errors import InputError

from ...caption_pictures import SCHEMA, row, shapes, write


def test_pictures_keep_their_order_their_sentences_and_their_pixels(tmp_path: Path) -> None:
    write(tmp_path, [row("red", "circle", 0), row("red", "square", 1, sentences=[], labels=[])])
    write(
        tmp_path,
        [
            row("blue", "circle", 2, sentences=["  A  Blue\tdisc. ", "a blue disc.", "!"]),
            row("green", "stripe", 3, sentences=None, labels=["green_line", "a/b"]),
        ],
        "part1.parquet",
    )
    captions = read_captions(tmp_path)
    # The second row has neither sentence nor label: nothing can be learnt from it.
    assert [picture.id for picture in captions.pictures] == ["red-circle-0", "blue-circle-2", "green-stripe-3"]
    assert captions.pictures[1].sentences == ("a blue disc.",)
    assert captions.pictures[2].sentences == ("a photo of green line", "green line", "a photo of a or b", "a or b")
    assert [picture.labelled for picture in captions.pictures] == [False, False, True]
    found = {picture.id: decoded(picture, image) for picture, image in captions.images()}
    assert list(found) == [picture.id for picture in captions.pictures]
    reddest = max(found["red-circle-0"].getcolors() or [], key=lambda pair: pair[1][0] - pair[1][2])[1]
    assert reddest == (220, 30, 30)


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    first = read_captions(write(tmp_path / "a", shapes(range(1)))).digest()
    assert read_captions(write(tmp_path / "b", shapes(range(1)))).digest() == first
    assert read_captions(write(tmp_path / "c", shapes(range(1, 2)))).digest() != first


def test_no_group_is_both_learnt_from_and_held_out(tmp_path: Path) -> None:
    clips = [
        row("red", "circle", clip * 10 + frame, id=f"clip{clip}", frame=frame, group=f"film{clip // 2}", set="clips")
        for clip in range(20)
        for frame in range(2)
    ]
    # A picture of another set from the same source must not be learnt from either.
    stills = [row("blue", "square", film, set="stills", group=f"film{film}") for film in range(10)]
    named = [row("green", "stripe", k, set="stills", sentences=[], labels=["green"]) for k in range(30)]
    captions = read_captions(write(tmp_path, [*clips, *stills, *named]))
    learnt, held = held_out(captions, {"clips": 6, "stills": 2}, seed=1)
    own = {name: [captions.pictures[i] for i in indices] for name, indices in held.items()}
    assert len({picture.id for picture in own["clips"]}) == 6
    assert len(own["clips"]) == 12
    assert len(own["stills"]) == 2
    assert not any(picture.labelled for pictures in own.values() for picture in pictures)
    groups = {picture.group for pictures in own.values() for picture in pictures}
    assert groups.isdisjoint(captions.pictures[i].group for i in learnt)
    left_out = [i for i, picture in enumerate(captions.pictures) if picture.group in groups]
    assert sorted([*learnt, *left_out]) == list(range(len(captions.pictures)))
    assert held_out(captions, {"clips": 6, "stills": 2}, seed=1)[1]["clips"].tolist() == held["clips"].tolist()
    assert held_out(captions, {"clips": 6}, seed=2)[1]["clips"].tolist() != held["clips"].tolist()


def test_a_set_that_is_too_small_or_absent_is_named(tmp_path: Path) -> None:
    captions = read_captions(write(tmp_path, shapes(range(1))))
    with pytest.raises(InputError, match=r"set flickr8k has 0 pictures.*its sets are shapes.*data.holdout.flickr8k"):
        held_out(captions, {"flickr8k": 3})
    with pytest.raises(InputError, match="set shapes has 12 pictures with sentences to hold out, not 13"):
        held_out(captions, {"shapes": 13})
    with pytest.raises(InputError, match="nothing is left to learn from"):
        held_out(captions, {"shapes": 12})


@pytest.mark.parametrize("column", SCHEMA.names)
def test_a_missing_column_is_named_where_it_is_read(tmp_path: Path, column: str) -> None:
    fewer = pa.schema([field for field in SCHEMA if field.name != column])
    write(tmp_path, [{k: v for k, v in row("red", "circle", 0).items() if k != column}], schema=fewer)
    if column in ("width", "height"):
        assert len(read_captions(tmp_path).pictures) == 1
        return
    with pytest.raises(InputError, match=rf"part0.parquet has no column {column}; it needs set, id"):
        read_captions(tmp_path)


def with_type(name: str, kind: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(field.name, kind if field.name == name else field.type) for field in SCHEMA])


def test_values_of_another_kind_are_one_line_with_file_and_row(tmp_path: Path) -> None:
    write(tmp_path, [row("red", "circle", 0), row("red", "circle", 1, group=None)])
    with pytest.raises(
        InputError, match=r"part0.parquet, row 1: group: Input should be a valid string, not None; mend the row"
    ) as fault:
        read_captions(tmp_path)
    assert "\n" not in str(fault.value)
    write(tmp_path, [row("red", "circle", 0, sentences="one text")], schema=with_type("sentences", pa.string()))
    with pytest.raises(InputError, match="row 0: sentences: Input should be a valid list, not 'one text'"):
        read_captions(tmp_path)
    write(tmp_path, [row("red", "circle", 0, sentences=["fine", None])])
    with pytest.raises(InputError, match=r"row 0: sentences\.1: Input should be a valid string"):
        read_captions(tmp_path)
    write(tmp_path, [row("red", "circle", 0, image="a/path.jpg")], schema=with_type("image", pa.string()))
    with pytest.raises(InputError, match="column image is string, not the bytes"):
        read_captions(tmp_path)


def test_folders_and_files_that_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no Parquet file"):
        read_captions(tmp_path)
    with pytest.raises(InputError, match="has no Parquet file"):
        read_captions(tmp_path / "absent")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(InputError, match=r"broken.parquet: no readable Parquet file"):
        read_captions(tmp_path)
    (tmp_path / "broken.parquet").unlink()
    write(tmp_path, [row("red", "circle", 0, sentences=[], labels=["?"])])
    with pytest.raises(InputError, match="has no picture with a sentence or a label"):
        read_captions(tmp_path)


@pytest.mark.parametrize("image", [None, b"", b"RIFF....WEBP", row("red", "circle", 0)["image"][:200]])
def test_a_damaged_picture_is_named_by_file_and_row(tmp_path: Path, image: bytes | None) -> None:
    write(tmp_path, [row("red", "circle", 0), row("blue", "square", 1, image=image)])
    (_, (picture, data)) = read_captions(tmp_path).images()
    with pytest.raises(InputError, match=r"part0.parquet, row 1: cannot read the image"):
        decoded(picture, data)
