from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai.errors import ConfigurationError
from yemot_ai.platform_api.credentials import Credentials, read_token_file

TOKEN = "word-of-the-test"  # noqa: S105 - of no line


def token_file(folder: Path, content: bytes = TOKEN.encode(), mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    "content",
    [b"word-of-the-test", b"word-of-the-test\n", b"\xef\xbb\xbfword-of-the-test\r\n"],
    ids=["bare", "line end", "byte order mark"],
)
def test_a_token_file_contains_the_token(tmp_path: Path, content: bytes) -> None:
    assert read_token_file(token_file(tmp_path, content)) == TOKEN


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o610])
def test_a_token_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_token_file(token_file(tmp_path, mode=mode))


@pytest.mark.parametrize("content", [b"", b" \n", b"x" * 5_000], ids=["empty", "blank", "large"])
def test_a_file_that_is_no_token_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationError, match="no token"):
        read_token_file(token_file(tmp_path, content))


def test_a_token_file_that_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_token_file(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="directory"):
        read_token_file(tmp_path)


@pytest.mark.parametrize("token", ["סיסמה", "a\nb", "a\x00b"], ids=["Hebrew", "line end", "control"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Credentials(token)
    assert token not in str(refused.value)


def test_a_switch_id_that_no_header_can_hold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="switch id"):
        Credentials(TOKEN, "a\r\nb: c")


def test_credentials_do_not_show_the_token() -> None:
    assert TOKEN not in repr(Credentials(TOKEN, "line-of-the-test"))


def test_token_and_switch_id_of_the_environment_belong_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YEMOT_TOKEN", f" {TOKEN} ")
    monkeypatch.setenv("YEMOT_SWITCH_ID", "line-of-the-test")
    assert Credentials.from_environment() == Credentials(TOKEN, "line-of-the-test")

    monkeypatch.setenv("YEMOT_TOKEN", " ")
    assert Credentials.from_environment() is None
