"""Cookies of sites: put in by administrators, sealed, lent to one job at a time, and never shown again."""
