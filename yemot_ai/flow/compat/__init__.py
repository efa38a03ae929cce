"""What yemot-flow's handlers expect of a call: read options, messages, awaitable texts."""
