"""Converts the text of a model to text that the line can speak."""
