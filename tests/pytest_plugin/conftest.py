from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import TypeAlias

import hypothesis.strategies  # noqa: F401 - see below
import pytest

# An inner pytest forgets what it was the first to import, and a half-forgotten library is broken.
import yemot_ai_testing.codex.fake.double
import yemot_ai_testing.codex.real
import yemot_ai_testing.pytest_plugin.reports.github
import yemot_ai_testing.pytest_plugin.reports.html
import yemot_ai_testing.pytest_plugin.reports.junit
import yemot_ai_testing.pytest_plugin.reports.reached
import yemot_ai_testing.pytest_plugin.scenarios.baseline
import yemot_ai_testing.pytest_plugin.scenarios.items
import yemot_ai_testing.pytest_plugin.scenarios.selection
import yemot_ai_testing.pytest_plugin.snapshots
import yemot_ai_testing.scenario.play.model_double  # noqa: F401 - see above
from yemot_ai import YemotAI
from yemot_ai_testing import AnthropicMock, OpenAIMock

Run: TypeAlias = "Callable[..., pytest.RunResult]"

SHOP = """
def app(pairs):
    values = dict(pairs)
    if "hangup" in values:
        return "noop=bye"
    if "q1" in values:
        return "id_list_message=t-תודה&go_to_folder=hangup"
    return "read=t-ברוכים הבאים=q1,no,voice"
"""

CALLS = """
scenarios:
  - name: הזמנת פיצה
    turns:
      - hears: ברוכים הבאים
      - says: פיצה
        hears: {contains: תודה, ends: true}
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with an application, a file of calls and an ordinary test."""
    pytester.path.joinpath("shop.py").write_text(SHOP, encoding="utf-8")
    pytester.path.joinpath("shop.call.yaml").write_text(CALLS, encoding="utf-8")
    pytester.makepyfile(test_ordinary="def test_ordinary(): pass")
    pytester.makefile(".toml", pytest="[pytest]\nstrict = true\n")
    return pytester


@pytest.fixture(scope="session")
def sdks() -> None:
    """Let the libraries that speak to models import all that they ever will, before an inner run does."""
    with OpenAIMock() as openai, AnthropicMock() as claude:
        openai.answers("כן")
        claude.answers("כן")
        for ai in (
            YemotAI("openai", openai_api_key="test", model="m"),
            YemotAI("anthropic", anthropic_api_key="test", model="m"),
        ):
            ai.reply("call-1", "מי שם")
            ai.close()


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest in this process with our plugin and no other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run_pytest(*arguments: str) -> pytest.RunResult:
        plugins = ("-p", "yemot_ai_testing.plugin", "-p", "no:cacheprovider")
        return pytester.runpytest_inprocess(*plugins, *arguments)

    return run_pytest


@pytest.fixture
def write(project: pytest.Pytester) -> Callable[[str, str], None]:
    """Write a file of the project."""

    def write_file(name: str, text: str) -> None:
        path = project.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")

    return write_file
