"""The pages of the built documentation: links, pictures, languages, and nothing from other hosts."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from tests.docs.site.html_page import HtmlPage

SitePages = dict[str, HtmlPage]

CSS_ADDRESS = re.compile(r"url\(\s*['\"]?([^)'\"]+)|@import\s+['\"]([^'\"]+)")
UNRENDERED = re.compile(r"^(?:\| |```|:::)|\n(?:[*-] |\d+\. |\| |```)", re.MULTILINE)
"""A list, table or block that Markdown took for the text of a paragraph."""


def is_remote(address: str) -> bool:
    return bool(urlsplit(address).netloc)


def test_each_local_link_leads_to_a_page_and_an_anchor(site_pages: SitePages) -> None:
    by_path = {page.path: page for page in site_pages.values()}
    broken = []
    for name, page in site_pages.items():
        for link in page.links():
            if urlsplit(link).scheme or is_remote(link) or name == "404.html":
                continue
            path, anchor = page.target(link)
            known = path.exists() and (not anchor or path not in by_path or anchor in by_path[path].anchors)
            broken += [] if known else [f"{name}: {link}"]
    assert broken == []


def test_no_page_loads_anything_from_another_host(site_pages: SitePages) -> None:
    remote = [
        (name, address)
        for name, page in site_pages.items()
        for address in page.loaded()
        if is_remote(address)
    ]
    assert remote == []


def test_no_style_loads_anything_from_another_host(site: Path) -> None:
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    addresses = [one or other for style in styles for one, other in CSS_ADDRESS.findall(style)]
    assert styles
    assert [address for address in addresses if is_remote(address)] == []


def test_each_file_that_a_page_loads_exists(site_pages: SitePages) -> None:
    missing = [
        (name, address)
        for name, page in site_pages.items()
        for address in page.loaded()
        if name != "404.html" and not address.startswith("data:") and not page.target(address)[0].is_file()
    ]
    assert missing == []


def test_each_picture_has_a_text(site_pages: SitePages) -> None:
    pictures = [element for page in site_pages.values() for element in page.elements if element.tag == "img"]
    assert pictures
    assert [picture for picture in pictures if not picture.attributes.get("alt")] == []


def test_each_page_is_in_the_navigation(site_pages: SitePages, site: Path) -> None:
    home = site_pages["index.html"]
    linked = {
        home.target(link)[0].relative_to(site).as_posix() for link in home.links() if not is_remote(link)
    }
    assert set(site_pages) - linked == {"404.html"}


def test_hebrew_pages_are_written_from_right_to_left(site_pages: SitePages) -> None:
    languages = {
        name: (page.root.attributes["lang"], page.body.attributes["dir"])
        for name, page in site_pages.items()
        if name != "404.html"
    }
    assert {value for name, value in languages.items() if name.startswith("he/")} == {("he", "rtl")}
    assert {value for name, value in languages.items() if not name.startswith("he/")} == {("en", "ltr")}


def test_a_page_in_two_languages_links_to_the_other_one(site_pages: SitePages) -> None:
    for name, other in {"agents.html": "he/agents.html", "he/agents.html": "agents.html"}.items():
        page = site_pages[name]
        menu = [e.attributes["href"] for e in page.elements if e.tag == "a" and "hreflang" in e.attributes]
        assert site_pages[other].path in {page.target(link)[0] for link in menu}


def test_no_example_of_a_docstring_is_shown_as_a_quotation(site_pages: SitePages) -> None:
    quotations = [
        name
        for name, page in site_pages.items()
        if name.startswith("reference/") and any(element.tag == "blockquote" for element in page.elements)
    ]
    assert quotations == []


def test_no_list_or_table_is_shown_as_text(site_pages: SitePages) -> None:
    shown = [
        (name, text)
        for name, page in site_pages.items()
        for text in page.paragraphs
        if UNRENDERED.search(text)
    ]
    assert shown == []
