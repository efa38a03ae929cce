"""Record what a real Codex writes; for maintainers of the recordings."""
