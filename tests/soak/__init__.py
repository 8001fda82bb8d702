"""Long runs with faults: what holds after days, in minutes."""
