"""Mistakes of a declaration, which the replacement of its model must not hide."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from yemot_ai.sessions import MemoryStore
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.hunt.app_loader import AppLoader
from yemot_ai_testing.hunt.replacement import ReplacedStores
from yemot_ai_testing.phone.target import open_phone_target
from yemot_ai_testing.property import EchoProvider

LINE = """\
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider

flow = AIFlow(YemotAI({arguments}))
"""

MISTAKES = {
    "'opanai'": "unknown mode 'opanai': did you mean 'openai'? Use one of",
    "mode='Codex '": "unknown mode 'Codex '",
    "": "give either mode=",
    "'codex', provider=ScriptedProvider()": "give either mode=",
    "ScriptedProvider()": "give a provider as YemotAI(provider=…)",
    "provider='openai'": "provider='openai' is a mode",
    "provider=ScriptedProvider": "provider=ScriptedProvider is a class",
    "provider=ScriptedProvider(), model='gpt'": "go with mode=",
    "'openai', modle='gpt'": "unexpected keyword argument 'modle'",
    "'codex', store='postgres://db'": "names no store",
    "'codex', store=5": "store=5: give a SessionStore",
    "'codex', turn_timeout=0": "turn_timeout=0",
    "'codex', session_ttl='long'": "session_ttl='long'",
    "'codex', limits=3": "limits=3",
    "'codex', remember='always'": "remember='always'",
    "'codex', transcriber=5": "5 is not a transcriber",
}

RIGHT = [
    "'openai'",
    "'anthropic', model='claude', store='redis://localhost'",
    "'codex', store='sqlite:calls.db'",
    "'codex', store='json:calls'",
    "provider=ScriptedProvider(), remember='caller', store='memory:'",
]

Open = Callable[[str], object]


def open_phone(target: str) -> object:
    with open_phone_target(target) as opened:
        return opened.app


def open_hunt(target: str) -> object:
    with AppLoader(target) as loader:
        return loader.load(EchoProvider(), ReplacedStores(MemoryStore)).app


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write lines into the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    sys.modules.pop("line_declared", None)


@pytest.mark.parametrize("opened", [open_phone, open_hunt])
@pytest.mark.parametrize("arguments", MISTAKES)
def test_a_mistake_in_the_declaration_is_found(arguments: str, opened: Open, folder: Path) -> None:
    path = folder / "line_declared.py"
    path.write_text(LINE.format(arguments=arguments), encoding="utf-8")
    with pytest.raises(AppError) as raised:
        opened("line_declared:flow")
    assert MISTAKES[arguments] in str(raised.value)
    assert f"(at {path}:4)" in str(raised.value)


@pytest.mark.parametrize("opened", [open_phone, open_hunt])
@pytest.mark.parametrize("arguments", RIGHT)
def test_a_declaration_needs_no_key_and_opens_no_store(arguments: str, opened: Open, folder: Path) -> None:
    (folder / "line_declared.py").write_text(LINE.format(arguments=arguments), encoding="utf-8")
    assert opened("line_declared:flow")
    assert [path.name for path in folder.iterdir() if path.is_dir() or path.suffix == ".db"] in (
        [],
        ["__pycache__"],
    )


@pytest.mark.parametrize("opened", [open_phone, open_hunt])
def test_an_agent_whose_own_provider_is_none_is_found(opened: Open, folder: Path) -> None:
    agent = "\n\n@flow.ai_agent('', provider='openai')\ndef agent(call, text): ...\n"
    (folder / "line_declared.py").write_text(LINE.format(arguments="'codex'") + agent, encoding="utf-8")
    with pytest.raises(AppError, match=r"'openai' is no provider.*line_declared\.py:7"):
        opened("line_declared:flow")


@pytest.mark.parametrize("opened", [open_phone, open_hunt])
def test_a_factory_that_fails_is_named(opened: Open, folder: Path) -> None:
    source = "from yemot_ai import AIFlow, YemotAI\n\ndef make():\n    return AIFlow(YemotAI('opanai'))\n"
    (folder / "line_declared.py").write_text(source, encoding="utf-8")
    with pytest.raises(AppError, match=r"line_declared\.py:4: unknown mode 'opanai'"):
        opened("line_declared:make")


TOOL = "def order_status(id: int) -> str:\n    '''Return the status of an order.'''\n    return 'ready'\n\n\n"
AGENT = "\n\n@flow.ai_agent('', greeting='שלום', {settings})\ndef agent(call, text): ...\n"


@pytest.mark.parametrize("opened", [open_phone, open_hunt])
@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ("'codex', tools=[order_status]", "listen='voice'"),
        ("'codex'", "tools=[order_status]"),
        ("'openai'", "tools=[order_status], provider=Parrot()"),
    ],
)
def test_a_provider_that_cannot_call_tools_is_found(
    arguments: str, settings: str, opened: Open, folder: Path
) -> None:
    parrot = (
        "class Parrot:\n    name = 'parrot'\n"
        "    async def start_session(self, prompt, **_): ...\n"
        "    async def continue_session(self, session, prompt, **_): ...\n\n"
    )
    source = TOOL + parrot + LINE.format(arguments=arguments) + AGENT.format(settings=settings)
    (folder / "line_declared.py").write_text(source, encoding="utf-8")
    with pytest.raises(
        AppError, match=r"the provider '(codex|parrot)' cannot call tools: use OpenAIProvider"
    ):
        opened("line_declared:flow")


@pytest.mark.parametrize("arguments", ["'openai', tools=[order_status]", "'anthropic'"])
def test_a_provider_that_calls_tools_is_right(arguments: str, folder: Path) -> None:
    agent = AGENT.format(settings="tools=[order_status]")
    source = TOOL + LINE.format(arguments=arguments) + agent
    (folder / "line_declared.py").write_text(source, encoding="utf-8")
    assert open_phone("line_declared:flow")
