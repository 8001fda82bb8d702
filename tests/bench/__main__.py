"""`python -m tests.bench [start] [pages] [downloads] [sign_in] [asking] [following] [lists]`: all or some. Exit code 1 when one is over."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import asking, downloads, following, lists, pages, sign_in, start
from tests.bench.table import printed, say

PARTS = {
    "start": start.measure,
    "pages": pages.measure,
    "downloads": downloads.measure,
    "sign_in": sign_in.measure,
    "asking": asking.measure,
    "following": following.measure,
    "lists": lists.measure,
}


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in PARTS]:
        say(f"There is no part {unknown[0]!r}; there are {', '.join(PARTS)}.")
        return 2
    figures = []
    for name in names or list(PARTS):
        folder = Path(tempfile.mkdtemp(prefix="medianest-bench-"))
        try:
            figures += list(PARTS[name](folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(printed(figures))
    return 0 if all(figure.is_held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
