"""Deviations of model servers from the standard shapes, one function each."""
