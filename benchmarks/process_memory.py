"""The most memory that a process held."""

from __future__ import annotations

import re
from pathlib import Path


def most_held() -> float:
    """The most that this process held so far, in MB: on Linux, its libraries and mapped files counted.

    What `resource.getrusage` says would count what its parent held before it was started.
    """
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
