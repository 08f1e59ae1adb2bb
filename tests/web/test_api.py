"""The JSON of a library: asked as a program would, with what is wrong said in one shape."""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest
from fastapi.testclient import TestClient

from asst.data.readers import jsonlines
from asst.errors import InputError
from asst.library.index import index
from asst.library.library import Library
from asst.video import probe
from asst.web.served import Limits

Ids = Callable[[TestClient], dict[str, str]]
Finished = Callable[[TestClient, str], dict[str, object]]


def test_the_library_is_listed_by_name_without_folders(client: TestClient, tmp_path: Path) -> None:
    status = client.get("/api/status").json()
    assert (status["videos"], status["model"]) == (2, "default")
    assert status["hours"] == pytest.approx(8 / 3600, abs=1e-3)
    answer = client.get("/api/videos").json()
    assert [video["name"] for video in answer["videos"]] == ["sea.mp4", "traffic light.mp4"]
    assert str(tmp_path) not in client.get("/api/videos").text
    assert client.get("/api/videos", params={"offset": 1, "limit": 1}).json()["videos"] == answer["videos"][1:]
    named = client.get("/api/videos", params={"name": "LIGHT"}).json()
    assert named == {"total": 1, "hours": 5 / 3600, "videos": answer["videos"][1:]}
    assert client.get("/api/videos", params={"name": "videos/SEA"}).json()["videos"] == answer["videos"][:1]
    longest = client.get("/api/videos", params={"sort": "longest"}).json()["videos"]
    assert longest == answer["videos"][::-1]
    assert (longest[0]["folder"], longest[0]["uploaded"]) == ("videos", False)
    one = client.get(f"/api/videos/{answer['videos'][0]['id']}").json()
    code = {"first_frame": 0, "rate": 24.0, "drop_frame": False}
    assert one == answer["videos"][0] | {"start_s": 0.0, "rate": 2.0, "time_code": code}


def test_equal_files_are_one_video_that_is_found_by_either_name(
    client: TestClient, library: Library, tmp_path: Path, fake: ModuleType
) -> None:
    copy = tmp_path / "copies" / "ocean.mp4"
    copy.parent.mkdir()
    shutil.copy(tmp_path / "videos" / "sea.mp4", copy)
    assert [done.state for done in index([copy], library, fake.FakeEngine())] == ["copied"]
    assert client.get("/api/videos").json()["total"] == 2
    for name in ("ocean", "sea"):
        (one,) = client.get("/api/videos", params={"name": name}).json()["videos"]
        assert one["name"] == f"{name}.mp4"


def test_search_finds_the_moments_of_all_videos(client: TestClient) -> None:
    answer = client.post("/api/search", json={"query": "green light"}).json()
    (moment,) = answer["moments"]
    assert answer["found"] is True
    assert moment["video"]["name"] == "traffic light.mp4"
    assert (moment["start_s"], moment["end_s"]) == (2.0, 4.0)
    picture = client.get(moment["picture"])
    assert picture.headers["content-type"] == "image/jpeg"
    elsewhere = client.post("/api/search", json={"query": "green light", "in": "sea*"}).json()
    assert (elsewhere["found"], elsewhere["moments"]) == (False, [])
    assert elsewhere["best_score"] is None or elsewhere["best_score"] < 0.3


@pytest.mark.parametrize(
    ("query", "known"), [("green light", True), ("gr\u00fcnes Licht", False), ("\N{DOG FACE}", False)]
)
def test_whether_a_word_is_understood_is_said_beside_what_is_found(
    client: TestClient, videos: Ids, query: str, known: bool
) -> None:
    video = videos(client)["sea.mp4"]
    for path in ("/api/search", f"/api/videos/{video}/locate"):
        answer = client.post(path, json={"query": query, "attention": False} if "locate" in path else {"query": query})
        assert answer.json()["understood"] is known


def test_one_video_and_the_library_give_the_same_moments(client: TestClient, videos: Ids) -> None:
    own = videos(client)["traffic light.mp4"]
    asked = {"query": "red light", "curves": True}
    every = client.post("/api/search", json=asked).json()
    alone = client.post("/api/search", json=asked | {"video": own}).json()
    located = client.post(f"/api/videos/{own}/locate", json={"query": "red light"}).json()
    spans = [(moment["start_s"], moment["end_s"], moment["score"]) for moment in every["moments"]]
    assert len(spans) == 2
    for answer in (alone, located):
        assert [(moment["start_s"], moment["end_s"], moment["score"]) for moment in answer["moments"]] == spans
    assert every["curves"] == alone["curves"] == {own: located["curve"]}
    assert client.post("/api/search", json=asked | {"name": "sea"}).json()["moments"] == []


def test_a_video_is_removed_and_its_file_only_if_it_came_through_the_page(
    client: TestClient, library: Library, fake: ModuleType, tmp_path: Path, videos: Ids, finished: Finished
) -> None:
    content = fake.make_video(tmp_path / "grass.mp4", "gggg").read_bytes()
    kind = {"content-type": "application/octet-stream"}
    job = client.post("/api/uploads", params={"name": "grass.mp4"}, content=content, headers=kind).json()["job"]
    uploaded = str(finished(client, job["id"])["video"])
    ids = videos(client)
    (file, upload) = (Path(library.tables.videos(content=own)[0].path) for own in (ids["sea.mp4"], uploaded))
    for own in (ids["sea.mp4"], uploaded):
        assert client.delete(f"/api/videos/{own}").status_code == 204
        assert client.delete(f"/api/videos/{own}").status_code == 404
    assert (file.exists(), upload.exists()) == (True, False)
    assert list(videos(client)) == ["traffic light.mp4"]


def test_moments_of_two_videos_are_taken_away_in_their_order(client: TestClient, videos: Ids) -> None:
    ids = videos(client)
    moments = [
        {"video": ids["sea.mp4"], "start_s": 1.0, "end_s": 2.0, "query": "blue sea"},
        {"video": ids["traffic light.mp4"], "start_s": 2.0, "end_s": 4.0, "query": "green light", "score": 0.9},
    ]
    texts = {}
    for form in ("edl", "fcpxml", "otio", "csv"):
        answer = client.post("/api/export", json={"format": form, "moments": moments})
        assert f'filename="moments.{form}"' in answer.headers["content-disposition"]
        texts[form] = answer.text
        assert 0 < answer.text.index("sea") < answer.text.rindex("traffic"), form
    assert "00:00:01:00 00:00:02:00" in texts["edl"]
    srt = client.post("/api/export", json={"format": "srt", "moments": moments[1:]})
    assert srt.text == "1\n00:00:02,000 --> 00:00:04,000\ngreen light\n\n"
    two = client.post("/api/export", json={"format": "srt", "moments": moments})
    assert (two.status_code, two.json()["error"]["code"]) == (422, "bad_input")
    none = client.post("/api/export", json={"format": "csv", "moments": [moments[0] | {"start_s": 9.0, "end_s": 10.0}]})
    assert (none.status_code, none.json()["error"]["field"]) == (422, "moments")


def test_locate_shows_curve_and_words(client: TestClient, videos: Ids) -> None:
    video = videos(client)["traffic light.mp4"]
    answer = client.post(f"/api/videos/{video}/locate", json={"query": "green light"}).json()
    assert [(m["start_s"], m["end_s"]) for m in answer["moments"]] == [(2.0, 4.0)]
    assert answer["curve"]["times_s"] == [0.25 + 0.5 * k for k in range(10)]
    assert answer["curve"]["scores"].index(max(answer["curve"]["scores"])) in range(4, 8)
    words = answer["attention"]
    assert words["words"] == ["green", "light"]
    assert words["telling"] == [True, False]
    assert len(words["weights"]) == 2
    assert words["weights"][0].index(max(words["weights"][0])) in range(4, 8)
    plain = client.post(f"/api/videos/{video}/locate", json={"query": "green", "attention": False}).json()
    assert plain["attention"] is None


def test_the_file_is_sent_whole_and_in_parts(client: TestClient, library: Library, videos: Ids) -> None:
    video = videos(client)["sea.mp4"]
    (row,) = library.tables.videos(content=video)
    content = Path(row.path).read_bytes()
    whole = client.get(f"/api/videos/{video}/media")
    assert whole.content == content
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get(f"/api/videos/{video}/media", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(content)}"
    last = client.get(f"/api/videos/{video}/media", headers={"range": "bytes=-5"})
    assert (last.status_code, last.content) == (206, content[-5:])
    beyond = client.get(f"/api/videos/{video}/media", headers={"range": f"bytes={len(content)}-"})
    assert beyond.status_code == 416
    assert client.get(f"/api/videos/{video}/strip").content[:2] == b"\xff\xd8"


@pytest.mark.parametrize("fast", [False, True])
def test_a_clip_is_what_was_asked(client: TestClient, tmp_path: Path, fast: bool, videos: Ids) -> None:
    video = videos(client)["traffic light.mp4"]
    answer = client.get(f"/api/videos/{video}/clip", params={"start_s": 2, "end_s": 4, "fast": fast})
    assert answer.status_code == 200
    assert "traffic light 0m02.00s-0m04.00s.mp4" in answer.headers["content-disposition"]
    start_s, end_s = (float(answer.headers[f"x-clip-{name}-s"]) for name in ("start", "end"))
    assert start_s <= 2
    assert end_s >= 4
    out = tmp_path / "clip.mp4"
    out.write_bytes(answer.content)
    assert probe(out).duration_s == pytest.approx(end_s - start_s, abs=0.1)
    if not fast:
        assert (start_s, end_s) == (2, 4)


def test_an_upload_is_indexed_and_found(
    client: TestClient, tmp_path: Path, fake: ModuleType, library: Library, videos: Ids, finished: Finished
) -> None:
    content = fake.make_video(tmp_path / "grass.mp4", "gggg").read_bytes()
    sent = client.post(
        "/api/uploads",
        params={"name": "../my grass.mp4"},
        content=content,
        headers={"content-type": "application/octet-stream"},
    )
    assert sent.status_code == 202
    job = sent.json()["job"]
    assert job["name"] == "my grass.mp4"
    with client.stream("GET", f"/api/jobs/{job['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = [line for line in stream.iter_lines() if line.startswith("data:")]
    assert '"state":"done"' in events[-1]
    ended = finished(client, job["id"])
    assert ended["video"] == videos(client)["my grass.mp4"]
    found = client.post("/api/search", json={"query": "green"}).json()
    assert {moment["video"]["name"] for moment in found["moments"]} == {"my grass.mp4", "traffic light.mp4"}
    (row,) = library.tables.videos(content=str(ended["video"]))
    assert Path(row.path).is_relative_to(library.uploads)
    assert [own["id"] for own in client.get("/api/jobs").json()["jobs"]] == [job["id"]]


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("notes.txt", b"hello", 415, "not_a_video"),
        ("fake.mp4", b"hello, I am no video", 415, "not_a_video"),
        ("empty.mp4", b"", 422, "invalid"),
        ("large.mp4", b"x" * 5000, 413, "too_large"),
    ],
)
def test_uploads_that_are_no_videos_are_refused_and_leave_nothing(
    served: Callable[..., TestClient], library: Library, name: str, content: bytes, status: int, code: str
) -> None:
    client = served(Limits(upload_bytes=4000))
    kind = {"content-type": "application/octet-stream"}
    answer = client.post("/api/uploads", params={"name": name}, content=content, headers=kind)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert str(library.folder) not in answer.text
    chunks = client.post("/api/uploads", params={"name": name}, content=iter([content, b"y"]), headers=kind)
    assert chunks.status_code in (status, 415)
    assert not library.uploads.exists() or not list(library.uploads.iterdir())


def test_a_video_that_lasts_too_long_is_refused(
    served: Callable[..., TestClient], tmp_path: Path, fake: ModuleType
) -> None:
    client = served(Limits(upload_s=3.0))
    content = fake.make_video(tmp_path / "long.mp4", "rgrgrgrg").read_bytes()
    kind = {"content-type": "application/octet-stream"}
    answer = client.post("/api/uploads", params={"name": "long.mp4"}, content=content, headers=kind)
    assert answer.status_code == 413
    assert "long.mp4 lasts 4 s, more than 3" in answer.json()["error"]["message"]


def test_a_job_is_cancelled_while_it_runs(
    served: Callable[..., TestClient], tmp_path: Path, fake: ModuleType, library: Library, finished: Finished
) -> None:
    reading = threading.Event()

    class Slow(fake.FakeExtractor):  # type: ignore[misc, name-defined]
        def extract(self, video: Path, *, progress: Callable[[float, float], None]) -> Any:
            for done in range(1000):
                progress(done / 100, 10.0)
                reading.set()
                threading.Event().wait(0.01)

    engine = fake.FakeEngine()
    engine.extractor = Slow()
    client = served(engine=engine)
    content = fake.make_video(tmp_path / "a.mp4", "rgbr").read_bytes()
    kind = {"content-type": "application/octet-stream"}
    uploads = [
        client.post("/api/uploads", params={"name": name}, content=content + end, headers=kind)
        for name, end in (("a.mp4", b""), ("b.mp4", b"\0" * 8))
    ]
    assert [upload.status_code for upload in uploads] == [202, 202], [upload.text for upload in uploads]
    first, second = (upload.json()["job"]["id"] for upload in uploads)
    assert reading.wait(5)
    assert client.get(f"/api/jobs/{first}").json()["state"] == "running"
    assert client.delete(f"/api/jobs/{second}").json()["state"] == "cancelled"
    client.delete(f"/api/jobs/{first}")
    assert finished(client, first)["state"] == "cancelled"
    assert len(library.tables.videos()) == 2
    assert not list(library.uploads.iterdir())


def test_corrections_are_kept_exported_and_forgotten(
    client: TestClient, library: Library, tmp_path: Path, videos: Ids
) -> None:
    video = videos(client)["traffic light.mp4"]
    proposed = {"start_s": 2.0, "end_s": 4.0, "score": 0.9}
    body = {
        "video": video,
        "query": "green  light",
        "verdict": "span",
        "start_s": 1.5,
        "end_s": 4.25,
        "proposed": proposed,
    }
    made = client.post("/api/corrections", json=body)
    assert made.status_code == 201
    again = client.post("/api/corrections", json={**body, "end_s": 4.5}).json()
    other = {"verdict": "wrong", "start_s": 0, "end_s": 1, "proposed": None}
    wrong = client.post("/api/corrections", json=body | other).json()
    right = client.post("/api/corrections", json={**body, "query": "red", "verdict": "right", "start_s": 0, "end_s": 2})
    kept = client.get("/api/corrections", params={"video": video}).json()["corrections"]
    assert [own["id"] for own in kept] == [again["id"], wrong["id"], right.json()["id"]]
    assert kept[0]["query"] == "green light"
    exported = client.get("/api/corrections.jsonl")
    assert exported.headers["x-left-out"] == "1"
    path = tmp_path / "corrections.jsonl"
    path.write_text(exported.text)
    records = jsonlines.read(path, "train").strict().records
    assert [(r.video, r.sentence, r.moments) for r in records] == [
        (video, "green light", ((1.5, 4.5),)),
        (video, "red", ((0.0, 2.0),)),
    ]
    found = client.post("/api/search", json={"query": "green light"}).json()["moments"]
    assert [(own["start_s"], own["end_s"], own["score"], own["found"], own["said"]["verdict"]) for own in found] == [
        (1.5, 4.5, 1.0, True, "span"),
        (0.0, 1.0, 0.0, False, "wrong"),
    ]
    assert found[0]["said"]["proposed"] == proposed
    # A moment is right or wrong, and never both.
    judged = client.post("/api/corrections", json=body | {"verdict": "wrong", "start_s": 2.0, "end_s": 4.0}).json()
    assert len(client.get("/api/corrections.jsonl").text.splitlines()) == 1
    again = client.post("/api/corrections", json={**body, "end_s": 4.5}).json()
    assert client.delete(f"/api/corrections/{judged['id']}").status_code == 404
    assert client.delete(f"/api/corrections/{again['id']}").status_code == 204
    assert client.delete(f"/api/corrections/{again['id']}").status_code == 404
    assert len(client.get("/api/corrections").json()["corrections"]) == 2
    assert library.corrections.exists()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("GET", "/nothing", None, 404, "not_found", None),
        ("GET", "/api/videos/" + "0" * 64, None, 404, "not_found", None),
        ("GET", "/api/videos/..%2F..%2Fetc%2Fpasswd", None, 404, "not_found", None),
        ("GET", "/api/videos/%2e%2e", None, 422, "invalid", "video"),
        ("GET", "/static/../app.py", None, 404, "not_found", None),
        ("GET", "/static/%2e%2e/app.py", None, 404, "not_found", None),
        ("GET", "/api/jobs/none", None, 404, "not_found", None),
        ("PUT", "/api/search", {}, 405, "method_not_allowed", None),
        ("POST", "/api/search", {}, 422, "invalid", "query"),
        ("POST", "/api/search", {"query": "  "}, 422, "invalid", "query"),
        ("POST", "/api/search", {"query": "x" * 600}, 422, "invalid", "query"),
        ("POST", "/api/search", {"query": "red", "top": 0}, 422, "invalid", "top"),
        ("POST", "/api/search", {"query": "red", "path": "/etc"}, 422, "invalid", "path"),
        ("POST", "/api/search", {"query": "red", "in": "none*"}, 422, "bad_input", None),
        ("GET", "/api/videos/{video}/clip?start_s=3&end_s=2", None, 422, "invalid", "end_s"),
        ("GET", "/api/videos/{video}/clip?start_s=nan&end_s=2", None, 422, "invalid", "start_s"),
        ("GET", "/api/videos/{video}/picture", None, 422, "invalid", "at_s"),
        ("POST", "/api/corrections", {"video": "0" * 64}, 422, "invalid", "query"),
    ],
)
def test_what_is_wrong_is_said_in_one_shape(
    client: TestClient, method: str, path: str, body: object, status: int, code: str, field: str | None, videos: Ids
) -> None:
    path = path.replace("{video}", videos(client)["sea.mp4"])
    answer = client.request(method, path, json=body) if body is not None else client.request(method, path)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "field"}
    assert (error["code"], error["field"]) == (code, field)
    assert "Traceback" not in answer.text
    assert "\n" not in error["message"]


def test_a_body_that_is_no_json_is_said_to_be_none_and_no_field_of_it_at_fault(client: TestClient) -> None:
    answer = client.post("/api/search", content=b'{"query": ', headers={"content-type": "application/json"})
    error = {"code": "invalid", "message": "the body is no JSON: Expecting value", "field": None}
    assert (answer.status_code, answer.json()) == (422, {"error": error})


def test_a_span_outside_the_video_is_told_as_it_was_asked(client: TestClient, videos: Ids) -> None:
    answer = client.get(f"/api/videos/{videos(client)['sea.mp4']}/clip?start_s=20&end_s=21")
    assert answer.json()["error"]["message"] == "20 to 21 s is no span of sea.mp4, of 3 s"


def test_a_file_that_is_gone_is_said_to_be(client: TestClient, library: Library, videos: Ids) -> None:
    video = videos(client)["sea.mp4"]
    (row,) = library.tables.videos(content=video)
    Path(row.path).unlink()
    answer = client.get(f"/api/videos/{video}/media")
    assert answer.status_code == 404
    message = "sea.mp4 is no longer where it was indexed; index the folder that it is in now"
    assert answer.json()["error"]["message"] == message


def test_other_sites_may_change_nothing(client: TestClient) -> None:
    body = {"query": "red"}
    assert client.post("/api/search", json=body, headers={"origin": "http://127.0.0.1:8000"}).status_code == 200
    for headers, status, code in (
        ({"origin": "https://evil.example"}, 403, "other_origin"),
        ({"origin": "null"}, 403, "other_origin"),
        ({"origin": "http://[broken"}, 403, "other_origin"),
        ({"host": "evil.example"}, 400, "unknown_host"),
    ):
        answer = client.post("/api/search", json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    form = client.post("/api/search", data={"query": "red"})
    assert (form.status_code, form.json()["error"]["code"]) == (415, "body_type")
    assert client.get("/api/videos", headers={"host": "evil.example:8000"}).status_code == 400


def test_every_answer_carries_the_policy(client: TestClient) -> None:
    for path in ("/", "/api/videos", "/nothing", "/static/style.css"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    page = client.get("/").text
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_too_many_at_once_and_too_slow_are_turned_away(served: Callable[..., TestClient], fake: ModuleType) -> None:
    go_on = threading.Event()

    class Stuck(fake.FakeEngine):  # type: ignore[misc, name-defined]
        def rank(self, *args: Any, **kwargs: Any) -> Any:
            go_on.wait(10)
            return super().rank(*args, **kwargs)

    client = served(Limits(at_once=1, waiting=1, request_s=0.3), Stuck())
    answers: list[tuple[int, str]] = []

    def ask() -> None:
        answer = client.post("/api/search", json={"query": "red"})
        answers.append((answer.status_code, answer.json()["error"]["code"]))
        assert int(answer.headers["retry-after"]) > 0

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [(503, "busy"), (503, "busy"), (503, "timeout"), (503, "timeout")]
    assert client.get("/api/status").status_code == 200
    go_on.set()


def test_the_page_is_there_before_the_model(library: Library, fake: ModuleType) -> None:
    from asst.web.app import create_app

    ready = threading.Event()

    def load() -> Any:
        ready.wait(10)
        return fake.FakeEngine()

    with TestClient(create_app(library, load), base_url="http://127.0.0.1") as client:
        assert client.get("/").status_code == 200
        assert client.get("/api/status").json()["ready"] is False
        ready.set()
        assert client.post("/api/search", json={"query": "blue"}).json()["found"] is True
        assert client.get("/api/status").json()["ready"] is True


def test_a_full_disk_is_an_answer_that_names_no_folder(
    client: TestClient, videos: Ids, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(library.folder))

    video = videos(client)["traffic light.mp4"]
    body = {"video": video, "query": "red", "verdict": "right", "start_s": 0, "end_s": 2}
    monkeypatch.setattr("asst.atomic.Path.mkdir", full)
    for answer in (
        client.post(
            "/api/uploads",
            params={"name": "a.mp4"},
            content=b"a video",
            headers={"content-type": "application/octet-stream"},
        ),
        client.post("/api/corrections", json=body),
    ):
        message = "the server cannot write: No space left on device; free space or name another folder"
        assert (answer.status_code, answer.json()["error"]) == (
            507,
            {"code": "unwritable", "message": message, "field": None},
        )


def test_what_cannot_be_done_with_a_file_names_no_folder(
    client: TestClient, videos: Ids, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(path: str, first_s: float, last_s: float, out: Path, *, exact: bool) -> NoReturn:
        raise InputError(f"cannot write the clip of {path} to {out}")

    monkeypatch.setattr("asst.web.videos.cut", cut)
    answer = client.get(f"/api/videos/{videos(client)['sea.mp4']}/clip?start_s=0&end_s=1")
    assert answer.status_code == 422
    assert re.fullmatch(r"cannot write the clip of sea\.mp4 to \w+\.mp4", answer.json()["error"]["message"])


def test_a_name_that_is_not_utf_8_is_shown(
    library: Library, fake: ModuleType, served: Callable[..., TestClient], tmp_path: Path
) -> None:
    odd = fake.make_video(tmp_path / "c.mp4", "bbgg").rename(tmp_path / os.fsdecode(b"caf\xe9.mp4"))
    assert [done.state for done in index([odd], library, fake.FakeEngine())] == ["indexed"]
    client = served()
    names = [video["name"] for video in client.get("/api/videos").json()["videos"]]
    assert names == ["caf\ufffd.mp4", "sea.mp4", "traffic light.mp4"]
    moments = client.post("/api/search", json={"query": "green"}).json()["moments"]
    assert "caf\ufffd.mp4" in {moment["video"]["name"] for moment in moments}
    odd.unlink()
    gone = next(v["media"] for v in client.get("/api/videos").json()["videos"] if v["name"].startswith("caf"))
    assert client.get(gone).json()["error"]["message"].startswith("caf\ufffd.mp4 is no longer where it was indexed")
