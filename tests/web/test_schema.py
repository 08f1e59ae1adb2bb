"""The OpenAPI document holds: whatever fits it or does not, the server answers as it says, and never fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from asst.library.library import Library
from asst.web.app import create_app
from asst.web.served import Limits


def test_answers_are_those_of_the_document(library: Library, fake: ModuleType) -> None:
    app = create_app(library, fake.FakeEngine, Limits(upload_bytes=1000), hosts=None)
    asked = attacked = 0
    with TestClient(app):
        for found in schemathesis.openapi.from_asgi("/api/openapi.json", app).get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]
            if operation.path.endswith("/events"):
                continue
            asked += 1
            _attack(operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
            # Where there is nothing to send, or any text is an id, nothing is wrong that could be sent.
            with suppress(Unsatisfiable):
                _attack(operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
                attacked += 1
    assert (asked, attacked) == (20, 14)


def _attack(cases: SearchStrategy[Any]) -> None:
    @given(cases)
    @settings(
        max_examples=5,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def attack(case: Any) -> None:
        case.call_and_validate(
            checks=[
                schemathesis.checks.not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ]
        )

    attack()


def test_every_operation_is_in_the_document(served: Callable[..., TestClient]) -> None:
    paths = served().get("/api/openapi.json").json()["paths"]
    operations = {f"{method.upper()} {path}" for path, own in paths.items() for method in own}
    assert operations == {
        "GET /api/status",
        "GET /api/videos",
        "POST /api/access",
        "POST /api/export",
        "GET /api/videos/{video}",
        "DELETE /api/videos/{video}",
        "GET /api/videos/{video}/media",
        "GET /api/videos/{video}/strip",
        "GET /api/videos/{video}/picture",
        "GET /api/videos/{video}/clip",
        "POST /api/videos/{video}/locate",
        "POST /api/search",
        "POST /api/uploads",
        "GET /api/jobs",
        "GET /api/jobs/{job}",
        "GET /api/jobs/{job}/events",
        "DELETE /api/jobs/{job}",
        "GET /api/corrections",
        "POST /api/corrections",
        "DELETE /api/corrections/{correction}",
        "GET /api/corrections.jsonl",
    }
