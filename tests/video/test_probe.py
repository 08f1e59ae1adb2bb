"""Probe: the facts of a file, and one clear line for each file that is none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from asst.errors import InputError
from asst.video import VideoInfo, cut, frames, probe

Make = Callable[..., Path]


def test_facts(make: Make) -> None:
    info = probe(make("facts.mp4", beep_s=(0.0, 1.0)))
    assert info.duration_s == pytest.approx(2.4)
    assert (info.width, info.height, info.rate) == (160, 96, Fraction(25))
    assert (info.codec, info.has_audio) == ("h264", True)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_clock_that_starts_late(make: Make, suffix: str) -> None:
    info = probe(make("late" + suffix, ticks=list(range(250, 310)), options={"bf": "2"}))
    assert info.start_s == pytest.approx(10.0 + (0.08 if suffix == ".ts" else 0.0), abs=0.1)
    assert info.duration_s == pytest.approx(2.4, abs=0.002)


def test_a_length_that_no_header_states_is_found(make: Make) -> None:
    path = make("streamed.mkv", ticks=list(range(100)), container_options={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None
    assert probe(path).duration_s == pytest.approx(4.0, abs=0.002)


def test_real_videos(shared_data: Path) -> None:
    lines = (shared_data / "real" / "annotations.jsonl").read_text().splitlines()
    stated = {record["video"]: record["duration"] for record in map(json.loads, lines)}
    assert len(stated) == 12
    for name, duration_s in stated.items():
        path = shared_data / "real" / name
        info = probe(path)
        assert info.duration_s == pytest.approx(duration_s, abs=0.25), name
        batches = list(frames(path, rate=2, size=(32, 32)))
        times = np.concatenate([batch.times_s for batch in batches])
        np.testing.assert_allclose(times, np.arange(np.ceil(info.duration_s * 2 - 1e-6)) / 2)
        assert all(np.ptp(batch.pixels) > 20 for batch in batches), name


def one_line(error: pytest.ExceptionInfo[InputError], path: Path) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def bad_files(folder: Path, video: bytes) -> dict[str, tuple[Path, str]]:
    """Each bad file with a word its message must have."""
    made = {name: folder / name for name in ("empty.mp4", "text.txt", "text.mp4", "headless.mp4", "stub.mkv", "s.srt")}
    made["empty.mp4"].write_bytes(b"")
    made["text.txt"].write_text("just words\n" * 500)
    made["text.mp4"].write_text("just words\n" * 500)
    made["headless.mp4"].write_bytes(video[: len(video) // 2])
    made["stub.mkv"].write_bytes(b"\x1a\x45\xdf\xa3" + bytes(200))
    made["s.srt"].write_text("1\n00:00:01,000 --> 00:00:02,000\nwords\n")
    return {
        "missing": (folder / "nothing.mp4", "no such video"),
        "folder": (folder, "is a folder"),
        "empty": (made["empty.mp4"], "is empty"),
        "text": (made["text.txt"], "video"),
        "renamed": (made["text.mp4"], "cannot read"),
        "headless": (made["headless.mp4"], "cut short"),
        "stub": (made["stub.mkv"], "check that it plays"),
        "subtitles": (made["s.srt"], "no picture"),
    }


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "renamed", "headless", "stub", "subtitles"])
def test_bad_files_get_one_line(make: Make, tmp_path: Path, kind: str) -> None:
    path, word = bad_files(tmp_path, make("whole.mp4").read_bytes())[kind]
    with pytest.raises(InputError, match=word) as error:
        probe(path)
    assert word in one_line(error, path)
    with pytest.raises(InputError, match=word):
        frames(path)
    with pytest.raises(InputError, match=word):
        cut(path, 0.0, 1.0, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with pytest.raises(InputError, match="has no picture") as error:
        probe(path)
    one_line(error, path)


def test_a_still_image_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    with av.open(str(path), "w", format="image2") as out:
        stream = out.add_stream("png", rate=1)
        stream.codec_context.width, stream.codec_context.height, stream.codec_context.pix_fmt = 32, 32, "rgb24"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")))
        out.mux(stream.encode(None))
    with pytest.raises(InputError, match="not a video") as error:
        probe(path)
    one_line(error, path)


def test_a_file_that_may_not_be_read(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("secret.mp4")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(InputError, match="may not be read") as error:
        probe(path)
    one_line(error, path)


def test_a_playlist_reaches_no_other_file(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "list.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(InputError, match="cannot read"):
        probe(path)


def test_names_with_colons_and_percent_signs_are_files(make: Make) -> None:
    assert probe(make("a: 50%03d [x].mp4")).duration_s == pytest.approx(2.4)


def test_importing_does_not_load_the_decoder() -> None:
    code = "import sys, asst, asst.video; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_impossible_facts_are_refused(make: Make) -> None:
    info = probe(make("facts.mp4"))
    facts = {name: getattr(info, name) for name in info.__dataclass_fields__}
    wrongs: list[dict[str, object]] = [{"width": 0}, {"duration_s": 0.0}, {"rate": Fraction(0)}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="video"):
            VideoInfo(**(facts | wrong))


def test_pictures_that_last_no_time_are_damage(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("still.avi")
    # The function of that name hides the module.
    monkeypatch.setattr(sys.modules["asst.video.probe"], "_duration_s", lambda source: 0.0)
    with pytest.raises(InputError, match="last no time"):
        probe(path)


def test_a_kind_that_is_no_text_is_refused(make: Make) -> None:
    path = make("kind.mp4", codec="libx264")
    content = path.read_bytes()
    assert b"avc1" in content
    path.write_bytes(content.replace(b"avc1", b"\xffvc1"))
    with pytest.raises(InputError, match="cannot be decoded here") as error:
        probe(path)
    one_line(error, path)
