"""A warm server uses the login of the user as it is now, with the real Codex."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import run_async
from tests.support.raw_responses import RawResponses, whole
from yemot_ai.providers import CodexAppServerProvider
from yemot_ai.providers.codex.home.login import login_digest

if TYPE_CHECKING:
    from pathlib import Path

    from yemot_ai.providers.provider import JSON


class LoginService(RawResponses):
    """Keeps the login of each request."""

    def __init__(self) -> None:
        super().__init__(whole("שלום."))
        self.logins: list[str] = []

    def response_to(self, head: bytes, request: bytes) -> tuple[bytes, bytes]:
        if b"/responses" in head:
            found = re.search(rb"(?i)authorization: bearer ([^\r\n]*)", head)
            self.logins.append(found[1].decode() if found else "")
        return super().response_to(head, request)

    def options_with_login(self) -> dict[str, Any]:
        """Return the options of a provider that sends the login of the user."""
        options = self.codex_options()
        del options["config"]["model_providers.raw.env_key"]
        options["config"]["model_providers.raw.requires_openai_auth"] = "true"
        return options


def api_key(key: str) -> str:
    return json.dumps({"auth_mode": "apikey", "OPENAI_API_KEY": key})


@pytest.mark.slow
def test_a_call_continues_with_another_login(
    real_binary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))
    login = tmp_path / "users" / "auth.json"
    login.parent.mkdir()

    async def call() -> None:
        provider = CodexAppServerProvider(real_binary, timeout=20.0, **service.options_with_login())
        session: JSON = None
        try:
            for text in ("", api_key("first"), api_key("first"), api_key("second"), ""):
                login.write_text(text)
                session = (await ask_provider(provider, "שלום", session=session)).session
        finally:
            await provider.aclose()

    with LoginService() as service:
        run_async(call())
        assert service.logins == ["", "first", "first", "second", ""]
        assert json.dumps(service.sent[-1], ensure_ascii=False).count("שלום.") == 4


def test_refreshed_tokens_are_the_same_login_and_another_account_is_not(tmp_path: Path) -> None:
    def digest(account: str, token: str) -> str:
        tokens = {"account_id": account, "access_token": token}
        (tmp_path / "auth.json").write_text(json.dumps({"OPENAI_API_KEY": None, "tokens": tokens}))
        return login_digest(tmp_path / "auth.json")

    assert digest("one", "x") == digest("one", "y") != digest("two", "y")
    assert login_digest(tmp_path / "missing") == ""
