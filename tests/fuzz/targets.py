"""The readers of what comes from outside, each with good inputs; a mutated one is read or refused, and nothing else."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from safetensors.numpy import save_file

from asst.cli.asking import sentences_of
from asst.data import read_actions, read_dataset
from asst.errors import InputError
from asst.features.stores.external import Timing, open_store
from asst.features.stores.native import Provenance, Store
from asst.features.values import Features
from asst.moments import Answer, Moment
from asst.outputs.json_lines import answer_record, as_lines, read_answers
from asst.outputs.table import write_table
from asst.text import understood
from asst.video import frames, probe

from ..library import fake_engine

Read = Callable[[Path, str, bytes], None]
"""Reads one input, given a folder to itself, the input's name and its content; raises an InputError to refuse it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A reader.

    Attributes:
        seeds: good inputs by name.
        read: what reads one of them, or one that was made of it.
    """

    seeds: Mapping[str, bytes]
    read: Read


def video(folder: Path, stack: ExitStack) -> Target:
    """Files of five containers, of which the length and the first pictures are asked."""
    seeds = {}
    for name in ("a.mp4", "a.mkv", "a.ts", "a.avi", "a.mov"):
        seeds[name] = fake_engine.make_video(folder / name, "rrggbbrg").read_bytes()

    def read(own: Path, name: str, content: bytes) -> None:
        (own / name).write_bytes(content)
        assert probe(own / name).duration_s > 0
        for batch in itertools.islice(frames(own / name, rate=2.0, size=(8, 8)), 4):
            assert batch.pixels.shape[1:] == (8, 8, 3)
            assert np.isfinite(batch.times_s).all()

    return Target(seeds, read)


_MOMENT = {"start_s": 1.0, "end_s": 2.5, "score": 0.5}
_OWN = {"video": "a", "duration": 10, "sentence": "a door opens", "moments": [[1, 2], [3, 4]], "id": "1"}
_DIDEMO = {
    "video": "a_b_c.mov",
    "description": "a dog",
    "times": [[1, 1], [0, 1]],
    "annotation_id": 1,
    "num_segments": 6,
}
_HIGHLIGHT = {"qid": 1, "query": "a dog", "duration": 150, "vid": "a", "relevant_windows": [[82, 150]]}
_CAPTIONS = {"a": {"duration": 55.1, "timestamps": [[0.2, 55.1], [13, 54]], "sentences": ["A dog.", "It runs."]}}
_TACOS = {"a.avi": {"timestamps": [[20, 48]], "sentences": ["he cuts"], "fps": 29.4, "num_frames": 1400}}
_CHARADES = 'id,script,actions,length\nABC12,"A person, sits",c077 12.10 18.00;c079 1 7,30.5\n'
_SPANS = {
    "video": "a",
    "duration": 64.0,
    "actions": [{"label": "Diving", "start_s": 12, "end_s": 16}],
    "ignored": [[30, 31]],
}
_ANSWER = {"video": "a", "query": "a dog", "duration_s": 9.0, "model": "m", "moments": [_MOMENT]}
_ANNOTATION = {
    "jsonlines/train.jsonl": json.dumps(_OWN) + "\n" + json.dumps({**_OWN, "id": "2"}),
    "didemo/train_data.json": json.dumps([_DIDEMO, {**_DIDEMO, "annotation_id": 2}]),
    "qvhighlights/highlight_train_release.jsonl": json.dumps(_HIGHLIGHT),
    "activitynet_captions/train.json": json.dumps(_CAPTIONS),
    "tacos/train.json": json.dumps(_TACOS),
    "charades_sta/charades_sta_test.txt": "ABC12 24.3 30.4##person turn a light on.\nABC12 1 2##a dog\n",
    "charades_sta/Charades_v1_test.csv": _CHARADES,
    "thumos14/annotations_test/Diving_test.txt": "video_test_1  0.0 1.4\nvideo_test_1 5 9\n",
    "thumos14/video_info.json": json.dumps({"video_test_1": {"duration": 20.5}}),
    "actions/train.jsonl": json.dumps(_SPANS),
    "answers/answers.jsonl": json.dumps(_ANSWER) + "\n" + json.dumps(_ANSWER),
}


def annotation(folder: Path, stack: ExitStack) -> Target:
    """Files of each data set, one of them damaged; and answers."""
    seeds = {name: text.encode() for name, text in _ANNOTATION.items()}

    def read(own: Path, name: str, content: bytes) -> None:
        kind = name.partition("/")[0]
        for other, good in seeds.items():
            if other.startswith(f"{kind}/"):
                (own / other).parent.mkdir(parents=True, exist_ok=True)
                (own / other).write_bytes(content if other == name else good)
        split = "test" if kind in ("charades_sta", "thumos14") else "train"
        if kind == "answers":
            as_lines(map(answer_record, read_answers(own / name)))
        elif kind in ("thumos14", "actions"):
            for entry in read_actions(kind, own / kind, split).videos:
                assert all(0 <= span.start_s < span.end_s <= entry.duration_s for span in entry.actions)
        else:
            for record in read_dataset(kind, own / kind, split).records:
                assert all(0 <= start_s < end_s <= record.duration_s for start_s, end_s in record.moments)

    return Target(seeds, read)


def features(folder: Path, stack: ExitStack) -> Target:
    """A store's own file, and the forms that the field publishes."""
    numbers = np.random.default_rng(0).random((6, 4), dtype=np.float32)
    Store(folder / "own").write("v", Features(numbers, 0.0, 0.5, "colours"), Provenance("p", "c", "w"))
    save_file({"x": numbers}, folder / "v.safetensors")
    np.save(folder / "v.npy", numbers)
    np.savez(folder / "v.npz", x=numbers)
    torch.save(torch.from_numpy(numbers), folder / "v.pt")
    with h5py.File(folder / "all.h5", "w") as file:
        file["v"] = numbers
    files = [*(folder / "own").glob("*.safetensors"), *folder.glob("v.*"), folder / "all.h5"]
    seeds = {str(file.relative_to(folder)): file.read_bytes() for file in files}

    def read(own: Path, name: str, content: bytes) -> None:
        path = own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        clock = None if name.startswith("own/") else Timing("colours", step_s=0.5)
        read = open_store(path if name.endswith(".h5") else path.parent, clock).read("v")
        assert len(read) > 0

    return Target(seeds, read)


def queries(folder: Path, stack: ExitStack) -> Target:
    """A file of sentences, whose answers are then printed."""
    text = "a dog runs\n\nun caf\u00e9\r\nthe girl's t-shirt doesn't fit\r\N{DOG FACE} jumps at 1.5 m\u2028now"
    seeds = {"q.txt": text.encode(), "bom.txt": b"\xef\xbb\xbf" + text.encode()}

    def read(own: Path, name: str, content: bytes) -> None:
        (own / name).write_bytes(content)
        asked = sentences_of([], str(own / name))
        answers = [
            Answer("v.mp4", query, 9.0, "m", (Moment(1.0, 2.0, 0.5, query),), understood=understood(query))
            for query in asked
        ]
        write_table(answers, io.StringIO())
        lines = as_lines(map(answer_record, answers)).split("\n")[:-1]
        assert [json.loads(line)["query"] for line in lines] == asked

    return Target(seeds, read)


_JSON = b"content-type: application/json\n\n"
_REQUESTS = {
    "search": b"POST /api/search\n" + _JSON + b'{"query": "red light", "top": 3, "in": "*.mp4", "min_score": 0.1}',
    "locate": b"POST /api/videos/{video}/locate\n" + _JSON + b'{"query": "red", "top": 2, "attention": true}',
    "correct": b"POST /api/corrections\n"
    + _JSON
    + b'{"video": "{video}", "query": "red", "verdict": "span", "start_s": 0, "end_s": 1}',
    "media": b"GET /api/videos/{video}/media\nrange: bytes=0-9,20-30\nif-range: x\n\n",
    "picture": b"GET /api/videos/{video}/picture?at_s=1.5\naccept: */*\n\n",
    "clip": b"GET /api/videos/{video}/clip?start_s=0.5&end_s=1.0&fast=true\norigin: http://127.0.0.1\n\n",
    "videos": b"GET /api/videos?offset=0&limit=5&name=a\nhost: localhost:80\n\n",
    "page": b"GET /static/style.css?1\nrange: bytes=-5\nif-none-match: x\n\n",
    "forget": b"DELETE /api/corrections/abc\norigin: http://127.0.0.1\n\n",
    "upload": b"POST /api/uploads?name=a%20b.mp4\ncontent-type: application/octet-stream\n\n",
}


def http(folder: Path, stack: ExitStack) -> Target:
    """Requests to the page's server, and what it answers."""
    from fastapi.testclient import TestClient

    from asst.library.index import index
    from asst.library.library import Library
    from asst.web.app import create_app
    from asst.web.served import Limits

    engine = fake_engine.FakeEngine()
    library = Library.made(folder / "library", engine.identity)
    film = fake_engine.make_video(folder / "a.mp4", "rrggbb")
    (done,) = index([film], library, engine)
    assert done.state == "indexed", done.reason
    (row,) = library.tables.videos()
    app = create_app(library, fake_engine.FakeEngine, Limits(upload_bytes=100_000, request_s=30.0))
    stack.enter_context(TestClient(app))
    seeds = {name: text.replace(b"{video}", row.content.encode()) for name, text in _REQUESTS.items()}
    seeds["upload"] += film.read_bytes()

    def read(own: Path, name: str, content: bytes) -> None:
        head, _, body = content.partition(b"\n\n")
        first, *lines = head.split(b"\n")
        method, _, target = first.partition(b" ")
        headers = [(key.strip().lower(), value.strip()) for key, _, value in (line.partition(b":") for line in lines)]
        status, kind, answer = asyncio.run(_asked(app, method.decode("latin-1"), target, headers, body))
        assert status < 500 or status == 503, f"{status}: {answer[:300]!r}"
        if status >= 400:
            assert kind.startswith(b"application/json"), f"{status}: {kind!r}"
            assert set(json.loads(answer)["error"]) == {"code", "message", "field"}
            raise InputError(str(status))

    return Target(seeds, read)


async def _asked(
    app: Any, method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes
) -> tuple[int, bytes, bytes]:
    """The status, the content type and the body of an answer."""
    from urllib.parse import unquote_to_bytes

    path, _, query = target.partition(b"?")
    given = dict(headers)
    given.setdefault(b"host", b"127.0.0.1")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": unquote_to_bytes(path).decode("utf-8", "replace") or "/",
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": list(given.items()),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Any] = []
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    kind = dict(sent[0]["headers"]).get(b"content-type", b"")
    return sent[0]["status"], kind, b"".join(message.get("body", b"") for message in sent[1:])


TARGETS: Mapping[str, Callable[[Path, ExitStack], Target]] = {
    "video": video,
    "annotation": annotation,
    "features": features,
    "queries": queries,
    "http": http,
}
