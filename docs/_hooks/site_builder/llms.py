"""``llms.txt``: the pages of the site with a line each, and their whole text in ``llms-full.txt``.

The format is that of https://llmstxt.org: a title, a summary as a quotation, and lists of links.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

__all__ = ["SitePage", "full_text", "index"]

FIRST_SECTION = "Overview"
"""The heading above the pages that are not in a section of the navigation."""


@dataclass(frozen=True, slots=True)
class SitePage:
    """A page.

    Attributes:
        section: the heading of the navigation above it; empty for the first page.
        title: of the page.
        url: relative to the root of the site.
        summary: one line.
        text: its Markdown.
    """

    section: str
    title: str
    url: str
    summary: str
    text: str


def index(name: str, description: str, pages: Iterable[SitePage]) -> str:
    """Return the content of ``llms.txt``."""
    return "\n".join([*_heading(name, description), *_sections(pages)]) + "\n"


def full_text(name: str, description: str, pages: Iterable[SitePage]) -> str:
    """Return the content of ``llms-full.txt``."""
    texts = [f"<!-- {page.url} -->\n\n{page.text.strip()}\n" for page in pages]
    return "\n".join([*_heading(name, description), "", *texts])


def _heading(name: str, description: str) -> list[str]:
    return [f"# {name}", "", f"> {description}"]


def _sections(pages: Iterable[SitePage]) -> Iterator[str]:
    for section, members in groupby(pages, key=lambda page: page.section):
        yield from ("", f"## {section or FIRST_SECTION}", "")
        for page in members:
            yield f"- [{page.title}]({page.url}): {page.summary}"
