"""Networks written as graphs for ONNX Runtime, which computes them without PyTorch."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from asst.atomic import write_whole
from asst.data.batch import Batch, ProposalBatch
from asst.errors import InputError
from asst.models.answers import FORMAT, SAID, SUFFIX
from asst.models.checkpoint import Description
from asst.models.methods.base import Method
from asst.models.methods.table import restored_method
from asst.models.reranker_inputs import FACTS
from asst.models.trained.loading import RERANKER, window_steps

if TYPE_CHECKING:
    import onnx

_OPSET = 17
# Sizes of what a graph is traced with, beside two samples; all of them may vary afterwards.
_WORDS, _CLIPS = 5, 7


def export_checkpoint(checkpoint: Path, out: Path) -> Description:
    """Writes a checkpoint of any method as a network that needs no PyTorch, whole or not at all.

    Raises an `InputError` for a file that is no checkpoint, or another name than an ``.onnx`` file's.
    """
    if out.suffix != SUFFIX:
        raise InputError(f"{out}: networks are written as {SUFFIX} files; name one")
    method, description = restored_method(checkpoint)
    write_whole(out, method_graph(method, description))
    return description


def method_graph(method: Method, description: Description, *, weights: bool = True) -> bytes:
    """A method as a file that `ExportedMethod` reads; without ``weights`` whoever reads the graph gives them."""
    steps = window_steps(description)
    inputs = _example(method, description, steps)
    traced = _Outputs(method.cpu().eval(), list(inputs))
    with torch.no_grad():
        names = list(traced.named(*inputs.values()))
    axes = {name: {0: "samples"} for name in inputs}
    for name, axis in (("words", "words"), ("word_mask", "words"), ("clips", "clips"), ("clip_mask", "clips")):
        axes.setdefault(name, {0: "samples"})[1] = axis
    axes.setdefault("facts", {0: "samples"})[1] = "clips"
    said = {name: "yes" if getattr(method, name) else "no" for name in SAID}
    metadata = {"format": FORMAT, "steps": str(steps), **said}
    if weights:
        metadata["description"] = json.dumps(dataclasses.asdict(description), allow_nan=False)
    return graph_of(traced, inputs, names, axes, metadata, given=None if weights else "method.")


def graph_of(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
    metadata: Mapping[str, str] | None = None,
    *,
    given: str | None = None,
) -> bytes:
    """A module, in the mode for use, as a graph, traced with an example of its inputs, by name and in order.

    ``axes`` names those of inputs whose size may vary, ``metadata`` is what the file says of itself. ``given`` is what
    is cut off the beginning of weights' names: the graph holds no weights then, and whoever reads it gives them by the
    rest of their names.
    """
    import onnx

    with TemporaryDirectory() as folder:
        path = Path(folder) / "traced.onnx"
        with warnings.catch_warnings():
            # What is traced with several samples, words and clips holds for any number of them, as the tests show.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                tuple(inputs.values()),
                path,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={name: dict(own) for name, own in axes.items() if name in inputs},
                opset_version=_OPSET,
                do_constant_folding=given is None,
                dynamo=False,
            )
        model = onnx.load(path)
    onnx.helper.set_model_props(model, dict(metadata or {}))
    if given is not None:
        _without_weights(model, given, module.state_dict().keys())
    content: bytes = model.SerializeToString()
    return content


def _without_weights(model: onnx.ModelProto, prefix: str, weights: Collection[str]) -> None:
    import onnx

    renamed = {}
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            renamed[tensor.name] = tensor.name = tensor.name.removeprefix(prefix)
            size = len(tensor.raw_data)
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", "given"), ("offset", "0"), ("length", str(size))):
                tensor.external_data.add(key=key, value=value)
    for node in model.graph.node:
        for k, taken in enumerate(node.input):
            node.input[k] = renamed.get(taken, taken)


def _example(method: Method, description: Description, steps: int) -> dict[str, Tensor]:
    """Something for a method to look at, by the names of `asst.data.sample.network_inputs`."""
    settings = description.settings
    # One sample is shorter: what a method does to padding is traced only where there is some.
    real = torch.arange(steps) < torch.tensor([[steps], [steps // 2]])
    inputs = {
        "features": torch.zeros(2, steps, settings.get("feature_channels", description.features.dimension)),
        "feature_mask": real,
        "words": torch.zeros(2, _WORDS, settings.get("word_channels", 1)),
        "word_mask": torch.arange(_WORDS) < torch.tensor([[_WORDS], [_WORDS - 2]]),
    }
    if description.method == RERANKER:
        inputs["clips"] = torch.tensor([0.0, 1.0]).expand(2, _CLIPS, 2)
        inputs["clip_mask"] = torch.arange(_CLIPS) < torch.tensor([[_CLIPS], [_CLIPS - 2]])
        inputs["facts"] = torch.zeros(2, _CLIPS, len(FACTS))
    return inputs


class _Outputs(nn.Module):
    """A method whose inputs are tensors, and whose outputs are those of answers and the weights of words."""

    def __init__(self, method: Method, inputs: Sequence[str]) -> None:
        super().__init__()
        self.method, self._inputs = method, inputs

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.named(*given).values())

    def named(self, *given: Tensor) -> dict[str, Tensor]:
        read = dict(zip(self._inputs, given, strict=True))
        proposals = ProposalBatch(read["clips"], read["clip_mask"], read["facts"]) if "clips" in read else None
        nothing = read["features"].new_zeros((len(given[0]), 0, 2))
        batch = Batch(
            read["features"],
            read["feature_mask"],
            read["words"],
            read["word_mask"],
            moments=nothing,
            moment_mask=nothing[..., 0].bool(),
            targets=None,
            records=torch.arange(len(given[0])),
            windows=(),
            proposals=proposals,
        )
        return self.method.outputs(batch, attention=True)
