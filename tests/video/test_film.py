"""Which stream of a file is the film; what is protected or no file is called so."""

from __future__ import annotations

import logging
import struct
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from typer.testing import CliRunner

from asst.cli.app import app
from asst.errors import InputError
from asst.video import Frames, frames, probe
from asst.video.source import Source

Make = Callable[..., Path]
Numbers = Callable[[Iterable[Frames]], list[int]]
NOTHING = Disposition(0)


def streams(path: Path, *kinds: tuple[str, int, Disposition]) -> Path:
    """A file of such streams: codec, pictures, marks. Stream ``i`` is of grey level ``60 * i``."""
    with av.open(str(path), "w") as out:
        made: list[Any] = [out.add_stream(codec, rate=10) for codec, _, _ in kinds]
        for stream, (codec, _, marks) in zip(made, kinds, strict=True):
            stream.width, stream.height, stream.disposition = 64, 48, marks
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(max(pictures for _, pictures, _ in kinds)):
            for index, (stream, (_, pictures, _)) in enumerate(zip(made, kinds, strict=True)):
                if number < pictures:
                    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 * index, np.uint8), format="rgb24")
                    frame.pts = number
                    out.mux(stream.encode(frame))
        for stream in made:
            out.mux(stream.encode(None))
    return path


FILM, STILL = "libx264", "mjpeg"


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize(
    ("kinds", "film", "choice"),
    [
        (((FILM, 30, NOTHING), (FILM, 20, Disposition.default)), 1, True),
        (((FILM, 20, Disposition.default), (FILM, 30, Disposition.default)), 1, True),
        (((FILM, 20, Disposition.default), (FILM, 20, Disposition.default)), 0, True),
        (((STILL, 1, NOTHING), (FILM, 20, NOTHING)), 1, False),
        (((STILL, 1, Disposition.default), (FILM, 20, NOTHING)), 1, False),
        (((FILM, 20, NOTHING), (STILL, 1, Disposition.attached_pic)), 0, False),
        (((FILM, 1, NOTHING),), 0, False),
    ],
)
def test_the_film_is_chosen_and_a_choice_told_once(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    suffix: str,
    kinds: tuple[tuple[str, int, Disposition], ...],
    film: int,
    choice: bool,
) -> None:
    path = streams(tmp_path / ("some" + suffix), *kinds)
    with caplog.at_level(logging.WARNING, "asst.video"):
        for _ in range(2):
            with Source(path) as source:
                assert source.stream.index == film
                source.rewind()
                assert source.stream.index == film
    assert len(caplog.records) == choice
    assert abs(int(next(frames(path)).pixels.mean()) - 60 * film) < 4


def test_the_stream_of_most_pictures_is_the_film_where_none_is_marked(tmp_path: Path, numbers: Numbers) -> None:
    path = streams(tmp_path / "many.ts", (FILM, 10, NOTHING), (FILM, 30, NOTHING), (FILM, 20, NOTHING))
    assert probe(path).duration_s == pytest.approx(3.0, abs=0.01)
    assert abs(int(next(frames(path)).pixels.mean()) - 60) < 4


def test_a_protected_video_is_called_encrypted(make: Make) -> None:
    key = {"encryption_key": "76a6c65c5ea762046bd749a2e632ccbb", "encryption_kid": "a7e61c373e219033c21091fa607bf3b8"}
    path = make("protected.mp4", container_options={"encryption_scheme": "cenc-aes-ctr", **key})
    with pytest.raises(InputError, match="is encrypted"):
        probe(path)


def element(name: bytes, body: bytes) -> bytes:
    """Of Matroska, its size in eight bytes."""
    return name + struct.pack(">Q", 1 << 56 | len(body)) + body


def inside(data: bytes, at: int) -> tuple[int, int]:
    """Where the body of the element begins and ends whose size stands at a place."""
    length = 9 - data[at].bit_length()
    begin = at + length
    return begin, begin + (int.from_bytes(data[at:begin]) & ((1 << 7 * length) - 1))


def with_encodings(path: Path, *bodies: bytes) -> Path:
    """Give the only track of a Matroska file that states no sizes such content encodings."""
    data = path.read_bytes()
    name = bytes.fromhex("1654ae6b")
    at = data.rindex(name)
    begin, end = inside(data, at + len(name))
    # A checksum of six bytes may be first.
    track = begin + 6 if data[begin] == 0xBF else begin
    track_begin, track_end = inside(data, track + 1)
    encodings = element(b"\x6d\x80", b"".join(element(b"\x62\x40", body) for body in bodies))
    tracks = element(data[track : track + 1], data[track_begin:track_end] + encodings) + data[track_end:end]
    path.write_bytes(data[:at] + element(name, tracks) + data[end:])
    return path


def encrypting(key: bytes) -> bytes:
    """A content encoding that encrypts all pictures, by AES."""
    return element(b"\x50\x33", b"\1") + element(b"\x50\x35", element(b"\x47\xe1", b"\5") + key)


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx264"), ("a.webm", "libvpx")])
def test_matroska_and_webm_with_a_key_are_called_encrypted(make: Make, name: str, codec: str) -> None:
    path = make(name, codec=codec, container_options={"live": "1"}, options={})
    probe(path)
    with pytest.raises(InputError, match="is encrypted"):
        probe(with_encodings(path, encrypting(element(b"\x47\xe2", b"0123456789abcdef"))))


@pytest.mark.parametrize("encodings", [[encrypting(b"")], [element(b"\x50\x34", b""), encrypting(b"")]])
def test_matroska_without_a_keys_name_or_with_more_encodings_is_called_encrypted(
    make: Make, tmp_path: Path, encodings: list[bytes]
) -> None:
    path, noise = tmp_path / "a.mkv", np.random.default_rng(0)
    with av.open(str(make("clear.mkv"))) as clear, av.open(str(path), "w", options={"live": "1"}) as out:
        copy = out.add_stream_from_template(clear.streams.video[0])
        for packet in clear.demux(video=0):
            if packet.size:
                hidden = av.Packet(noise.bytes(packet.size))
                hidden.pts, hidden.dts, hidden.time_base = packet.pts, packet.dts, packet.time_base
                hidden.stream, hidden.is_keyframe = copy, packet.is_keyframe
                out.mux(hidden)
    with pytest.raises(InputError, match="holds no picture that can be decoded"):
        probe(path)
    with pytest.raises(InputError, match="is encrypted"):
        probe(with_encodings(path, *encodings))


@pytest.mark.parametrize(
    ("identity", "fields"),
    [
        ("2211b3fb-bd23-11d2-b4b7-00a0c955fc6e", [b"secret", b"DRM\0", b"key\0", b"http://example.org\0"]),
        ("298ae614-2622-4c17-b935-dae07ee9289c", [b"secret"]),
    ],
)
def test_protected_windows_media_is_called_encrypted(make: Make, identity: str, fields: list[bytes]) -> None:
    path = make("a.wmv", codec="wmv2", options={})
    probe(path)
    data = path.read_bytes()
    body = b"".join(struct.pack("<I", len(part)) + part for part in fields)
    made = uuid.UUID(identity).bytes_le + struct.pack("<Q", 24 + len(body)) + body
    size, count = struct.unpack_from("<QI", data, 16)
    path.write_bytes(data[:16] + struct.pack("<QI", size + len(made), count + 1) + data[28:30] + made + data[30:])
    with pytest.raises(InputError, match="is encrypted"):
        probe(path)


def test_a_scrambled_broadcast_is_called_encrypted(make: Make) -> None:
    path = make("scrambled.ts")
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8).reshape(-1, 188).copy()
    identities = (data[:, 1].astype(int) & 0x1F) << 8 | data[:, 2]
    picture = identities == 256
    data[picture, 3] |= 0x80
    data[picture, 12:] = np.random.default_rng(0).integers(0, 256, (int(picture.sum()), 176))
    path.write_bytes(data.tobytes())
    with pytest.raises(InputError, match="is encrypted"):
        probe(path)


@pytest.mark.parametrize("words", [("locate", "URL", "a dog"), ("serve", "URL"), ("index", "URL", "--library", "lib")])
def test_an_address_is_answered_by_what_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    address = "https://example.org/films/dog.mp4"
    done = CliRunner().invoke(app, [address if word == "URL" else word for word in words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{address}: a video must be on a file system of this machine; files are wanted" in done.stderr
    with pytest.raises(InputError, match="files are wanted"):
        probe(address)
