"""The simulated line: callers, calls, and transports to an application."""
