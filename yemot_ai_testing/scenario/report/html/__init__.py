"""Report a run of scenarios as one HTML page without external resources."""
