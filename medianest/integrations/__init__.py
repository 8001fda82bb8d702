"""The clients of Plex, Overseerr and Seerr, on one transport with its rules."""

import sys

# httpx has a command line; where rich and pygments happen to be installed it would come with them: 3 MB for nothing
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
