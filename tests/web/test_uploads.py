"""Uploads that go wrong, or bring what is there: what stays on the disk, and what is answered."""

from __future__ import annotations

import asyncio
import errno
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from asst.errors import InputError
from asst.library.folder import SharedLock
from asst.library.library import Library
from asst.web.app import create_app
from asst.web.served import Limits
from asst.web.uploads import safe_name

BYTES = {"content-type": "application/octet-stream"}
Finished = Callable[[TestClient, str], dict[str, object]]


def send(client: TestClient, name: str, content: Any) -> Any:
    return client.post("/api/uploads", params={"name": name}, content=content, headers=BYTES)


@pytest.mark.parametrize("letter", ["a", "é", "日", "\N{GRINNING FACE}", "e\u0301", "ก้"])
@pytest.mark.parametrize("length", [1, 63, 82, 120, 124, 249])
def test_a_name_is_as_long_as_a_file_system_takes_and_no_letter_is_cut(
    letter: str, length: int, tmp_path: Path
) -> None:
    name = safe_name(letter * length + ".mp4")
    assert len(name.encode()) <= 255
    (tmp_path / name).touch()
    count = min(length, (255 - len(".mp4")) // len(letter.encode()))
    assert name == letter * count + ".mp4"


@pytest.mark.parametrize("letter", ["日", "a", "\N{GRINNING FACE}"])
def test_an_upload_with_a_long_name_is_taken(
    client: TestClient, library: Library, tmp_path: Path, fake: ModuleType, finished: Finished, letter: str
) -> None:
    content = fake.make_video(tmp_path / "g.mp4", "gggg").read_bytes()
    sent = send(client, letter * 400 + ".mp4", content)
    assert sent.status_code == 202, sent.text
    assert finished(client, sent.json()["job"]["id"])["state"] == "done"
    (kept,) = library.uploads.rglob("*.mp4")
    assert kept.name.startswith(letter)


def test_one_file_sent_again_while_it_waits_is_one_job_and_one_file(
    library: Library, tmp_path: Path, fake: ModuleType, finished: Finished
) -> None:
    ready = threading.Event()

    def load() -> Any:
        ready.wait(10)
        return fake.FakeEngine()

    content, other = (fake.make_video(tmp_path / "g.mp4", colours).read_bytes() for colours in ("gggg", "bggb"))
    with TestClient(create_app(library, load), base_url="http://127.0.0.1") as client:
        jobs = [send(client, f"{number}.mp4", content).json()["job"]["id"] for number in range(4)]
        assert len(set(jobs)) == 1
        assert [file.name for file in library.uploads.rglob("*.*")] == ["0.mp4"]
        assert send(client, "other.mp4", other).json()["job"]["id"] not in jobs
        client.delete(f"/api/jobs/{jobs[0]}")
        assert send(client, "5.mp4", content).json()["job"]["id"] not in jobs
        ready.set()
        assert {str(job["name"]) for job in client.get("/api/jobs").json()["jobs"]} == {"0.mp4", "other.mp4", "5.mp4"}


@pytest.fixture
def killed(library: Library, tmp_path: Path, fake: ModuleType) -> list[Path]:
    """Uploads that were whole, or half there, when a server was killed that had not yet read them."""
    aside, never = tmp_path / "aside", threading.Event()
    content, other = (fake.make_video(tmp_path / "g.mp4", colours).read_bytes() for colours in ("gggg", "bggb"))

    def load() -> Any:
        never.wait(60)
        raise InputError("no model, so that nothing is read")

    with TestClient(create_app(library, load), base_url="http://127.0.0.1") as client:
        assert send(client, "one.mp4", content).status_code == send(client, "two.mp4", other).status_code == 202
        # What a server that ends in order takes away, and one that is killed does not.
        shutil.copytree(library.uploads, aside)
        never.set()
    shutil.rmtree(library.uploads)
    aside.rename(library.uploads)
    half = library.uploads / "half" / ".upload.part"
    half.parent.mkdir()
    half.write_bytes(content[:100])
    return sorted(library.uploads.rglob("*.mp4"), key=lambda path: path.name)


def test_what_waited_when_a_server_was_killed_is_indexed_by_the_next(
    library: Library, killed: list[Path], served: Callable[..., TestClient], finished: Finished
) -> None:
    client = served()
    jobs = client.get("/api/jobs").json()["jobs"]
    assert {job["name"] for job in jobs} == {"one.mp4", "two.mp4"}
    assert {finished(client, job["id"])["message"] for job in jobs} == {"in the library"}
    assert {str(path) for path in killed} <= {video.path for video in library.tables.videos()}
    assert not (library.uploads / "half").exists()
    # What is indexed is not taken up again, nor by a server beside this one.
    assert served().get("/api/jobs").json() == {"jobs": []}


def test_what_waits_for_one_server_is_left_to_it_by_another(
    library: Library, killed: list[Path], served: Callable[..., TestClient]
) -> None:
    with SharedLock(library.uploads_lock) as other:
        other.share()
        assert served().get("/api/jobs").json() == {"jobs": []}
    assert all(path.exists() for path in killed)
    assert (library.uploads / "half").exists()


def test_an_upload_that_was_removed_does_not_come_back(
    library: Library, tmp_path: Path, fake: ModuleType, finished: Finished
) -> None:
    content = fake.make_video(tmp_path / "g.mp4", "gggg").read_bytes()
    with TestClient(create_app(library, fake.FakeEngine), base_url="http://127.0.0.1") as client:
        finished(client, send(client, "g.mp4", content).json()["job"]["id"])
    (kept,) = library.uploads.rglob("g.mp4")
    library.remove(library.tables.videos(path=str(kept)))
    with TestClient(create_app(library, fake.FakeEngine), base_url="http://127.0.0.1") as client:
        assert client.get("/api/jobs").json() == {"jobs": []}
    assert kept.exists()


def test_an_upload_to_a_library_named_by_a_relative_path_is_known_as_one_and_its_file_goes_with_it(
    library: Library, tmp_path: Path, fake: ModuleType, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = fake.make_video(tmp_path / "g.mp4", "gggg").read_bytes()
    monkeypatch.chdir(library.folder.parent)
    relative = Library(library.folder.name)
    with TestClient(create_app(relative, fake.FakeEngine), base_url="http://127.0.0.1") as client:
        id = finished(client, send(client, "g.mp4", content).json()["job"]["id"])["video"]
        video = client.get(f"/api/videos/{id}").json()
        assert (video["uploaded"], video["folder"]) == (True, "")
        assert client.delete(f"/api/videos/{id}").status_code == 204
    assert not list(library.uploads.rglob("g.mp4"))


def test_what_the_library_has_is_not_kept_twice(
    client: TestClient, library: Library, tmp_path: Path, fake: ModuleType, finished: Finished
) -> None:
    content = fake.make_video(tmp_path / "g.mp4", "gggg").read_bytes()
    first = finished(client, send(client, "0.mp4", content).json()["job"]["id"])
    again = [finished(client, send(client, f"{number}.mp4", content).json()["job"]["id"]) for number in range(3)]
    assert {job["state"] for job in (first, *again)} == {"done"}
    assert [job["message"] for job in (first, *again)] == ["in the library", *["was in the library already"] * 3]
    assert {job["video"] for job in again} == {first["video"]}
    (kept,) = library.uploads.iterdir()
    assert [file.name for file in kept.iterdir()] == ["0.mp4"]
    assert len(library.tables.videos()) == 3

    # One whose file was indexed from elsewhere goes too; one whose file is gone stays.
    original = next(Path(video.path) for video in library.tables.videos() if video.path.endswith("sea.mp4"))
    sea = original.read_bytes()
    finished(client, send(client, "again.mp4", sea).json()["job"]["id"])
    assert len(list(library.uploads.iterdir())) == 1
    original.unlink()
    finished(client, send(client, "again.mp4", sea).json()["job"]["id"])
    assert len(list(library.uploads.rglob("again.mp4"))) == 1


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [(errno.ENOSPC, 507, "unwritable"), (errno.EDQUOT, 507, "unwritable"), (errno.EROFS, 507, "unwritable")],
)
@pytest.mark.parametrize("place", ["mkdir", "open", "rename"])
def test_a_disk_that_takes_no_more_is_said_and_nothing_stays(
    client: TestClient,
    library: Library,
    tmp_path: Path,
    fake: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    status: int,
    code: str,
    place: str,
) -> None:
    content = fake.make_video(tmp_path / "g.mp4", "gggg").read_bytes()

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(number, "no more")

    with monkeypatch.context() as patched:
        patched.setattr(Path, place, full)
        answer = send(client, "g.mp4", content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not library.uploads.exists() or not list(library.uploads.iterdir())


def test_a_disk_that_fills_while_it_is_written_is_said(client: TestClient, library: Library) -> None:
    real = Path.open

    def full(path: Path, *words: Any, **options: Any) -> Any:
        return real(Path("/dev/full") if path.suffix == ".part" else path, *words, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "open", full)
        answer = send(client, "g.mp4", b"x" * 100_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "unwritable")
    assert not list(library.uploads.iterdir())


def broken_off(app: FastAPI, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """What an application sends to a client of which only so much comes; then it is silent."""
    left = list(messages)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.sleep(3600)
        return left.pop(0)

    async def answer(message: Any) -> None:
        sent.append(dict(message))

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/octet-stream"), (b"content-length", b"1000")]
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/api/uploads"}
    rest = {"raw_path": b"/api/uploads", "query_string": b"name=a.mp4", "root_path": "", "headers": headers}
    asyncio.run(app({**scope, **rest, "asgi": {"version": "3.0"}}, receive, answer))
    return sent


@pytest.mark.parametrize(
    ("last", "status", "code"),
    [([{"type": "http.disconnect"}], 400, "cut_off"), ([], 408, "stalled")],
)
def test_an_upload_that_is_cut_off_or_stands_still_leaves_nothing(
    served: Callable[..., TestClient], library: Library, last: list[dict[str, Any]], status: int, code: str
) -> None:
    client = served(Limits(stalled_s=0.1))
    started, *bodies = broken_off(client.app, {"type": "http.request", "body": b"x" * 10, "more_body": True}, *last)  # type: ignore[arg-type]
    assert started["status"] == status
    assert f'"code":"{code}"'.encode() in b"".join(body["body"] for body in bodies)
    assert not list(library.uploads.iterdir())


def test_a_clip_that_nobody_waits_for_leaves_no_file(
    served: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch, videos: Callable[[TestClient], dict[str, str]]
) -> None:
    go_on, done = threading.Event(), threading.Event()
    import asst.video

    real = asst.video.cut

    def slow(*words: Any, **options: Any) -> Any:
        go_on.wait(10)
        report = real(*words, **options)
        done.set()
        return report

    monkeypatch.setattr("asst.web.videos.cut", slow)
    client = served(Limits(encode_s=0.2))
    clips = client.app.state.served.clips  # type: ignore[attr-defined]
    video = videos(client)["sea.mp4"]
    answer = client.get(f"/api/videos/{video}/clip", params={"start_s": 0, "end_s": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "timeout")
    go_on.set()
    assert done.wait(10)
    for _ in range(200):
        if not list(clips.iterdir()):
            break
        threading.Event().wait(0.02)
    assert not list(clips.iterdir())
    # One that is sent goes as well.
    assert client.get(f"/api/videos/{video}/clip", params={"start_s": 0, "end_s": 1}).status_code in (200, 503)
