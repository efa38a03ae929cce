"""The references: pages that are made from the code when the site is built, so that they match it."""

from __future__ import annotations

from site_builder.reference import (
    commands,
    errors,
    lint_codes,
    pytest_options,
    python_api,
    scenario_keys,
    settings,
)

__all__ = ["reference_pages"]


def reference_pages() -> dict[str, str]:
    """Return the Markdown of each page, by its path in the site."""
    return {
        "reference/yemot-ai.md": commands.page("yemot-ai", "yemot_ai.cli.main"),
        "reference/yemot-ai-testing.md": commands.page("yemot-ai-testing", "yemot_ai_testing.cli.main"),
        "reference/scenario-keys.md": scenario_keys.page(),
        "reference/pytest.md": pytest_options.page(),
        "reference/settings.md": settings.page(),
        "reference/errors.md": errors.page(),
        "reference/lint-codes.md": lint_codes.page(),
        **python_api.pages(),
    }
