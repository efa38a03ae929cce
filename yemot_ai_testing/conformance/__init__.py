"""Rules that an implementation must keep, and suites that check them."""
