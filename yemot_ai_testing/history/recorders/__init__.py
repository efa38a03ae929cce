"""Record the events of calls: around an application, a provider, a store."""
