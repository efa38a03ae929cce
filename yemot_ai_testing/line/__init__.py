"""The platform's side of a call: the line, the scripted caller, and the ways to an application."""
