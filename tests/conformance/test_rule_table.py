from __future__ import annotations

from tests.conformance.rule_table import SECTION, render


def test_the_table_of_the_documentation_has_each_rule() -> None:
    assert SECTION.read() == render(), f"run `{SECTION.command}`"
