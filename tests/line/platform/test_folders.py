from __future__ import annotations

import pytest

from yemot_ai.flow.targets import resolve_target
from yemot_ai_testing.line.platform.folders import parent


@pytest.mark.parametrize(
    ("current", "target", "extension"),
    [
        ("1", "/", ""),
        ("", "/1/1", "1/1"),
        ("1", "2", "1/2"),
        ("", "2", "2"),
        ("1/2", ".", "1/2"),
        ("1/2", "..", "1"),
        ("1/2", "../..", ""),
        ("1/2", "../3", "1/3"),
        ("1", "../..", None),
        ("", "..", None),
        ("1", "hangup", None),
    ],
)
def test_targets_are_resolved_relative_to_the_current_extension(
    current: str, target: str, extension: str | None
) -> None:
    assert resolve_target(current, target) == extension


def test_the_parent_of_the_root_is_none() -> None:
    assert [parent("1/2"), parent("1"), parent("")] == ["1", "", None]
