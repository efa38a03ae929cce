"""What a built page consists of: its elements, the texts of its paragraphs, its links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

__all__ = ["Element", "HtmlPage", "read_page"]

_LOADED: Final = {
    "link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src",
    "audio": "src", "embed": "src", "object": "data",
}  # fmt: skip
_NOT_LOADED: Final = {"canonical", "next", "prev", "alternate"}


@dataclass(frozen=True, slots=True)
class Element:
    """An element.

    Attributes:
        tag: in lower case.
        attributes: by name; one without a value has an empty one.
    """

    tag: str
    attributes: dict[str, str]


@dataclass(slots=True)
class HtmlPage:
    """A page.

    Attributes:
        path: the file.
        elements: all, in their order.
        paragraphs: the texts of the ``p`` elements.
    """

    path: Path
    elements: list[Element] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)

    @property
    def root(self) -> Element:
        return next(element for element in self.elements if element.tag == "html")

    @property
    def body(self) -> Element:
        return next(element for element in self.elements if element.tag == "body")

    @property
    def anchors(self) -> set[str]:
        return {
            element.attributes[name]
            for element in self.elements
            for name in ("id", "name")
            if name in element.attributes
        }

    def links(self) -> Iterator[str]:
        """Yield the target of each link to a page."""
        yield from (e.attributes["href"] for e in self.elements if e.tag == "a" and "href" in e.attributes)

    def loaded(self) -> Iterator[str]:
        """Yield the address of all that a browser loads with the page."""
        for element in self.elements:
            address = element.attributes.get(_LOADED.get(element.tag, ""))
            if address and element.attributes.get("rel") not in _NOT_LOADED:
                yield address

    def target(self, link: str) -> tuple[Path, str]:
        """Return the file and the anchor of a local link."""
        parts = urlsplit(link)
        path = (self.path.parent / unquote(parts.path)).resolve() if parts.path else self.path
        return (path / "index.html" if path.is_dir() else path), unquote(parts.fragment)


class _Reader(HTMLParser):
    def __init__(self, page: HtmlPage) -> None:
        super().__init__()
        self._page = page
        self._in_paragraph = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._page.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        if tag == "p":
            self._in_paragraph = True
            self._page.paragraphs.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_paragraph = self._in_paragraph and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._in_paragraph:
            self._page.paragraphs[-1] += data


def read_page(path: Path) -> HtmlPage:
    """Return a page of the site."""
    page = HtmlPage(path)
    _Reader(page).feed(path.read_text(encoding="utf-8"))
    return page
