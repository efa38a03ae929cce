"""The codes of the lint, from its rules."""

from __future__ import annotations

from collections.abc import Iterator

from site_builder.reference.markdown import document
from yemot_ai.protocol.lint_rules import RULES

__all__ = ["page"]

INTRODUCTION = (
    "What `yemot-ai-testing lint` and the simulated line find in a response. Codes are stable. An error "
    "makes the line play M1607; a warning is doubtful. The label says how sure the rule is "
    "([labels](../index.md#words)); more on the lint: [protocol](../protocol.md#lint)."
)


def page() -> str:
    """Return the page, with a heading for each code."""
    return document("Lint codes", INTRODUCTION, *_levels())


def _levels() -> Iterator[str]:
    for level, title in (("error", "Errors"), ("warning", "Warnings")):
        yield f"## {title}"
        for rule in RULES.values():
            if rule.level == level:
                yield f"### {rule.code}"
                yield f"\\{rule.source} {rule.hint[:1].upper()}{rule.hint[1:]}."
