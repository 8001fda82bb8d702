"""A stand-in for yt-dlp's release pages on loopback: `Releases`, and `program` makes what a release holds."""

from tests.release.programs import Tree, program, real_program
from tests.release.server import Releases

__all__ = ["Releases", "Tree", "program", "real_program"]
