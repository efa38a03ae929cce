"""``yemot-ai setup`` against the double of the platform's API."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from stat import S_IMODE

import pytest

from yemot_ai.cli.main import main
from yemot_ai.ext_ini import ext_ini
from yemot_ai_testing.doubles.platform_server import SWITCH_ID, TOKEN, PlatformServer, refusal

URL = "https://line.example.com/yemot"
SECRET = "only-the-line-knows"  # noqa: S105 - of no line

FLOW = """\
from yemot_ai import AccessPolicy, AIFlow, YemotAI
flow = AIFlow(YemotAI("codex"), access=AccessPolicy({access}))
for extension in {extensions!r}:
    flow.add_route(extension, lambda call: None)
"""

Setup = Callable[..., int]


def write_flow(folder: Path, extensions: Sequence[str], access: str = f"secret={SECRET!r}") -> None:
    (folder / "my_line.py").write_text(FLOW.format(access=access, extensions=list(extensions)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with a flow of two extensions; the token is in the environment."""
    write_flow(tmp_path, ["", "1/2"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YEMOT_TOKEN", TOKEN)
    monkeypatch.delenv("YEMOT_SWITCH_ID", raising=False)
    yield tmp_path
    sys.modules.pop("my_line", None)


@pytest.fixture
def setup(folder: Path, platform: PlatformServer) -> Setup:
    """Run the command with more arguments; return the exit code."""

    def run(*arguments: str, api: str = platform.api_url) -> int:
        return main(["setup", "my_line:flow", "--url", URL, "--api-url", api, *arguments])

    return run


def commands(platform: PlatformServer) -> list[str]:
    return [call.command for call in platform.calls]


def test_a_dry_run_shows_what_differs_and_writes_nothing(
    setup: Setup, folder: Path, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.files["ext.ini"] = b"type=menu\ntitle=shop\npassword=0000\napi_say_tts=no\n"

    assert setup() == 1

    shown, said = capsys.readouterr()
    assert shown == (
        "/: 3 other settings stay\n"
        "- type=menu\n"
        "+ type=api\n"
        f"+ api_link={URL}\n"
        "+ api_url_post=yes\n"
        "+ api_wait_answer_music_on_hold=yes\n"
        "+ api_add_0=secret=***\n"
        "/1/2: no file\n"
        "+ type=api\n"
        f"+ api_link={URL}\n"
        "+ api_url_post=yes\n"
        "+ api_say_tts=no\n"
        "+ api_wait_answer_music_on_hold=yes\n"
        "+ api_add_0=secret=***\n"
        "nothing was written: --apply writes it\n"
    )
    assert "/ has type=menu" in said
    assert "/1: no handler, but the way to one" in said
    assert set(commands(platform)) == {"GetTextFile"}
    assert not list(folder.glob("yemot-backup*"))


def test_what_is_written_is_what_ext_ini_writes(setup: Setup, platform: PlatformServer) -> None:
    assert setup("--apply") == 0

    expected = ext_ini(URL, secret=SECRET).encode()
    assert platform.files == {"ext.ini": expected, "1/2/ext.ini": expected}


def test_a_second_run_finds_no_difference(
    setup: Setup, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    setup("--apply")
    platform.calls.clear()
    capsys.readouterr()

    assert setup("--apply") == 0
    assert capsys.readouterr().out == "/: no difference\n/1/2: no difference\n"
    assert set(commands(platform)) == {"GetTextFile"}


def test_other_settings_stay_and_the_files_as_they_were_are_kept(
    setup: Setup, folder: Path, platform: PlatformServer
) -> None:
    before = "title=שלום\r\napi_add_0=shop=12\n".encode()
    platform.files["ext.ini"] = before

    assert setup("--apply") == 0

    written = platform.files["ext.ini"].decode()
    assert written.startswith("title=שלום\napi_add_0=shop=12\n")
    assert f"api_add_1=secret={SECRET}" in written
    (kept,) = folder.glob("yemot-backup/*/ext.ini")
    assert kept.read_bytes() == before
    assert S_IMODE(kept.stat().st_mode) == 0o600
    assert [*folder.glob("yemot-backup/*/*")] == [kept]


def test_what_a_terminal_would_obey_is_not_printed_and_is_kept(
    setup: Setup, folder: Path, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    write_flow(folder, [""])
    contents = rb'{"responseStatus": "OK", "contents": "api_link=\u001b[2J\ud800\n"}'
    platform.scripted["GetTextFile"] = [(200, contents)] * 2

    assert setup("--apply") == 0
    assert "- api_link=\ufffd[2J\ufffd\n" in capsys.readouterr().out
    (kept,) = folder.glob("yemot-backup/*/ext.ini")
    assert kept.read_bytes().startswith(b"api_link=\x1b[2J")


def test_the_backup_may_go_elsewhere(setup: Setup, folder: Path, platform: PlatformServer) -> None:
    platform.files["1/2/ext.ini"] = b"title=x\n"

    assert setup("--apply", "--backup", "kept/here") == 0
    assert [path.read_bytes() for path in folder.glob("kept/here/*/1/2/ext.ini")] == [b"title=x\n"]


def test_nothing_is_written_to_the_line_without_its_backup(
    setup: Setup, folder: Path, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("")
    platform.files["ext.ini"] = b"title=x\n"

    assert setup("--apply", "--backup", "file") == 2
    assert "backup" in capsys.readouterr().err
    assert "UpdateExtension" not in commands(platform)


def test_another_type_is_replaced_by_force_only(
    setup: Setup, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.files["ext.ini"] = b"type=menu\n"

    assert setup("--apply") == 2
    assert "--force" in capsys.readouterr().err
    assert "UpdateExtension" not in commands(platform)

    assert setup("--apply", "--force") == 0
    assert platform.files["ext.ini"].startswith(b"type=api\n")


def test_a_file_that_changes_in_the_meantime_is_not_written(
    setup: Setup, folder: Path, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    write_flow(folder, [""])
    contents = b'{"responseStatus": "OK", "contents": "title=%b"}'
    platform.scripted["GetTextFile"] = [(200, contents % word) for word in (b"a", b"b")]

    assert setup("--apply") == 2
    assert "/: its ext.ini changed on the line in the meantime" in capsys.readouterr().err
    assert "UpdateExtension" not in commands(platform)


def test_what_was_written_before_an_error_is_printed(
    setup: Setup, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.scripted["GetTextFile"] = [refusal("file does not exist")] * 3
    written = ext_ini(URL, secret=SECRET).replace("\n", "\\n").encode()
    platform.scripted["GetTextFile"].append((200, b'{"responseStatus": "OK", "contents": "%b"}' % written))
    platform.scripted["UpdateExtension"] = [
        (200, b'{"responseStatus": "OK"}'),
        refusal("ip blocked", status="FORBIDDEN"),
    ]

    assert setup("--apply") == 2
    shown = capsys.readouterr()
    assert shown.out.endswith("/: written\n")
    assert "/1/2: not written: the platform refused the token for this" in shown.err


def test_the_flow_may_lie_in_a_folder_of_the_line(
    setup: Setup, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup("--apply", "--root", "/7/8/") == 0

    assert sorted(platform.files) == ["7/8/1/2/ext.ini", "7/8/ext.ini"]
    assert "/7/8, /7/8/1/2, which the flow does not have" in capsys.readouterr().err


@pytest.mark.parametrize("root", ["..", "1//2", "1/../2", "a:b"])
def test_a_root_that_cannot_be_a_folder_is_refused(setup: Setup, platform: PlatformServer, root: str) -> None:
    assert setup("--apply", "--root", root) == 2
    assert not platform.requests


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal("TOKEN_EXPIRED"), "API key"),
        (refusal("MFA_REQUIRED", status="FORBIDDEN"), "second step"),
        (refusal("System error", code=105), "try again later"),
        ((200, b"<html>"), "is the address right?"),
        ((429, b""), "wait"),
    ],
    ids=["token", "MFA", "fault", "page", "rate"],
)
def test_an_error_says_the_way_out_and_nothing_is_written(
    setup: Setup,
    platform: PlatformServer,
    capsys: pytest.CaptureFixture[str],
    answer: tuple[int, bytes],
    words: str,
) -> None:
    platform.scripted["GetTextFile"] = [answer]

    assert setup("--apply") == 2
    assert words in capsys.readouterr().err
    assert not platform.files


def test_a_silent_platform_ends_the_command(
    setup: Setup, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.hold()

    assert setup("--timeout", "0.05") == 2
    assert "within 0.05 s" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_timeout_that_is_none_is_refused(setup: Setup, seconds: str) -> None:
    with pytest.raises(SystemExit):
        setup(f"--timeout={seconds}")


def test_the_token_may_be_in_a_file(
    setup: Setup, folder: Path, platform: PlatformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YEMOT_TOKEN", "another-word")
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "token").chmod(0o600)

    assert setup("--apply", "--token-file", "token") == 0
    assert platform.files


def test_the_token_is_never_shown(
    setup: Setup,
    platform: PlatformServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform.scripted["GetTextFile"] = [refusal(f"no such token: {TOKEN}")]

    assert setup() == 2
    setup("--apply")
    assert TOKEN not in "".join(capsys.readouterr())
    assert TOKEN not in "".join(platform.requests)


def test_an_abbreviated_option_for_a_token_is_refused_without_its_value(
    setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        setup("--tok", "word-of-a-test")
    assert "word-of-a-test" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("arguments", [("--token", "word-of-a-test"), ("--token=word-of-a-test",)])
def test_a_token_among_the_arguments_is_refused_and_not_shown(
    setup: Setup,
    platform: PlatformServer,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    assert setup(*arguments) == 2

    shown = "".join(capsys.readouterr())
    assert "--token-file" in shown
    assert "word-of-a-test" not in shown
    assert not platform.requests


def test_without_a_token_it_says_where_to_put_one(
    setup: Setup, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YEMOT_TOKEN")

    assert setup() == 2
    assert "YEMOT_TOKEN" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["argument", "environment"])
def test_the_newer_gateway_is_used_with_a_switch_id(
    setup: Setup, platform: PlatformServer, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    arguments = ("--switch-id", SWITCH_ID) if source == "argument" else ()
    if source == "environment":
        monkeypatch.setenv("YEMOT_SWITCH_ID", SWITCH_ID)

    assert setup("--apply", *arguments, api=platform.gateway_url) == 0
    assert all(call.is_gateway for call in platform.calls)
    assert "1/2/ext.ini" in platform.files


def test_a_secret_in_the_url_is_not_sent_again_and_not_shown(
    setup: Setup, platform: PlatformServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup("--apply", "--url", f"{URL}/{SECRET}") == 0

    assert "api_add" not in platform.files["ext.ini"].decode()
    assert f"api_link={URL}/{SECRET}" in platform.files["ext.ini"].decode()
    assert SECRET not in "".join(capsys.readouterr())


def test_a_flow_without_a_secret_and_a_url_that_others_can_read_are_warned_of(
    setup: Setup, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_flow(folder, [""], access="")

    assert setup("--url", "http://line.example.com/") == 1
    said = capsys.readouterr().err
    assert "can call the flow" in said
    assert "https://" in said


@pytest.mark.parametrize("url", ["https://host/?a=b", "ftp://host/", "host"])
def test_a_url_that_the_line_cannot_call_is_refused_before_any_request(
    setup: Setup, platform: PlatformServer, url: str
) -> None:
    assert setup("--url", url) == 2
    assert not platform.requests


def test_a_flow_without_extensions_is_refused(setup: Setup, folder: Path) -> None:
    write_flow(folder, [])

    assert setup() == 2


@pytest.mark.parametrize("url", ["http://line.example.com/ym/api/", "line"])
def test_the_token_is_not_sent_where_others_can_read_it(setup: Setup, url: str) -> None:
    assert setup(api=url) == 2
