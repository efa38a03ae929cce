"""The rules that a history of calls must keep."""
