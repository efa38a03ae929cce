"""Scripted doubles of a model, a model service and the platform's API."""
