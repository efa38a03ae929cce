"""The events of MkDocs that the site needs beyond ``mkdocs.yml``.

* ``on_files`` adds the pages of the repository's root, and the references that are made from the code.
* ``on_page_markdown`` turns what GitHub needs in a page into what the site needs.
* ``on_page_context`` sets language and direction of each page.
* ``on_post_build`` writes ``llms.txt`` and ``llms-full.txt``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

from site_builder import languages, llms
from site_builder.page_text import ROOT_PAGES, site_markdown, summary
from site_builder.reference import reference_pages

SEARCH_LANGUAGES = ["en", "he"]

_navigation: list[Page] = []
"""The pages in the order of the navigation; each has its text when the site is built."""


def on_config(config: MkDocsConfig) -> None:
    """Let the search split Hebrew words; MkDocs itself does not know that its theme has Hebrew."""
    search: Any = config.plugins["material/search"]
    search.config.lang = SEARCH_LANGUAGES


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages that are not in ``docs``."""
    root = Path(config.docs_dir).parent
    texts = {target: (root / source).read_text(encoding="utf-8") for source, target in ROOT_PAGES.items()}
    for path, text in (texts | reference_pages()).items():
        files.append(File.generated(config, path, content=text))


def on_nav(nav: Navigation, **_: Any) -> None:  # noqa: ANN401 - MkDocs passes more
    """Keep the order of the pages."""
    _navigation[:] = nav.pages


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:  # noqa: ANN401 - as above
    """Return the text of a page for the site."""
    text = site_markdown(markdown, page.file.src_uri)
    page.meta.setdefault("description", summary(text))
    return text


def on_page_context(context: Any, *, page: Page, config: MkDocsConfig, **_: Any) -> Any:  # noqa: ANN401 - as above
    """Set what the theme takes from the configuration for each page: language, direction, other language."""
    language = languages.language_of(page.file.src_uri)
    theme: Any = config.theme
    theme["language"], theme["direction"] = language.code, language.direction
    config.extra["alternate"] = languages.alternates(page.file.src_uri, context["pages"])
    return context


def on_post_build(config: MkDocsConfig) -> None:
    """Write the lists of pages for language models, and a sitemap where the theme looks for one."""
    site = Path(config.site_dir)
    for page in _navigation:
        # The theme asks for it beside each page of the menu of languages; without it a browser logs an error.
        if not (sitemap := (site / page.url).with_name("sitemap.xml")).exists():
            shutil.copyfile(site / "sitemap.xml", sitemap)
    pages = [_site_page(page) for page in _navigation]
    heading = (config.site_name, config.site_description or "")
    (site / "llms.txt").write_text(llms.index(*heading, pages), encoding="utf-8")
    (site / "llms-full.txt").write_text(llms.full_text(*heading, pages), encoding="utf-8")


def _site_page(page: Page) -> llms.SitePage:
    ancestors = list(page.ancestors)
    return llms.SitePage(
        section=str(ancestors[-1].title) if ancestors else "",
        title=str(page.title),
        url=page.url,
        summary=str(page.meta["description"]),
        text=page.markdown or "",
    )
