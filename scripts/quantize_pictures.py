"""Writes the graph in which the picture network computes with 8 bits; `build_graphs.py` calls it.

Ranges of activations are those of captioned pictures, looked for with the weights of the packaged space. The graph
quantises weights itself while it is loaded, each output channel by its own range, so that it serves every space.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

from asst.data import data_folder
from asst.data.readers.captions import decoded, held_out, read_captions
from asst.features.zeroshot.efficientnet import SIDE
from asst.training.space_recipe import CaptionRecipe, read_any_recipe

_PICTURES, _SEED = 100, 0
_LEVELS = 127
# Biases have 32 bits, of which two are left over.
_BIAS_MOST = 2.0**30


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Some of the pictures that the packaged space was learnt from, one at a time."""

    def __init__(self) -> None:
        self._coming = self._read()

    def get_next(self) -> dict[str, npt.NDArray[np.uint8]] | None:
        return next(self._coming, None)

    def _read(self) -> Iterator[dict[str, npt.NDArray[np.uint8]]]:
        captions = read_captions(data_folder("captions"))
        recipe = read_any_recipe(["captions"])
        assert isinstance(recipe, CaptionRecipe)
        learnt, _ = held_out(captions, recipe.data.holdout, recipe.data.seed)
        chosen = set(np.random.default_rng(_SEED).choice(learnt, _PICTURES, replace=False).tolist())
        wanted = (pair for number, pair in enumerate(captions.images()) if number in chosen)
        for picture, image in islice(wanted, _PICTURES):
            whole = decoded(picture, image)
            scale = SIDE / min(whole.size)
            size = [max(SIDE, round(side * scale)) for side in whole.size]
            yield {"pixels": np.asarray(whole.resize((size[0], size[1]), Image.Resampling.BICUBIC))[None]}


def in_8_bits(content: bytes) -> bytes:
    """A graph of 32 bits with its weights in it as one of 8 bits without."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "whole.onnx").write_bytes(content)
        quant_pre_process(path / "whole.onnx", path / "ready.onnx", skip_symbolic_shape=True)
        quantize_static(
            path / "ready.onnx",
            path / "bytes.onnx",
            _Pictures(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # With Clip among them, a range is that after ReLU6 and not before.
            op_types_to_quantize=["Conv", "Add", "Clip"],
        )
        model = onnx.load(path / "bytes.onnx")
    _quantising_itself(model)
    result: bytes = model.SerializeToString()
    return result


def _quantising_itself(model: Any) -> None:
    """Puts the quantising of weights and biases into the graph, where constants are computed while it is loaded."""
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    nodes: list[Any] = []
    given: list[Any] = []
    gone: set[str] = set()
    numbers = {"levels": _LEVELS, "most": _BIAS_MOST, "least": 1e-12}
    for conv in [node for node in graph.node if node.op_type == "Conv"]:
        layer = conv.name.removeprefix("/network/").removesuffix("/Conv").replace("/", ".")
        seen, kernel, shift = (made_by[name] for name in conv.input)
        whole, scale, zero = kernel.input
        bias, bias_scale, _ = shift.input
        weight, offset = f"{layer}.weight", f"{layer}.bias"
        shape = list(stored[whole].dims)
        given += [_given(weight, shape), _given(offset, shape[:1])]

        def add(operation: str, inputs: list[str], output: str, **settings: Any) -> str:
            nodes.append(helper.make_node(operation, inputs, [output], **settings))
            return output

        size = add("Abs", [weight], f"{weight}.size")
        range_ = add("ReduceMax", [size], f"{weight}.range", axes=list(range(1, len(shape))), keepdims=0)
        step = add("Div", [range_, "levels"], f"{weight}.step")
        # Where weights are next to nothing their scale must still be one that the bias can be told in.
        bias_size = add("Abs", [offset], f"{offset}.size")
        bias_most = add("Mul", [seen.input[1], "most"], f"{offset}.most")
        add("Max", [step, add("Div", [bias_size, bias_most], f"{offset}.step"), "least"], scale)
        add("QuantizeLinear", [weight, scale, zero], whole, axis=0)
        add("Mul", [seen.input[1], scale], bias_scale)
        steps = add("Round", [add("Div", [offset, bias_scale], f"{offset}.steps")], f"{offset}.whole")
        add("Cast", [steps], bias, to=TensorProto.INT32)
        gone |= {whole, scale, bias, bias_scale}
    kept = [tensor for tensor in graph.initializer if tensor.name not in gone]
    rest = list(graph.node)
    del graph.initializer[:], graph.node[:]
    constants = [numpy_helper.from_array(np.array(own, dtype=np.float32), name) for name, own in numbers.items()]
    graph.initializer.extend([*kept, *given, *constants])
    graph.node.extend([*nodes, *rest])


def _given(name: str, shape: list[int]) -> Any:
    """A weight that whoever reads the graph gives."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "given"), ("offset", "0"), ("length", str(4 * int(np.prod(shape))))):
        tensor.external_data.add(key=key, value=value)
    return tensor
