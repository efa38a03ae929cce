"""Compatibility with handlers for yemot-flow: read options, messages."""
