"""Report a played call as text, data, failure message or HTML page."""
