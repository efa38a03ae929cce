"""Removing the tools from the catalogue of models, measured with the real Codex."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import exec_provider, run_async
from tests.support.raw_responses import RawResponses, whole
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.codex.model_catalogue import without_tools
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.doubles.model_service.request import ModelRequest


def bundled(binary: Path) -> bytes:
    command = [str(binary), "debug", "models", "--bundled"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_a_model_keeps_everything_but_its_tools() -> None:
    model = {"slug": "m", "tool_mode": "code_mode_only", "apply_patch_tool_type": "freeform", "priority": 3}
    (bare,) = json.loads(without_tools(json.dumps({"models": [model]}).encode()))["models"]
    assert bare["slug"] == "m"
    assert bare["priority"] == 3
    assert "tool_mode" not in bare
    assert "apply_patch_tool_type" not in bare
    assert bare["experimental_supported_tools"] == []


@pytest.mark.parametrize(
    "nonsense", [b"", b"error: unrecognized", b"[]", b"{}", b'{"models": []}', b'{"models": ["m"]}', b"\xff"]
)
def test_output_that_is_no_catalogue_gives_no_setting(nonsense: bytes) -> None:
    assert without_tools(nonsense) == ""


def test_every_known_model_stays_in_the_catalogue(real_binary: Path) -> None:
    before = bundled(real_binary)
    names = [model["slug"] for model in json.loads(before)["models"]]
    assert names
    assert [model["slug"] for model in json.loads(without_tools(before))["models"]] == names


@pytest.mark.slow
def test_no_known_model_is_offered_a_tool(real: RealCodex) -> None:
    names = [model["slug"] for model in json.loads(bundled(real.binary))["models"]]
    # One of each kind of tools is enough: the catalogue is built the same way for all.
    for name in (names[0], names[-1], "gpt-5.5"):
        real.answers("כן.")
        run_async(ask_provider(exec_provider(model=name), "שלום", instructions="ענה בקצרה"))
        request = real.model.requests[-1]
        assert request.body["model"] == name
        assert request.tools == ()
        assert request.instructions == "ענה בקצרה"
        assert request.size < 3000


@pytest.mark.slow
@pytest.mark.parametrize("provider", [CodexCLIProvider, CodexAppServerProvider])
@pytest.mark.parametrize("model", ["gpt-6-sol", "gpt-5.5", "no-such-model"])
def test_the_instructions_are_sent_once_in_every_turn(
    real_binary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, provider: type, model: str
) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))
    written = ("ענה בקצרה", "ענה בקצרה", "ענה באריכות")

    async def call() -> None:
        asked = provider(real_binary, timeout=20.0, **service.codex_options(model=model))
        session = None
        try:
            for instructions in written:
                reply = await ask_provider(asked, "שלום", session=session, instructions=instructions)
                session = reply.session
        finally:
            if isinstance(asked, CodexAppServerProvider):
                await asked.aclose()

    with RawResponses(whole("כן.")) as service:
        run_async(call())
    bodies = [json.dumps(request, ensure_ascii=False) for request in service.sent]
    assert [body.count(text) for body, text in zip(bodies, written, strict=True)] == [1, 1, 1]
    assert written[0] not in bodies[2]


@pytest.mark.slow
def test_a_given_catalogue_has_precedence(real: RealCodex, tmp_path: Path) -> None:
    catalogue = json.loads(bundled(real.binary))
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"models": [{**catalogue["models"][-1], "slug": "mine"}]}), encoding="utf-8")
    real.answers("כן.")
    run_async(ask_provider(exec_provider(model="mine", config={"model_catalog_json": f'"{mine}"'}), "שלום"))
    settings = [part for part in real.requests[0].argv if part.startswith("model_catalog_json=")]
    assert settings == [f'model_catalog_json="{mine}"']


@pytest.mark.slow
def test_the_catalogue_is_in_a_private_file(real: RealCodex) -> None:
    real.answers("כן.")
    run_async(ask_provider(exec_provider(), "שלום"))
    (setting,) = [part for part in real.requests[0].argv if part.startswith("model_catalog_json=")]
    path = Path(json.loads(setting.partition("=")[2]))
    assert path.stat().st_mode & 0o777 == 0o600


def test_tools_in_the_input_count_as_tools() -> None:
    spaces = [
        {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]},
        {"type": "namespace", "name": "clock", "tools": [{"type": "function", "name": "sleep"}]},
    ]
    tools = {"type": "additional_tools", "role": "developer", "tools": spaces}
    message = {"type": "message", "role": "developer", "content": "ענה בקצרה"}
    body = {"tools": [{"type": "web_search"}], "input": [tools, message, {"role": "user", "content": "שלום"}]}
    request = ModelRequest("/v1/responses", {}, body, 0)
    assert request.tools == ("web_search", "exec", "clock.sleep")
    assert request.instructions == "ענה בקצרה"
