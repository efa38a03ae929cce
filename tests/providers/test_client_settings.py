"""A key or a proxy that cannot be used is named, with the reason and the way out."""

from __future__ import annotations

import traceback

import pytest

from tests.support.asking import ask_provider
from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ConfigurationError, ProviderError
from yemot_ai.providers import AnthropicProvider, OpenAIProvider

PROVIDERS = pytest.mark.parametrize("make", [OpenAIProvider, AnthropicProvider], ids=["openai", "anthropic"])

KEY = "sk-0123456789"
WRONG_KEYS = {
    f"\u200f{KEY}": "U\\+200F RIGHT-TO-LEFT MARK as character 1",
    f"{KEY}\u200e": "U\\+200E LEFT-TO-RIGHT MARK",
    f"\ufeff{KEY}": "U\\+FEFF ZERO WIDTH NO-BREAK SPACE",
    f"“{KEY}”": "U\\+201C LEFT DOUBLE QUOTATION MARK",
    f"„{KEY}”": "U\\+201E",
    f"{KEY}\nsk-2": "U\\+000A control character as character 14",
    f"{KEY}\x00": "U\\+0000",
    "sk–0123456789": "U\\+2013 EN DASH as character 3",
    "המפתח": "HEBREW LETTER HE",
    f'"{KEY}"': "in quotes",
    f"'{KEY}'": "in quotes",
    f"`{KEY}`": "in quotes",
}


@PROVIDERS
@pytest.mark.parametrize("key", WRONG_KEYS, ids=ascii)
def test_a_key_that_no_header_can_carry_is_an_error_at_construction(
    make: type[OpenAIProvider | AnthropicProvider], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match=WRONG_KEYS[key]) as caught:
        make(api_key=key)
    assert "0123456789" not in str(caught.value)

    if "\x00" not in key:
        monkeypatch.setenv(f"{make.name.upper()}_API_KEY", key)
        with pytest.raises(ConfigurationError, match=f"{make.name.upper()}_API_KEY"):
            make()


@PROVIDERS
@pytest.mark.parametrize("key", [f" {KEY}\n", f"\t{KEY}", "none", 'a"b'])
def test_white_space_around_a_key_and_any_other_key_are_no_error(
    make: type[OpenAIProvider | AnthropicProvider], key: str
) -> None:
    assert make(api_key=key).name == make.name


PROXIES = {
    "socks5://u:secret@127.0.0.1:9": "socksio",
    "socks5h://127.0.0.1:9": "socksio",
    "gopher://u:secret@127.0.0.1:9": "check base_url and the proxy",
    "http://u:secret@127.0.0.1:port": "check base_url and the proxy",
}


@PROVIDERS
@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_that_cannot_be_used_is_an_error_of_the_turn(
    make: type[OpenAIProvider | AnthropicProvider], proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.delenv("all_proxy", raising=False)

    with pytest.raises(ProviderError, match=PROXIES[proxy]) as caught:
        Engine.shared().run(ask_provider(make(api_key=KEY), "יש?"))
    assert (caught.value.transient, caught.value.provider) == (False, make.name)
    assert "all_proxy" in str(caught.value)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@PROVIDERS
def test_a_wrong_address_is_an_error_of_the_turn(make: type[OpenAIProvider | AnthropicProvider]) -> None:
    ai = YemotAI(provider=make(api_key=KEY, base_url="http://127.0.0.1:port"))

    with pytest.raises(ProviderError, match="check base_url"):
        ai.reply("c1", "יש?")
    ai.close()
