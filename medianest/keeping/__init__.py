"""What stays in the library, for how long, and what the library ever had."""
