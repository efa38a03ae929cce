"""Record the output of a real Codex; for maintainers of the recordings."""
