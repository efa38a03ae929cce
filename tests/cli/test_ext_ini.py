"""``yemot-ai ext-ini``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from yemot_ai.cli.main import main
from yemot_ai.errors import ConfigurationError
from yemot_ai.ext_ini import extension_file
from yemot_ai_testing.line.platform.tree import Line

URL = "https://line.example.com/yemot"
SETTINGS = f"type=api\napi_link={URL}\napi_url_post=yes\napi_say_tts=no\napi_wait_answer_music_on_hold=yes\n"
SECRET = "only-the-line-knows"  # noqa: S105 - of no line

FLOW = """\
from yemot_ai import AccessPolicy, AIFlow, YemotAI
flow = AIFlow(YemotAI("codex"), access=AccessPolicy({access}))
for extension in {extensions!r}:
    flow.add_route(extension, lambda call: None)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with a flow of three extensions."""
    write_flow(tmp_path, ["", "/1", "1/2"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    sys.modules.pop("ini_line", None)
    yield tmp_path
    sys.modules.pop("ini_line", None)


def write_flow(folder: Path, extensions: list[str], access: str = "") -> None:
    (folder / "ini_line.py").write_text(FLOW.format(extensions=extensions, access=access))


def notes(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_the_settings_of_the_line_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ext-ini", URL]) == 0
    assert capsys.readouterr().out == SETTINGS


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("example.org", "no http"),
        ("https://example.org/?secret=x", "api_add_0"),
        ("http://[::1/p", "no URL"),
        ("https://a:99999/p", "no URL"),
        ("https://x y/z", "no http"),
        ("https://x/y\napi_log=no", "no http"),
    ],
    ids=["no-scheme", "query", "bracket", "port", "space", "newline"],
)
def test_a_url_that_the_line_could_not_call_is_refused(
    capsys: pytest.CaptureFixture[str], url: str, reason: str
) -> None:
    assert main(["ext-ini", url]) == 2
    assert reason in notes(capsys)


def test_without_a_flow_it_says_that_each_extension_needs_the_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["ext-ini", URL])
    assert "yemot-ai ext-ini module:flow URL --into FOLDER" in notes(capsys)


def test_with_a_flow_it_says_which_folders_need_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ext-ini", "ini_line:flow", URL])
    assert "put this into ext.ini, 1/ext.ini, 1/2/ext.ini" in notes(capsys)


def test_a_flow_without_extensions_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_flow(folder, [])
    main(["ext-ini", "ini_line:flow", URL])
    assert "the flow has no extensions" in notes(capsys)


def test_each_extension_gets_a_file_that_the_simulated_line_reads_without_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ext-ini", "ini_line:flow", URL, "--secret", SECRET, "--into", "line"]) == 0
    line = Line.read(folder / "line")
    assert sorted(line.extensions) == ["", "1", "1/2"]
    assert {extension.constants for extension in line.extensions.values()} == {(("secret", SECRET),)}
    assert line.warnings == ()
    captured = capsys.readouterr()
    assert captured.out.split() == ["line/ext.ini", "line/1/ext.ini", "line/1/2/ext.ini"]
    assert captured.err == ""


def test_the_same_settings_are_written_again(folder: Path) -> None:
    command = ["ext-ini", "ini_line:flow", URL, "--into", "line"]
    assert main(command) == 0
    settings = (folder / "line" / "ext.ini").read_bytes()
    (folder / "line" / "ext.ini").write_bytes(b"\xef\xbb\xbf" + settings.replace(b"\n", b"\r\n"))
    assert main(command) == 0
    assert (folder / "line" / "ext.ini").read_bytes() == settings


def test_other_settings_are_overwritten_only_by_force(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = folder / "line" / "1" / "2" / "ext.ini"
    other.parent.mkdir(parents=True)
    other.write_text("type=menu\n")
    command = ["ext-ini", "ini_line:flow", URL, "--into", "line"]

    assert main(command) == 2
    assert "line/1/2/ext.ini: other settings are there, and nothing was written; --force" in notes(capsys)
    assert [path for path in (folder / "line").rglob("ext.ini") if path != other] == []
    assert main([*command, "--force"]) == 0
    assert other.read_text() == SETTINGS


def test_a_folder_that_is_a_file_is_an_error_without_a_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "line").write_text("")
    assert main(["ext-ini", "ini_line:flow", URL, "--into", "line"]) == 2
    assert "yemot-ai: line" in notes(capsys)


def test_into_needs_a_flow(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ext-ini", URL, "--into", "line"]) == 2
    assert "--into needs the flow" in notes(capsys)


@pytest.mark.parametrize("extension", ["../up", "1/../..", "a\\b", "a\nb", "a*b"])
def test_an_extension_that_is_no_folder_of_the_line_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], extension: str
) -> None:
    write_flow(folder, [extension])
    assert main(["ext-ini", "ini_line:flow", URL, "--into", "line"]) == 2
    assert "yemot-ai: " in notes(capsys)
    assert not (folder / "line").exists()


@pytest.mark.parametrize(
    "extension", ["..", "../up", "1/../..", "1//2", "1/", "/1", ".", "a\\b", "a\nb", "a:b"]
)
def test_a_name_that_is_no_folder_has_no_file(extension: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be a folder"):
        extension_file(extension)


def test_folders_without_a_handler_on_the_way_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_flow(folder, ["", "3/4/5"])
    main(["ext-ini", "ini_line:flow", URL, "--into", "line"])
    assert "/3, /3/4: no handler" in notes(capsys)


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8000",
        "127.0.0.1",
        "[::1]",
        "192.168.1.4",
        "10.0.0.1",
        "169.254.0.1",
        "myserver",
        "pc.local",
    ],
)
def test_an_address_that_the_line_cannot_reach_warns(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ext-ini", f"https://{host}/yemot"]) == 0
    assert "the line cannot reach it" in notes(capsys)


def test_http_without_a_certificate_warns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ext-ini", "http://line.example.com/yemot"]) == 0
    warnings = notes(capsys)
    assert "https://" in warnings
    assert "cannot reach" not in warnings


def test_characters_that_are_encoded_warn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ext-ini", "https://line.example.com/קו"]) == 0
    assert "[?]" in notes(capsys)


@pytest.mark.parametrize(
    ("access", "arguments", "warning"),
    [
        ("", [], "--secret makes one"),
        (f"secret={SECRET!r}", [], "the line would send none"),
        (f"secret={SECRET!r}", ["--secret", "another-secret"], "another secret"),
        (f"secret={SECRET!r}", ["--secret"], ""),
        ("", ["--secret"], ""),
    ],
)
def test_what_is_missing_of_the_secret_warns(
    folder: Path, capsys: pytest.CaptureFixture[str], access: str, arguments: list[str], warning: str
) -> None:
    write_flow(folder, [""], access)
    main(["ext-ini", "ini_line:flow", URL, "--into", "line", *arguments])
    printed = notes(capsys)
    assert warning in printed
    assert bool(printed) == bool(warning)


def test_a_secret_in_the_path_is_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_flow(folder, [""], f"secret={SECRET!r}")
    main(["ext-ini", "ini_line:flow", f"{URL}/{SECRET}", "--into", "line"])
    assert notes(capsys) == ""


def test_the_secret_of_the_flow_is_written_under_its_name(folder: Path) -> None:
    write_flow(folder, [""], f"secret={SECRET!r}, secret_name='password'")
    main(["ext-ini", "ini_line:flow", URL, "--into", "line", "--secret"])
    assert Line.read(folder / "line").extensions[""].constants == (("password", SECRET),)
