"""The phone in the terminal, on Textual."""
