"""A run of scenarios as one page for people: it needs no network, no server and no other file."""
