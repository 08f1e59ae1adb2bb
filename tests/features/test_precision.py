"""The number format: never one that the processor has to emulate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from asst.features.runtime import fastest_device, fastest_dtype
from asst.features.stores.native import Provenance, Store
from asst.features.values import Features


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


def test_the_header_says_which_and_both_are_accepted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = Features(np.ones((2, 3), dtype=np.float16), 0.0, 0.5, "x")
    store.write("a", made, Provenance("p", "c", "w", precision="bfloat16"))
    assert store.provenance("a").precision == "bfloat16"
    assert store.provenance("a") == Provenance("p", "c", "w", precision="float32")
