"""`make soak`, or `python -m tests.soak [items] [several] [week]`: all or some. Exit code 1 when something does not hold."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.table import Figure, printed, say

PARTS = {
    "items": "tests.soak.items",
    "several": "tests.soak.several",
    "week": "tests.soak.week",
}


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in PARTS]:
        say(f"There is no part {unknown[0]!r}; there are {', '.join(PARTS)}.")
        return 2
    figures: list[Figure] = []
    broken: list[str] = []
    for name in names or list(PARTS):
        folder = Path(tempfile.mkdtemp(prefix="medianest-soak-"))
        try:
            figures.extend(importlib.import_module(PARTS[name]).measure(folder))
        except (AssertionError, TimeoutError) as error:
            broken.append(f"BROKEN  {name}: {error}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n".join([*([printed(figures)] if figures else []), *broken]))
    return 0 if not broken and all(figure.is_held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
