"""The fake `codex` executable."""
