"""`python -m tests.overseerr --port 5055`: Overseerr or Seerr by hand, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import threading

from tests.overseerr.world import OverseerrWorld


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Overseerr on loopback")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5055)
    parser.add_argument("--kind", choices=("overseerr", "seerr"), default="overseerr")
    arguments = parser.parse_args()
    with OverseerrWorld(arguments.host, arguments.port, kind=arguments.kind) as overseerr:
        print(f"{arguments.kind} on {overseerr.url}, end with Ctrl-C. Start MediaNest with:")
        for name, value in overseerr.settings().items():
            print(f"  {name}={value}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
