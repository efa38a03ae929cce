"""Calls that would notice a fault: made on the healthy application, and written as scenarios."""
