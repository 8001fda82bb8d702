"""Queries of what is kept and what goes."""
