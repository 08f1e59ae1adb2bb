"""Where networks are computed, in what, and what is said of a graph that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from asst.errors import InputError
from asst.features import runtime
from asst.features.runtime import Network, device, devices, graph, precision, threads
from asst.features.zeroshot.minilm import published_minilm, token_vectors


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A graph of ``x @ weight`` whose weight is given by whoever reads it."""
    weight = TensorProto(name="weight", data_type=TensorProto.FLOAT, dims=[2, 3], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "given"), ("offset", "0"), ("length", "24")):
        weight.external_data.add(key=key, value=value)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in (("x", 2), ("y", 3)))
    node = helper.make_node("MatMul", ["x", "weight"], ["y"])
    model = helper.make_model(helper.make_graph([node], "g", [x], [y], [weight]), ir_version=8)
    path = tmp_path / "product.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_a_graph_computes_with_the_weights_that_it_is_given(product: Path) -> None:
    # In another order in memory than the graph's.
    network = Network(product, {"weight": np.arange(6, dtype=np.float32).reshape(3, 2).T})
    x = np.array([[1, 0], [0, 1], [2, 3]], dtype=np.float32)
    (y,) = network(x=x)
    assert y.tolist() == [[0, 2, 4], [1, 3, 5], [3, 13, 23]]
    assert (network.inputs, network.outputs) == (["x"], ["y"])


def test_weights_may_go_once_a_network_is_ready() -> None:
    weights = {name: np.array(own) for name, own in published_minilm().items()}
    network = Network(graph("sentences"), weights)
    read = {"words": token_vectors(np.arange(18).reshape(2, 9)), "real": np.ones((2, 9), dtype=bool)}
    (before,) = network(**read)
    for own in weights.values():
        own[...] = np.nan
    (after,) = network(**read)
    np.testing.assert_array_equal(after, before)


def test_what_cannot_be_computed_is_said_in_one_line(product: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(product.read_bytes()[:40])
    wrong = {"weight": np.zeros((4, 4), dtype=np.float32)}
    for path, weights, said in (
        (tmp_path / "none.onnx", None, "no file"),
        (cut, None, "no graph that can be computed"),
        (product, wrong, "no graph that can be computed"),
    ):
        with pytest.raises(InputError, match=said) as refused:
            assert Network(path, weights).outputs
        assert "\n" not in str(refused.value)


def test_the_environment_names_device_precision_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices()[-1] == "cpu"
    monkeypatch.setenv("ASST_DEVICE", "abacus")
    with pytest.raises(InputError, match="no device 'abacus' here, only"):
        device()
    monkeypatch.setenv("ASST_DEVICE", "cpu")
    assert device() == "cpu"
    monkeypatch.setenv("ASST_PRECISION", "int4")
    with pytest.raises(InputError, match="must be int8 or float32, not 'int4'"):
        precision()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert threads() >= 1


@pytest.mark.parametrize(
    ("flags", "expected"), [("fpu avx2 avx512f", "float32"), ("avx2 avx_vnni", "int8"), ("avx512_vnni", "int8")]
)
def test_bytes_are_multiplied_where_the_processor_sums_their_products(
    flags: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASST_PRECISION", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"flags : {flags}\n")
    runtime._sums_bytes.cache_clear()
    try:
        assert precision() == ("float32" if device() != "cpu" else expected)
    finally:
        runtime._sums_bytes.cache_clear()


def test_graphs_that_ship_hold_no_weights() -> None:
    for name in ("pictures", "pictures-int8", "sentences", "placing"):
        held = onnx.load(runtime.graph(name), load_external_data=False).graph.initializer
        assert any(tensor.data_location == TensorProto.EXTERNAL for tensor in held)
        assert sum(len(tensor.raw_data) for tensor in held) < 200_000
