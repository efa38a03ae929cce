"""Engines that choose the order of events, and end workers."""
