from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.codex import Codex
from yemot_ai import YemotAI
from yemot_ai.providers import CodexCLIProvider
from yemot_ai.providers.codex.capabilities import Capabilities
from yemot_ai.providers.codex.command import Program, exec_command
from yemot_ai_testing.executable import write_executable


def build_command(capabilities: Capabilities) -> list[str]:
    program = Program("codex", capabilities, databases=None, models=None, config={})
    return exec_command(program, instructions=Path("/i.md"), sandbox="read-only", model=None)


def test_only_known_features_are_disabled_by_name() -> None:
    command = build_command(Capabilities(features=frozenset({"shell_tool", "something_new"})))

    assert [command[i + 1] for i, part in enumerate(command) if part == "--disable"] == ["shell_tool"]
    assert not any(part.startswith("features.") for part in command)


def test_without_known_features_all_are_disabled_as_settings() -> None:
    command = build_command(Capabilities())

    assert "features.shell_tool=false" in command
    assert "features.unified_exec=false" in command
    assert "--disable" not in command


@pytest.mark.slow
def test_a_binary_without_a_feature_list_still_answers(codex: Codex, tmp_path: Path) -> None:
    silent = tmp_path / "codex"
    write_executable(silent, f'#!/bin/sh\n[ "$1" = features ] && exit 2\nexec "{codex.executable}" "$@"\n')
    codex.answers("כן")

    assert YemotAI(provider=CodexCLIProvider(silent)).reply("c1", "יש?") == "כן"
    assert "features.shell_tool=false" in codex.requests[-1].argv
