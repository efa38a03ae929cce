"""What the providers over an SDK share: client, deadline, errors, stateless chat."""
