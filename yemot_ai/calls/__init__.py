"""The life of a call: begin, limits, memory of callers, end."""
