"""Compare what was heard in a turn, and what was asked, with what a scenario expects."""
