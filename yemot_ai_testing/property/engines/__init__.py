"""Engines with a fixed or seeded order of events, and the end of a worker."""
