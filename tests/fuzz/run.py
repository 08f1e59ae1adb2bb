"""Gives a reader mutated inputs for so many minutes: ``python tests/fuzz/run.py TARGET --minutes 10 --keep FOLDER``."""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import json
import sys
from pathlib import Path

_MOST = 10**9


def main() -> int:
    """Prints one JSON object of counts; 1 where there was a fault."""
    # As a package, since the readers' stand-ins are among the tests.
    sys.path.insert(0, str(Path(__file__).parents[2]))
    names = importlib.import_module("tests.fuzz.targets").TARGETS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=names)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-faults"), help="a folder for inputs at fault")
    asked = parser.parse_args()
    asked.keep.mkdir(parents=True, exist_ok=True)
    faulthandler.enable()
    count = importlib.import_module("tests.fuzz.trial").run(
        asked.target, asked.seed, _MOST, 60 * asked.minutes, asked.keep
    )
    for fault in count.faults:
        sys.stderr.write(f"{fault}\n")
    facts = {"target": asked.target, "seed": asked.seed, "read": count.read, "refused": count.refused}
    sys.stdout.write(json.dumps({**facts, "faults": len(count.faults)}) + "\n")
    return int(bool(count.faults))


if __name__ == "__main__":
    sys.exit(main())
