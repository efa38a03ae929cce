"""Where sessions are kept: memory, SQLite, Redis, JSON files."""
