"""Session stores: memory, SQLite, Redis, JSON files."""
