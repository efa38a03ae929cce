"""Suites and recordings that hold a double to the real thing it stands in for."""
