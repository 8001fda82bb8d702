"""A stand-in for plex.tv and a Plex server on loopback, with every kind of account and every kind of trouble.

```python
with PlexWorld() as plex:
    plex.url, plex.server_url     # plex.tv with the sign-in app's pages; the server `plex.machine_id`
    plex.allow(code, plex.friend) # as if the friend had tapped Allow
    plex.server.add_movie("1", "Heat", 1995, tmdb=949)   # libraries and items; `plex.friend_one_library` sees only "3"
    plex.faults.add("/api/v2/user", "status", status=500)
    plex.faults.add("/", "slow", None, seconds=30, place="server")   # every call of the server, until faults.clear()
    plex.turn_off(), plex.turn_on()   # plex.is_server_replaced = True: another machine at the same address
    plex.calls                    # what was asked for
```

By hand: `python -m tests.plex --port 8095`, whose first page lists the accounts and says which settings to start with.
"""

from tests.plex.people import Account
from tests.plex.traffic import Call
from tests.plex.world import PlexWorld

__all__ = ["Account", "Call", "PlexWorld"]
