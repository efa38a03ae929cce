"""The folders of Codex processes on disk."""
