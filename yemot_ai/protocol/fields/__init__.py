"""Positional fields of a response: parsing, rendering and checks."""
