"""One `codex app-server` for all calls."""
