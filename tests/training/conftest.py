from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from asst.training.callbacks import KeepRun
from asst.training.recipe import Recipe, read_recipe
from asst.training.trainer import Trained

Training = Callable[[Path, Callable[[str], None]], Trained]


@pytest.fixture
def toy_recipe(recipe_file: Path) -> Callable[..., Recipe]:
    """The recipe with changes in the form of the command line."""
    return lambda *changes: read_recipe([recipe_file], changes)


class BrokenOffError(Exception):
    """Stands for a power cut."""


@pytest.fixture
def ends_as_unbroken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Training, int], Trained]:
    """Breaks a training off after a step was logged, before its state is written: weights and log end as unbroken."""

    def ended(train: Training, step: int) -> Trained:
        whole = train(tmp_path / "whole", lambda _: None)
        keep = KeepRun.on_train_epoch_end

        def break_off(self: KeepRun, trainer: Any, pl_module: Any) -> None:
            keep(self, trainer, pl_module)
            if trainer.global_step == step:
                raise BrokenOffError

        with monkeypatch.context() as cut:
            cut.setattr(KeepRun, "on_train_epoch_end", break_off)
            with pytest.raises(BrokenOffError):
                train(tmp_path / "broken", lambda _: None)
        lines: list[str] = []
        again = train(tmp_path / "broken", lines.append)
        assert any("going on" in line for line in lines)
        states = [torch.load(done.folder.state, weights_only=True)["state_dict"] for done in (whole, again)]
        assert states[0].keys() == states[1].keys()
        for name, value in states[0].items():
            assert torch.equal(value, states[1][name]), name
        logs = [[{**line, "seconds": 0, "processor_s": 0} for line in own.folder.log()] for own in (whole, again)]
        assert logs[0] == logs[1]
        return again

    return ended
