"""Prove a phone agent without a phone, a key or a network."""
