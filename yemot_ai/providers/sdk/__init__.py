"""Shared by the SDK providers: client, deadline, errors, stateless chat."""
