"""A played call as text, as data, as a failure message, as a page."""
