"""Who may do what, and the project's list of weaknesses as named tests (`SECURITY.md` has the table)."""
