"""Run each turn exactly once, and store its answer."""
