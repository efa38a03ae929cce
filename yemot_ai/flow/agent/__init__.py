"""The loop of an AI agent: greet, listen, answer, listen again."""
