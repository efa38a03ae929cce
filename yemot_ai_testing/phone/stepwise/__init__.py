"""The phone one command at a time, for scripts and coding agents."""
