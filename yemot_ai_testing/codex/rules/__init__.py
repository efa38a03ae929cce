"""The rules of `codex exec` and `codex app-server`, and the benches that try them."""
