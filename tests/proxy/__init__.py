"""MediaNest behind a real reverse proxy."""
