"""Answers of any server, looked at from outside: in logs, on the command line, side by side."""
