"""Play a scenario against an application."""
