"""The figures MediaNest holds, each measured beside its target: `make bench`, or `python -m tests.bench start pages`."""
