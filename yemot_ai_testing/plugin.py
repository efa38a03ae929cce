"""The pytest plugin: options, marker and fixtures; whatever is heavy is imported when it is used."""

from __future__ import annotations
