"""Answer each turn exactly once."""
