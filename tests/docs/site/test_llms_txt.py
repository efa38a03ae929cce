"""``llms.txt`` lists the pages for language models."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.site.html_page import HtmlPage

ENTRY = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<url>[^)]+)\): (?P<summary>.+)$", re.MULTILINE)


def test_each_page_has_a_line_with_a_summary(site: Path, site_pages: dict[str, HtmlPage]) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    assert text.startswith("# yemot-ai\n\n> ")
    assert {entry["url"] for entry in ENTRY.finditer(text)} == set(site_pages) - {"404.html"}


def test_the_whole_text_has_each_page(site: Path, site_pages: dict[str, HtmlPage]) -> None:
    text = (site / "llms-full.txt").read_text(encoding="utf-8")
    assert set(re.findall(r"^<!-- (\S+) -->$", text, re.MULTILINE)) == set(site_pages) - {"404.html"}


def test_a_summary_is_a_sentence_and_no_code(site: Path) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    summaries = [entry["summary"] for entry in ENTRY.finditer(text)]
    assert [one for one in summaries if len(one.split()) < 3 or "`" in one or " import " in one] == []
