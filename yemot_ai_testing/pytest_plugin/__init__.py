"""The pytest plugin: options, fixtures, marker, items and reports."""
