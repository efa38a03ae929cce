from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.asking import ask_provider
from yemot_ai.errors import CodexNotFoundError, ProviderError
from yemot_ai.providers import CodexCLIProvider
from yemot_ai_testing.executable import write_executable


def program(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "codex"
    write_executable(path, "#!/bin/sh\n")
    return path


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package like ``openai-codex-cli-bin``, which has the path of its program."""
    inside = program(tmp_path / "site" / "codex_cli_bin" / "bin")
    module = inside.parents[1] / "__init__.py"
    module.write_text(
        "import pathlib\n"
        "def bundled_codex_path():\n"
        "    return pathlib.Path(__file__).parent / 'bin' / 'codex'\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    yield inside
    sys.modules.pop("codex_cli_bin", None)


def test_the_codex_on_the_path_comes_first(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = program(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(own.parent))

    assert CodexCLIProvider().check() == own


def test_the_codex_of_the_python_package_is_found_without_one_on_the_path(packaged: Path) -> None:
    assert CodexCLIProvider().check() == packaged


def test_another_name_is_not_looked_for_in_the_package(packaged: Path) -> None:
    with pytest.raises(CodexNotFoundError, match="my-codex"):
        CodexCLIProvider("my-codex").check()


def test_a_home_that_cannot_be_created_is_no_missing_codex(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "file" / "home"))

    with pytest.raises(ProviderError, match="YEMOT_AI_HOME") as caught:
        asyncio.run(ask_provider(CodexCLIProvider(program(tmp_path / "bin")), "שלום"))
    assert not caught.value.transient


def test_a_file_that_is_no_program_is_a_permanent_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "home"))
    broken = program(tmp_path / "bin")
    broken.write_bytes(b"\x00 not a program")

    with pytest.raises(ProviderError, match="Exec format error") as caught:
        asyncio.run(ask_provider(CodexCLIProvider(broken), "שלום"))
    assert not caught.value.transient
