"""`python -m tests.plex --port 8095`: plex.tv, its sign-in app and a server by hand, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import threading

from tests.plex.world import PlexWorld


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for plex.tv and a Plex server on loopback")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8095, help="of plex.tv; the servers take the next two")
    arguments = parser.parse_args()
    with PlexWorld(arguments.host, arguments.port) as plex:
        print(f"plex.tv on {plex.url}, the server on {plex.server_url}, end with Ctrl-C. Start MediaNest with:")
        for name, value in plex.settings().items():
            print(f"  {name}={value}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
