"""Plants realistic faults around an application, and finds out which tests notice them."""
