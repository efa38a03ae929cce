"""Child processes: start and end one, find running ones, wait for a condition, set the environment."""
