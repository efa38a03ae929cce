"""Who answers: the provider protocol and its implementations."""
