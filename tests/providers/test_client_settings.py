"""A setting that cannot be meant is named at construction, with the reason and the way out."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable

import pytest

from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ConfigurationError, ProviderCrashError, ProviderError
from yemot_ai.providers import AnthropicProvider, FallbackProvider, OpenAIProvider
from yemot_ai.transcription import OpenAITranscriber

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
    f"'{KEY}": "in quotes",
    f'{KEY}"': "in quotes",
    f"Bearer {KEY}": "a scheme",
    f"bearer  {KEY}": "a scheme",
    f"Authorization: Bearer {KEY}": "the name of a header",
    f"OPENAI_API_KEY={KEY}": "a name and '='",
    f"export API_KEY = {KEY}": "a name and '='",
    f"{KEY} # of the line": "white space",
    "sk-01 23456789": "white space",
    "YOUR_API_KEY": "placeholder",
    "your-openai-key-here": "placeholder",
    "<key>": "placeholder",
    "sk-...": "placeholder",
    "${OPENAI_API_KEY}": "placeholder",
    "{{ secrets.KEY }}": "placeholder",
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
@pytest.mark.parametrize("key", [5, b"sk-1", ["sk-1"]], ids=str)
def test_a_key_that_is_no_text_is_an_error_at_construction(
    make: type[OpenAIProvider | AnthropicProvider], key: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"of type {type(key).__name__}: give a text"):
        make(api_key=key)


@PROVIDERS
@pytest.mark.parametrize(
    "key",
    [
        f" {KEY}\n",
        f"\t{KEY}",
        "none",
        'a"b',
        "not needed",
        "lm-studio",
        "bearer",
        "my-local-key",
        "key=1",
        "your",
        "$",
    ],
)
def test_white_space_around_a_key_and_any_other_key_are_no_error(
    make: type[OpenAIProvider | AnthropicProvider], key: str
) -> None:
    assert make(api_key=key).name == make.name


PROXIES = {
    "socks5://u:secret@127.0.0.1:9": "socksio",
    "socks5h://127.0.0.1:9": "socksio",
    "socks4://u:secret@127.0.0.1:9": "check base_url and the proxy",
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
def test_a_proxy_without_a_connection_is_named(
    make: type[OpenAIProvider | AnthropicProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "127.0.0.1:9")  # without a scheme
    monkeypatch.delenv("http_proxy", raising=False)

    provider = make(api_key=KEY, base_url="http://service.invalid")
    with pytest.raises(ProviderCrashError, match="a proxy is set: http_proxy"):
        Engine.shared().run(ask_provider(provider, "יש?"))


WRONG_ADDRESSES = {
    "127.0.0.1:9/v1": "begins with http://",
    "localhost:8000": "begins with http://",
    "http//127.0.0.1:9": "begins with http://",
    "ftp://127.0.0.1": "begins with http://",
    "http:127.0.0.1": "begins with http://",
    "http://": "no host",
    "http:///v1": "no host",
    "http://127.0.0.1:port": "no address",
    "http://127.0.0.1:99999": "no address",
    "http://::1:8000": "IPv6 stands in brackets",
    "http://[::1": "no address",
    "http://127.0.0.1/a b": "has a space",
    "'http://127.0.0.1'": "quotes",
    "http://127.0.0.1/?version=1": "without '\\?'",
    "http://127.0.0.1/#x": "without '\\?'",
    "\u200fhttp://127.0.0.1": "U\\+200F",
    "": "is empty",
    "  ": "is empty",
}


@PROVIDERS
@pytest.mark.parametrize("address", WRONG_ADDRESSES, ids=ascii)
def test_a_wrong_address_is_an_error_at_construction(
    make: type[OpenAIProvider | AnthropicProvider], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match=f"base_url.*{WRONG_ADDRESSES[address]}"):
        make(api_key=KEY, base_url=address)

    variable = f"{make.name.upper()}_BASE_URL"
    monkeypatch.setenv(variable, address)
    with pytest.raises(ConfigurationError, match=f"{variable}.*{WRONG_ADDRESSES[address]}"):
        make(api_key=KEY)


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (OpenAIProvider, "/v1/chat/completions"),
        (OpenAIProvider, "/v1/responses/"),
        (OpenAITranscriber, "/v1/chat/completions"),
        (AnthropicProvider, "/v1"),
        (AnthropicProvider, "/v1/messages"),
    ],
)
def test_an_address_has_no_path_that_is_added_to_it(make: Callable[..., object], path: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"ends with .*{path.rstrip('/').rpartition('/')[2]}, which is"
    ):
        make(api_key=KEY, base_url=f"http://127.0.0.1:9{path}")


def test_the_password_of_an_address_is_in_no_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        OpenAIProvider(api_key=KEY, base_url="http://user:planted@127.0.0.1:9/v1/responses")
    assert "planted" not in str(caught.value)


@PROVIDERS
@pytest.mark.parametrize("address", [" http://127.0.0.1:9/ ", "http://[::1]:9", "HTTPS://127.0.0.1"])
def test_a_right_address_is_taken(make: type[OpenAIProvider | AnthropicProvider], address: str) -> None:
    assert make(api_key=KEY, base_url=address).name == make.name


NO_TIMES = [0, -1, float("nan"), float("inf"), 10**400, "5", None, True]


@pytest.mark.parametrize("make", [OpenAIProvider, AnthropicProvider, OpenAITranscriber])
@pytest.mark.parametrize("timeout", NO_TIMES, ids=lambda value: repr(value)[:9])
def test_a_timeout_is_a_number_of_seconds(make: Callable[..., object], timeout: object) -> None:
    with pytest.raises(ConfigurationError, match=r"timeout=.*give a number of seconds greater than 0"):
        make(api_key=KEY, timeout=timeout)


@pytest.mark.parametrize("name", ["timeout", "cooldown"])
@pytest.mark.parametrize("seconds", NO_TIMES[1:], ids=lambda value: repr(value)[:9])
def test_the_times_of_a_fallback_are_numbers_of_seconds(name: str, seconds: object) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}=.*give a number of seconds"):
        FallbackProvider([OpenAIProvider(api_key=KEY)], **{name: seconds})  # type: ignore[arg-type]  # wrong


@PROVIDERS
@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("  ", "empty"),
        (5, "of type int"),
        (b"m", "of type bytes"),
        ("\u200fm", "U\\+200F"),
        ("a\nb", "U\\+000A"),
    ],
    ids=["blank", "number", "bytes", "mark", "line"],
)
def test_a_model_that_is_no_name_is_an_error_at_construction(
    make: type[OpenAIProvider | AnthropicProvider], model: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"{make.name.upper()}_MODEL.*{reason}"):
        make(api_key=KEY, model=model)


@PROVIDERS
def test_white_space_around_a_model_is_left_out(make: type[OpenAIProvider | AnthropicProvider]) -> None:
    with FixedResponseServer(b"{}", status=500) as server:
        provider = make(api_key=KEY, model=" m\n", base_url=server.url)
        with pytest.raises(ProviderError):
            Engine.shared().run(ask_provider(provider, "יש?"))
        Engine.shared().run(provider.aclose())
        assert json.loads(server.requests[0])["model"] == "m"
