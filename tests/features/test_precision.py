"""The number format: never one that the processor has to emulate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from asst.features.precision import fastest_device, fastest_dtype


@pytest.fixture(autouse=True)
def measured_anew() -> Iterator[None]:
    fastest_dtype.cache_clear()
    yield
    fastest_dtype.cache_clear()


@pytest.mark.parametrize("capability", ["DEFAULT", "NO AVX", "AVX2"])
def test_a_processor_without_half_precision_is_not_measured(capability: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if fastest_device() != "cpu":
        pytest.skip("a graphics card decides")

    def refuses(*_: object, **__: object) -> torch.Tensor:
        raise AssertionError("a product was computed")

    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch, "ones", refuses)
    assert fastest_dtype() == torch.float32


def test_one_that_may_have_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.dtype] = []
    ones = torch.ones
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(torch, "ones", lambda *size, dtype, device: made.append(dtype) or ones(*size, dtype=dtype))  # type: ignore[func-returns-value]
    assert fastest_dtype() in (torch.float32, torch.bfloat16)
    assert set(made) == {torch.float32, torch.bfloat16}
