"""Turn the text of a model into text that the line can speak."""
