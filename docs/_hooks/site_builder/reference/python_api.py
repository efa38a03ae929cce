"""The Python interface: a page for each public place, which mkdocstrings fills from docstrings."""

from __future__ import annotations

import importlib

from site_builder.reference.markdown import document

__all__ = ["PLACES", "pages"]

PLACES = {
    "yemot_ai": "`YemotAI`, `AIFlow` and their arguments.",
    "yemot_ai.providers": "Providers: what answers.",
    "yemot_ai.sessions": "Session stores, and what they keep.",
    "yemot_ai.observability": "Metrics for Prometheus and spans for OpenTelemetry.",
    "yemot_ai.transcription": "Transcribers of recordings.",
    "yemot_ai.protocol": "The protocol of the line: requests, responses, lint.",
    "yemot_ai_testing": "Callers and doubles.",
    "yemot_ai_testing.line": "Events of a call on the simulated line.",
    "yemot_ai_testing.scenario": "Scenarios as values.",
    "yemot_ai_testing.property": "Strategies and state machines for Hypothesis.",
    "yemot_ai_testing.history": "Histories of many calls, and what is wrong in them.",
    "yemot_ai_testing.contract": "Rule suites for providers, stores and executables.",
}
"""The public places of the architecture, except the errors, which have a page of their own."""


def pages() -> dict[str, str]:
    """Return the page of each place, by its path."""
    return {f"reference/python/{place}.md": _page(place, purpose) for place, purpose in PLACES.items()}


def _is_own(value: object) -> bool:
    """Return whether this project documents a name: yemot-flow documents what is taken from it."""
    return str(getattr(value, "__module__", "yemot_ai")).startswith("yemot_ai")


def _page(place: str, purpose: str) -> str:
    module = importlib.import_module(place)
    names = [name for name in module.__all__ if not name.startswith("__") and _is_own(getattr(module, name))]
    entries = [f"## {name}\n\n::: {place}.{name}" for name in sorted(names, key=str.lower)]
    return document(place, purpose, *entries)
