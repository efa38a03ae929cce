from __future__ import annotations

from pathlib import Path

from tests.support.codex import Codex
from yemot_ai import YemotAI
from yemot_ai.providers import CodexCLIProvider
from yemot_ai.providers.codex.capabilities import Capabilities
from yemot_ai.providers.codex.command import exec_command
from yemot_ai_testing.executable import write_executable


def line(known: Capabilities) -> list[str]:
    return exec_command(
        "codex",
        capabilities=known,
        instructions=Path("/i.md"),
        databases=None,
        sandbox="read-only",
        model=None,
        config={},
    )


def test_only_features_that_the_binary_knows_are_disabled_by_name() -> None:
    told = line(Capabilities(features=frozenset({"shell_tool", "something_new"})))

    assert [told[i + 1] for i, part in enumerate(told) if part == "--disable"] == ["shell_tool"]
    assert not any(part.startswith("features.") for part in told)


def test_a_binary_that_does_not_tell_its_features_is_not_trusted_with_any() -> None:
    told = line(Capabilities())

    assert "features.shell_tool=false" in told
    assert "features.unified_exec=false" in told
    assert "--disable" not in told


def test_a_binary_that_does_not_tell_its_features_still_answers(codex: Codex, tmp_path: Path) -> None:
    silent = tmp_path / "codex"
    write_executable(silent, f'#!/bin/sh\n[ "$1" = features ] && exit 2\nexec "{codex.executable}" "$@"\n')
    codex.answers("כן")

    assert YemotAI(provider=CodexCLIProvider(silent)).reply("c1", "יש?") == "כן"
    assert "features.shell_tool=false" in codex.requests[-1].argv
