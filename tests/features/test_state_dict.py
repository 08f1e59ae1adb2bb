"""Files of weights: found by name, read in every form, refused when they do not fit."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from asst.errors import InputError
from asst.features.weights import fit, read_state, weights_file

State = dict[str, Tensor]


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 1)
        self.norm = nn.BatchNorm2d(3)


@pytest.fixture
def state() -> State:
    torch.manual_seed(0)
    return {name: torch.rand_like(tensor.float()) for name, tensor in Small().state_dict().items()}


def without_counts(state: State) -> State:
    return {name: tensor for name, tensor in state.items() if not name.endswith("tracked")}


SAVED: dict[str, Callable[[State, Path], object]] = {
    "w.pth": lambda state, path: torch.save(state, path),
    "w.pt": lambda state, path: torch.save({"state_dict": state, "epoch": 3}, path),
    "w.pth.tar": lambda state, path: torch.save({"state_dict": state, "best_prec1": torch.tensor(0.5)}, path),
    "w.pickle": lambda state, path: torch.save(state, path, _use_new_zipfile_serialization=False),
    "w.safetensors": lambda state, path: save_file(state, path),
}


@pytest.mark.parametrize("name", SAVED)
def test_every_form_is_read(name: str, state: State, tmp_path: Path) -> None:
    SAVED[name](without_counts(state), tmp_path / name)
    assert weights_file("vgg16", tmp_path / name) == tmp_path / name
    network = Small()
    fit(network, tmp_path / name, read_state(tmp_path / name), lambda theirs: theirs)
    torch.testing.assert_close(network.norm.running_var, state["norm.running_var"], rtol=0, atol=0)
    torch.testing.assert_close(network.conv.weight, nn.Parameter(state["conv.weight"]), rtol=0, atol=0)
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_old_normalisations_and_half_precision_fit(state: State, tmp_path: Path) -> None:
    rows = {name: tensor[None] if name.startswith("norm.r") else tensor for name, tensor in state.items()}
    rows["conv.weight"] = rows["conv.weight"].half()
    network = Small()
    fit(network, tmp_path, rows, lambda theirs: theirs)
    assert network.norm.running_mean is not None
    assert network.norm.running_mean.shape == (3,)
    assert network.conv.weight.dtype == torch.float32


def test_weights_on_no_device_are_replaced(state: State, tmp_path: Path) -> None:
    with torch.device("meta"):
        network = Small()
    fit(network, tmp_path, without_counts(state), lambda theirs: theirs)
    assert {tensor.device.type for tensor in network.state_dict().values()} == {"cpu"}


def test_what_is_missing_and_not_expected_is_named(state: State, tmp_path: Path) -> None:
    del state["conv.bias"], state["norm.bias"]
    state["head.weight"] = state["fc.bias"] = torch.zeros(2)
    with pytest.raises(InputError) as refused:
        fit(Small(), tmp_path / "w.pth", state, lambda theirs: None if theirs.startswith("fc.") else theirs)
    assert str(refused.value) == (
        f"{tmp_path / 'w.pth'} does not fit: 2 tensors are missing, first conv.bias; 1 tensor is unexpected, first "
        "head.weight; get the published file"
    )


def test_another_shape_is_refused(state: State, tmp_path: Path) -> None:
    state["conv.weight"] = torch.zeros(3, 10, 1, 1)
    with pytest.raises(InputError, match=r"conv\.weight has the shape \(3, 10, 1, 1\), not \(3, 2, 1, 1\)"):
        fit(Small(), tmp_path, state, lambda theirs: theirs)


class Unsafe:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return print, ("run",)


BROKEN: dict[str, Callable[[Path], object]] = {
    "text.pth": lambda path: path.write_text("not weights"),
    "empty.pth": lambda path: path.write_bytes(b""),
    "text.safetensors": lambda path: path.write_text("not weights"),
    "unsafe.pth": lambda path: torch.save(Unsafe(), path),
    "unsafe.pickle": lambda path: path.write_bytes(pickle.dumps(Unsafe(), protocol=2)),
    "tensor.pth": lambda path: torch.save(torch.zeros(2), path),
    "numbers.pth": lambda path: torch.save({"lr": 0.1}, path),
    "nothing.pth": lambda path: torch.save({}, path),
    "network.pth": lambda path: torch.save(Small(), path),
}


@pytest.mark.parametrize("name", BROKEN)
def test_anything_else_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    BROKEN[name](tmp_path / name)
    with pytest.raises(InputError, match=name):
        read_state(tmp_path / name)
    assert not capsys.readouterr().out


def test_a_file_that_was_cut_short_is_refused(state: State, tmp_path: Path) -> None:
    for name, save in SAVED.items():
        path = tmp_path / name
        save({**state, "big": torch.zeros(5000)}, path)
        path.write_bytes(path.read_bytes()[:9000])
        with pytest.raises(InputError, match="download it again"):
            read_state(path)


def test_weights_are_looked_for_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASST_WEIGHTS", raising=False)
    with pytest.raises(InputError, match=r"^c3d needs weights; name the file, or set ASST_WEIGHTS .*c3d\.pickle"):
        weights_file("c3d", None)
    with pytest.raises(InputError, match=r"no weights of c3d at .*nowhere.*c3d\.pickle"):
        weights_file("c3d", tmp_path / "nowhere")
    monkeypatch.setenv("ASST_WEIGHTS", str(tmp_path))
    with pytest.raises(InputError, match=r"holds no weights of c3d \(c3d\.pth, \.pt or \.safetensors\)"):
        weights_file("c3d", None)
    (tmp_path / "c3d.pth.tar").touch()
    assert weights_file("c3d", None) == weights_file("c3d", tmp_path) == tmp_path / "c3d.pth.tar"
    (tmp_path / "c3d.safetensors").touch()
    assert weights_file("c3d", None) == tmp_path / "c3d.safetensors"
