from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from asst.errors import InputError
from asst.moments import Answer, Curve, Moment
from asst.outputs.plot import SENTENCES_MOST, write_plot


def answer(query: str, *moments: Moment) -> Answer:
    curve = Curve(np.arange(0.5, 10.0), np.linspace(0.1, 0.4, 10))
    return Answer("v.mp4", query, 10.0, "m", moments, curve, threshold=0.3)


def pixels(path: Path) -> npt.NDArray[np.int64]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(np.int64)


def test_a_span_is_shaded_where_it_lies(tmp_path: Path) -> None:
    write_plot([answer("q", Moment(5.0, 10.0))], tmp_path / "with.png")
    write_plot([answer("q", Moment(0.0, 5.0))], tmp_path / "other.png")
    right, left = (pixels(tmp_path / name) for name in ("with.png", "other.png"))
    width = right.shape[1]
    red = slice(90, 110)
    assert right[red, width * 3 // 4, 0].mean() < left[red, width * 3 // 4, 0].mean() - 30
    assert left[red, width // 4, 0].mean() < right[red, width // 4, 0].mean() - 30


def test_each_sentence_has_a_row(tmp_path: Path) -> None:
    write_plot([answer("a")], tmp_path / "one.png")
    write_plot([answer("a"), answer("b"), answer("c")], tmp_path / "three.png")
    assert pixels(tmp_path / "three.png").shape[0] == 3 * pixels(tmp_path / "one.png").shape[0]


@pytest.mark.parametrize("query", [r"costs $\frac$ and $5", "\N{CJK UNIFIED IDEOGRAPH-72D7} \N{DOG FACE}", "a\tb\nc"])
def test_any_sentence_can_be_a_title(tmp_path: Path, query: str) -> None:
    write_plot([answer(query)], tmp_path / "a.png")
    assert pixels(tmp_path / "a.png").min() < 128


def test_an_answer_without_curve_or_moments_is_drawn(tmp_path: Path) -> None:
    write_plot([Answer("v", "q", 10.0, "m", ())], tmp_path / "a.png")
    assert pixels(tmp_path / "a.png").min() < 128


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at most"):
        write_plot([answer("a")] * (SENTENCES_MOST + 1), tmp_path / "a.png")
    with pytest.raises(InputError, match=r"must end in \.png"):
        write_plot([answer("a")], tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="one answer"):
        write_plot([], tmp_path / "a.png")
