"""The resumable state of a run, written whole or not at all: a full disk must not take the last one with it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from asst.atomic import writing_whole


class WholeState(TorchCheckpointIO):
    """Writes beside the old state and renames; Lightning copies over it."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Keep a state; a `WriteError` if it cannot be written, and the old one stays."""
        # What PyTorch itself says of a full disk names neither.
        state = io.BytesIO()
        torch.save(checkpoint, state)
        with writing_whole(Path(path)) as file:
            file.write(state.getbuffer())
