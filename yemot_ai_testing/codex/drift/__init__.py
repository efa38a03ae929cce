"""Compare two versions of Codex; for maintainers of the recordings."""
