"""Rules that an implementation must keep, and suites that try them."""
