"""Writes the graphs that the package ships, without weights: run it after a change of a tower's layers.

``python scripts/build_graphs.py`` needs the extra ``train``, and captioned
pictures in the folder ``captions`` of ``ASST_DATA``, whose ranges the graph of 8 bits is made for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from asst.features.runtime import graph
from asst.features.zeroshot.captions import PACKAGED as SPACE
from asst.features.zeroshot.captions import load_space
from asst.features.zeroshot.minilm import WIDTH
from asst.models.methods.table import restored_method
from asst.models.trained.loading import GRAPH, PACKAGED
from asst.training.export import graph_of, method_graph
from asst.training.space.towers import EfficientNetLite, MiniLM, SentenceTower, towers_with
from quantize_pictures import in_8_bits


class _Pictures(nn.Module):
    def __init__(self, network: EfficientNetLite) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        maps: Tensor = self.network(pixels)
        return maps.permute(0, 2, 3, 1)


class _Sentences(nn.Module):
    def __init__(self, encoder: MiniLM) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, words: Tensor, real: Tensor) -> Tensor:
        meanings: Tensor = self.encoder(self.encoder.first(words), real)
        return meanings


class _Placing(nn.Module):
    def __init__(self, tower: SentenceTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, meanings: Tensor) -> Tensor:
        return self.tower.placed(meanings)


def main() -> None:
    """All of them."""
    towers = towers_with(load_space(SPACE).weights())
    network, tower = towers.pictures.network, towers.sentences
    assert isinstance(network, EfficientNetLite)
    assert isinstance(tower, SentenceTower)
    pixels = {"pixels": torch.zeros(2, 256, 448, 3, dtype=torch.uint8)}
    varying = {"pixels": (0, 1, 2)}
    _write("pictures", _Pictures(network), "network.", pixels, varying, ["maps"])
    whole = graph_of(_Pictures(network), pixels, ["maps"], _axes(varying))
    _keep(graph("pictures-int8"), in_8_bits(whole))
    inputs = {"words": torch.zeros(2, 9, WIDTH), "real": torch.ones(2, 9, dtype=torch.bool)}
    _write("sentences", _Sentences(tower.encoder), "encoder.", inputs, {"words": (0, 1), "real": (0, 1)}, ["meanings"])
    meanings = torch.zeros(2, WIDTH)
    _write("placing", _Placing(tower), "tower.", {"meanings": meanings}, {"meanings": (0,)}, ["vectors"])
    method, description = restored_method(PACKAGED)
    _keep(GRAPH, method_graph(method, description, weights=False))


def _write(
    name: str,
    module: nn.Module,
    given: str,
    inputs: dict[str, Tensor],
    varying: Mapping[str, tuple[int, ...]],
    outputs: list[str],
) -> None:
    _keep(graph(name), graph_of(module.eval(), inputs, outputs, _axes(varying), given=given))


def _axes(varying: Mapping[str, tuple[int, ...]]) -> dict[str, dict[int, str]]:
    return {key: {axis: f"{key}_{axis}" for axis in own} for key, own in varying.items()}


def _keep(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    print(f"{path}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
