"""The event loop in a daemon thread, and threads for functions that block."""
