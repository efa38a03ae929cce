"""Recorders of events: wrap an application, a provider or a store."""
