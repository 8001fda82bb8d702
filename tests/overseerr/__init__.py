"""A stand-in for Overseerr and Seerr on loopback: people, titles, requests, its traps and every kind of trouble.

```python
with OverseerrWorld(kind="seerr") as overseerr:
    overseerr.url, overseerr.api_key
    overseerr.friend.permissions |= Permission.AUTO_APPROVE
    overseerr.faults.add("/api/v1/search", "slow", seconds=30)
    overseerr.off(), overseerr.on()         # nobody listens; back again
    overseerr.rows_of("movie", 603)         # what was created there
    overseerr.mark_available("movie", 603)
    overseerr.webhooks                      # what it told the webhook, or would have
```

By hand: `python -m tests.overseerr --port 5055`.
"""

from tests.overseerr.people import Permission, Person
from tests.overseerr.titles import Title
from tests.overseerr.traffic import Call
from tests.overseerr.world import OverseerrWorld

__all__ = ["Call", "OverseerrWorld", "Permission", "Person", "Title"]
