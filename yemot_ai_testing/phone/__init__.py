"""A phone in the hand: call a line from the terminal, a web page, or one command at a time."""
