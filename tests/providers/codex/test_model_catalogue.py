"""The tools that a model brings along: taken out of the catalogue, measured on the real binary."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.codex import asked, provider
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
def test_what_is_no_catalogue_is_no_setting(nonsense: bytes) -> None:
    assert without_tools(nonsense) == ""


def test_every_model_that_the_binary_knows_is_in_the_catalogue_still(real_binary: Path) -> None:
    before = bundled(real_binary)
    names = [model["slug"] for model in json.loads(before)["models"]]
    assert names
    assert [model["slug"] for model in json.loads(without_tools(before))["models"]] == names


def test_no_model_that_the_binary_knows_is_offered_a_tool(real: RealCodex) -> None:
    names = [model["slug"] for model in json.loads(bundled(real.binary))["models"]]
    # One of each kind of tools is enough: the catalogue is made the same way for all.
    for name in (names[0], names[-1], "gpt-5.5"):
        real.answers("כן.")
        asked(provider(model=name).start_session("שלום", instructions="ענה בקצרה"))
        request = real.model.requests[-1]
        assert request.body["model"] == name
        assert request.tools == ()
        assert request.instructions == "ענה בקצרה"
        assert request.size < 3000


def test_a_catalogue_of_the_users_own_wins(real: RealCodex, tmp_path: Path) -> None:
    catalogue = json.loads(bundled(real.binary))
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"models": [{**catalogue["models"][-1], "slug": "mine"}]}), encoding="utf-8")
    real.answers("כן.")
    asked(provider(model="mine", config={"model_catalog_json": f'"{mine}"'}).start_session("שלום"))
    settings = [part for part in real.requests[0].argv if part.startswith("model_catalog_json=")]
    assert settings == [f'model_catalog_json="{mine}"']


def test_the_catalogue_lies_in_a_private_file_of_ours(real: RealCodex) -> None:
    real.answers("כן.")
    asked(provider().start_session("שלום"))
    (setting,) = [part for part in real.requests[0].argv if part.startswith("model_catalog_json=")]
    path = Path(json.loads(setting.partition("=")[2]))
    assert path.stat().st_mode & 0o777 == 0o600


def test_tools_that_stand_in_the_input_are_tools_too() -> None:
    spaces = [
        {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]},
        {"type": "namespace", "name": "clock", "tools": [{"type": "function", "name": "sleep"}]},
    ]
    told = {"type": "additional_tools", "role": "developer", "tools": spaces}
    spoken = {"type": "message", "role": "developer", "content": "ענה בקצרה"}
    body = {"tools": [{"type": "web_search"}], "input": [told, spoken, {"role": "user", "content": "שלום"}]}
    request = ModelRequest("/v1/responses", {}, body, 0)
    assert request.tools == ("web_search", "exec", "clock.sleep")
    assert request.instructions == "ענה בקצרה"
