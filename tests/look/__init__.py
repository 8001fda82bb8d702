"""The pages as a browser sees them, against the numbers of the design: weight, shape, keyboard, contrast, live updates."""
