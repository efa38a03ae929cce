"""Plain handlers: their runs, and the calls of this process."""
