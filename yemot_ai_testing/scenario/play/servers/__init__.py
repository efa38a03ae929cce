"""Servers of the developer that run as processes of their own."""
