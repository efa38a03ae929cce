"""Look for violations in any application, without a test of it: the command ``yemot-ai-testing hunt``."""
