"""`python -m tests.site --port 8090`: the site by hand, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import threading

from tests.site.server import Site


def main() -> None:
    parser = argparse.ArgumentParser(description="A site with test videos on loopback")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    arguments = parser.parse_args()
    with Site(arguments.host, arguments.port) as site:
        print(f"Serving on {site.url('/')}, end with Ctrl-C", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
