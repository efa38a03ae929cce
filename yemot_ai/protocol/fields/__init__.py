"""How a positional field of an answer is parsed, rendered and checked."""
