"""The journeys of a family: paste a link, watch it come, in several tabs, with the link to the server lost in between."""

from __future__ import annotations
