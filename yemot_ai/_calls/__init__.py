"""The lifecycle of a call: start, limits, caller memory, hooks, end."""
