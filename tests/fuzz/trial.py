"""Mutated inputs given to a target, one after the other, and what became of them."""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
import time
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from asst.errors import InputError

from .mutation import mutated
from .targets import TARGETS

_WORKED_MOST_S = 20


class _TooLongError(Exception):
    """An input was worked on for longer than any should be."""


@dataclass(slots=True)
class Count:
    """What became of the inputs.

    Attributes:
        read: how many were read.
        refused: how many were refused as they should be.
        faults: of the others the number, the name and what was raised.
    """

    read: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)


def run(name: str, seed: int, inputs: int, lasting_s: float, keep: Path | None = None) -> Count:
    """Gives a target mutated inputs.

    Args:
        name: of the target, in `TARGETS`.
        seed: of the mutations; input ``k`` depends on it and ``k`` alone.
        inputs: how many at most.
        lasting_s: seconds after which no more are given.
        keep: a folder for the inputs that were at fault; the one that is being read is there as ``last``, for those
            that end the process.
    """
    count = Count()
    before = signal.signal(signal.SIGPROF, _stop)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        target = TARGETS[name](Path(folder), stack)
        names = sorted(target.seeds)
        until = time.monotonic() + lasting_s
        own = Path(folder) / "trial"
        for number in range(inputs):
            if time.monotonic() > until:
                break
            rng = random.Random(f"{name} {seed} {number}")
            chosen = rng.choice(names)
            content = mutated(target.seeds[chosen], rng)
            own.mkdir()
            if keep is not None:
                (keep / "last").write_bytes(content)
            signal.setitimer(signal.ITIMER_PROF, _WORKED_MOST_S)
            try:
                target.read(own, chosen, content)
                count.read += 1
            except InputError:
                count.refused += 1
            except (Exception, SystemExit) as error:
                signal.setitimer(signal.ITIMER_PROF, 0)
                where = traceback.extract_tb(error.__traceback__)[-1]
                told = f"{number} {chosen}: {type(error).__name__} {str(error)[:200]} ({where.filename}:{where.lineno})"
                count.faults.append(told)
                if keep is not None:
                    (keep / f"{name}-{seed}-{number}-{chosen.replace('/', '_')}").write_bytes(content)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            shutil.rmtree(own)
    signal.signal(signal.SIGPROF, before)
    return count


def _stop(_: int, __: FrameType | None) -> None:
    raise _TooLongError(f"more than {_WORKED_MOST_S} s of work")
