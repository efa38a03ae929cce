"""A line with the opening hours of two branches."""
