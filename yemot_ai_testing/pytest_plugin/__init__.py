"""The pytest plugin: options, fixtures, marker, items, reports."""
