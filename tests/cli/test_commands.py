from __future__ import annotations

import sys
from pathlib import Path

import pytest

from yemot_ai import reference
from yemot_ai.cli.load_flow import REFERENCE_FLOW, load_flow
from yemot_ai.cli.main import main
from yemot_ai.errors import ConfigurationError


def test_the_reference_flow_is_found() -> None:
    assert load_flow(REFERENCE_FLOW) is reference.flow


def test_a_flow_is_found_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_phone.py").write_text(
        "from yemot_ai import AIFlow, YemotAI\nflow = AIFlow(YemotAI('codex'))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_phone", raising=False)

    assert load_flow("my_phone").routes == {}
    monkeypatch.delitem(sys.modules, "my_phone")


@pytest.mark.parametrize(
    "name",
    ["no_such_module:flow", "yemot_ai.reference:nothing", "yemot_ai.cli.main:main", ":flow", "..x:flow"],
    ids=["module", "name", "kind", "nothing", "dots"],
)
def test_a_name_that_is_not_a_flow_is_an_error(name: str) -> None:
    with pytest.raises(ConfigurationError):
        load_flow(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("line.py", "write line:flow"),
        ("./line.py", "such as line:flow"),
        ("shop/line.py:app", "such as shop.line:app"),
        ("/srv/line.py", "such as shop.phone:flow"),
        ("my-line.py", "such as shop.phone:flow"),
        (".py", "such as shop.phone:flow"),
        ("", "such as shop.phone:flow"),
        (".", "such as shop.phone:flow"),
        ("..", "such as shop.phone:flow"),
    ],
)
def test_a_file_in_the_place_of_a_module_is_told_the_module(name: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{said}$"):
        load_flow(name)


def test_a_missing_library_inside_the_users_module_is_not_mistaken_for_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_more.py").write_text("import a_library_that_is_not_there\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigurationError, match=r"needs_more\.py:1: .*'a_library_that_is_not_there'"):
        load_flow("needs_more:flow")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == "yemot-ai 0.2.0\n"


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit):
        main(["serve", f"--port={port}"])
    assert "is no port" in capsys.readouterr().err
