import base64
import hashlib
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from asst.errors import InputError
from asst.moments import Answer, Attention, Curve, Moment
from asst.outputs.report.report import write_report
from asst.video import jpeg

EVIL = "<script>alert(1)</script> \"x\" 'y' & </title></style></svg>"


class Page(HTMLParser):
    """The page's tags, ids, addresses and text, and a check that every tag is closed."""

    VOID = frozenset({"meta", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def values(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.tags for key, value in attributes.items() if key == attribute and value]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[list[float]]:
    """A video of ten seconds at one frame a second, each frame one grey: 20 times its second. Lists what is asked."""
    asked: list[list[float]] = []

    def frames(path: Path, *, times_s: Sequence[float], short_side: int, crop: object) -> Iterator[SimpleNamespace]:
        asked.append(list(times_s))
        for half in np.array_split(np.array(times_s), 2):
            pixels = np.ones((len(half), short_side, short_side * 2, 3)) * np.floor(half)[:, None, None, None] * 20
            yield SimpleNamespace(pixels=pixels.astype(np.uint8), times_s=half)

    def probe(path: Path) -> SimpleNamespace:
        facts = {"width": 640, "height": 320, "rate": Fraction(30000, 1001), "codec": "h264", "has_audio": True}
        return SimpleNamespace(**facts, start_s=0.5)

    video = ModuleType("asst.video")
    vars(video).update(STILL=None, frames=frames, jpeg=jpeg, probe=probe)
    monkeypatch.setitem(sys.modules, "asst.video", video)
    return asked


def answer(query: str, *moments: Moment, video: str = "street & co.mp4") -> Answer:
    curve = Curve(np.arange(0.5, 10.0), np.array([0, 0, 0.1, 0, 0, 0, 0, 0.5, 0, 0]))
    return Answer(video, query, 10.0, "similarity", moments, curve, threshold=0.3, best_score=0.5)


def written(tmp_path: Path, *answers: Answer) -> Page:
    out = tmp_path / "r.html"
    write_report(answers, out)
    return Page(out.read_text(encoding="utf-8"))


@pytest.mark.usefixtures("decoded")
def test_the_page_says_what_was_found_and_what_was_not(tmp_path: Path) -> None:
    page = written(tmp_path, answer("a dog", Moment(6.0, 9.0, 0.51), Moment(1.0, 3.5, 0.35)), answer("a penguin"))
    text = " ".join(" ".join(page.words).split())
    assert page.open == []
    assert "street & co.mp4" in text
    assert all(
        fact in text for fact in ("0:10.0", "640 \N{MULTIPLICATION SIGN} 320", "29.97 per second", "h264", "similarity")
    )
    assert "1 Frame at 0:07.5 0:06.0 0:09.0 3.0 s 0.510 2 Frame at 0:02.5 0:01.0 0:03.5 2.5 s 0.350" in text
    assert "Nothing found. The best score is 0.500; the model asks for 0.300 at least." in text


@pytest.mark.usefixtures("decoded")
def test_the_page_asks_nothing_of_the_network_and_runs_nothing(tmp_path: Path) -> None:
    page = written(tmp_path, answer("a dog", Moment(6.0, 9.0)))
    addresses = [*page.values("href"), *page.values("src")]
    assert addresses
    (played,) = (address for address in addresses if not address.startswith(("#", "data:")))
    assert played == f"./{quote(os.path.relpath('street & co.mp4', tmp_path))}#t=6.500,9.500"
    assert "url(" not in page.source
    assert "@import" not in page.source
    assert page.all("script") == []
    assert page.values("style") == []
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]


@pytest.mark.usefixtures("decoded")
def test_the_policy_allows_the_page_its_own_style_and_pictures_alone(tmp_path: Path) -> None:
    page = written(tmp_path, answer("a dog", Moment(6.0, 9.0)))
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    style = re.search(r"<style>(.*?)</style>", page.source, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert policy is not None
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


@pytest.mark.usefixtures("decoded")
def test_what_comes_from_outside_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    page = written(tmp_path, answer(EVIL, Moment(6.0, 9.0, label=EVIL), video=f"{EVIL.replace('/', '')}.mp4"))
    assert page.open == []
    assert page.all("script") == []
    assert "".join(page.words).count(EVIL) == 2


def test_the_video_is_decoded_once_for_strip_and_key_frames(tmp_path: Path, decoded: list[list[float]]) -> None:
    written(tmp_path, answer("a dog", Moment(6.0, 9.0)), answer("a cat", Moment(0.0, 2.0)), answer("a penguin"))
    (times_s,) = decoded
    assert times_s == sorted(set(times_s))
    assert {0.5, 7.5} <= set(times_s)


@pytest.mark.usefixtures("decoded")
def test_each_picture_is_held_once_and_is_the_frame_of_its_instant(tmp_path: Path) -> None:
    page = written(tmp_path, answer("a dog", Moment(6.0, 9.0)), answer("a cat", Moment(6.5, 8.5)))
    held = {symbol["id"]: image["href"] for symbol, image in zip(page.all("symbol"), page.all("image"), strict=True)}
    assert len(held) == 10
    used = [str(use["href"]).removeprefix("#") for use in page.all("use")]
    assert set(used) == set(held)
    # The second sentence's best moment is strongest in the eighth second, whose grey is 140.
    stills = [str(use["href"]) for use in page.all("use") if "x" not in use]
    href = held[stills[-1].removeprefix("#")]
    assert href is not None
    with Image.open(io.BytesIO(base64.b64decode(href.removeprefix("data:image/jpeg;base64,")))) as image:
        assert image.size == (360, 180)
        assert np.asarray(image).mean() == pytest.approx(140, abs=2)


@pytest.mark.usefixtures("decoded")
def test_drawings_have_words_and_links_have_targets(tmp_path: Path) -> None:
    page = written(tmp_path, answer("a dog", Moment(6.0, 9.0)), answer("a penguin"))
    assert all(svg.get("aria-label") for svg in page.all("svg") if svg.get("role") == "img")
    assert sum(svg.get("class") == "timeline" for svg in page.all("svg")) == 2
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {href.removeprefix("#") for href in page.values("href") if href.startswith("#")} <= set(ids)


@pytest.mark.usefixtures("decoded")
def test_a_model_without_curve_or_threshold_has_a_page_too(tmp_path: Path) -> None:
    moment = Moment(2.0, 4.0, -1.5)
    page = written(tmp_path, Answer("v.mp4", "a", 10.0, "m", (moment,)), Answer("v.mp4", "b", 10.0, "m", ()))
    text = " ".join(" ".join(page.words).split())
    assert "the frame at 0:03.0" in text
    assert "Nothing found." in text
    assert page.all("path") == []


@pytest.mark.usefixtures("decoded")
def test_the_words_that_were_looked_at_have_a_strip_each_with_a_title(tmp_path: Path) -> None:
    weights = np.array([[0.75, 0.0], [0.25, 1.0]])
    attention = Attention((EVIL, "dog"), np.array([2.5, 7.5]), weights, ("dilation1", "dilation2"))
    page = written(tmp_path, replace(answer("a dog", Moment(6.0, 9.0)), attention=attention), answer("a cat"))
    assert page.open == []
    assert page.all("script") == []
    assert page.values("style") == []
    labels = [label for label in page.values("aria-label") if "most at" in label]
    assert labels == [f"{EVIL}: most at 0:02.5 (75%), on average 38%", "dog: most at 0:07.5 (100%), on average 62%"]
    assert all(label in page.words for label in labels)
    cells = [(rect["x"], rect["width"], rect["fill-opacity"]) for rect in page.all("rect") if "fill-opacity" in rect]
    assert cells == [("0.0%", "50.0%", "0.8"), ("0.0%", "50.0%", "0.2"), ("50.0%", "50.0%", "1.0")]
    text = " ".join(" ".join(page.words).split())
    assert "strongest shade is 100 % of its attention; shared evenly, a word would have 50 %" in text
    assert "Mean of the layers that see every step: dilation1, dilation2." in text


def test_answers_of_several_videos_have_a_film_strip_and_facts_each(tmp_path: Path, decoded: list[list[float]]) -> None:
    answers = [answer("a dog", video="one/v.mp4"), answer("a dog", video="two/w.mp4")]
    write_report(answers, tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text("utf-8"))
    assert len(decoded) == 2
    (first,) = set(re.findall(r'<use href="#(\w+)" x="0.0%"', page.source))
    assert page.source.count(f'<use href="#{first}" x="0.0%"') == 2
    assert re.findall(r"<h[12][^>]*>([^<]*)", page.source) == ["a dog", "v.mp4", "w.mp4"]
    facts = dict(re.findall(r"<dt>(File|Videos)</dt><dd>([^<]*)", page.source))
    assert facts == {"Videos": "2", "File": "two/w.mp4"}
    # Both show the same pictures, which the page holds once.
    assert len(page.all("symbol")) == len({tag["href"] for tag in page.all("image")})
    write_report([*answers, answer("a cat", video="one/v.mp4")], tmp_path / "r.html")
    assert "<title>2 sentences: moments found</title>" in (tmp_path / "r.html").read_text("utf-8")


def test_what_is_no_page_is_refused(tmp_path: Path, decoded: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="one answer at least"):
        write_report([], tmp_path / "r.html")
    with pytest.raises(InputError, match=r"must end in \.html"):
        write_report([answer("a")], tmp_path / "r.txt")
    assert decoded == []
