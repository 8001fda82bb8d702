"""A small web site on loopback with videos, for real yt-dlp: every kind of page, and every kind of trouble.

```python
with Site() as site:
    site.url("/clip/one.mp4?length=2")
    site.requests            # what was asked for, with Range headers and the bytes that went out
```

By hand: `python -m tests.site --port 8090`, whose first page lists all it has. See `pages.py` and `faults.py`.
"""

from tests.site.server import Request, Site

__all__ = ["Request", "Site"]
