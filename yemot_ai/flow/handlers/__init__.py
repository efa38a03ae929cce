"""Plain handlers: their runs, and the calls that this process serves."""
