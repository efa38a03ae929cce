from __future__ import annotations

import pytest

from tests.docs.limits_table import PAGES, Page, render, settings


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.section.page)
def test_the_table_has_each_limit_with_its_default(page: Page) -> None:
    assert list(page.rows) == [name for name, _, _ in settings()]
    assert page.section.read() == render(page), f"run {page.section.command}"
