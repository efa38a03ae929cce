"""The phone as a server on this machine: a page for people, JSON for programs."""
