"""The command ``yemot-ai-testing``."""
