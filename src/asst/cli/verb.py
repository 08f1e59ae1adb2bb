"""What every verb of the command line has in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from asst.local import check_ends


class Verb(TyperCommand):
    """Refuses files that are none before the verb begins."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb.

        Raises:
            InputError: for a pipe, a socket or a device among its files.
        """
        for value in ctx.params.values():
            for path in value if isinstance(value, list | tuple) else (value,):
                if isinstance(path, Path):
                    check_ends(path)
        return super().invoke(ctx)
