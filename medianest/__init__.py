"""MediaNest: one web site for everyone invited to one Plex server."""

__version__ = "0.1.0"
