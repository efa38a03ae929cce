from __future__ import annotations

import pytest

from yemot_ai_testing.line.platform.folders import parent, resolve


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
def test_a_target_leads_where_the_folders_lie(current: str, target: str, extension: str | None) -> None:
    assert resolve(current, target) == extension


def test_above_an_extension_is_its_folder_and_above_the_root_nothing() -> None:
    assert [parent("1/2"), parent("1"), parent("")] == ["1", "", None]
