"""A line that tells the opening hours of two branches."""
