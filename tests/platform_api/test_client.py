from __future__ import annotations

import pytest

from yemot_ai.errors import (
    AuthenticationError,
    ConfigurationError,
    MalformedStreamError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)
from yemot_ai.platform_api.client import PlatformApi
from yemot_ai.platform_api.credentials import Credentials
from yemot_ai_testing.doubles.platform_server import SWITCH_ID, TOKEN, PlatformServer, refusal


@pytest.fixture
def api(platform: PlatformServer) -> PlatformApi:
    return PlatformApi(Credentials(TOKEN), platform.api_url)


def gateway_of(platform: PlatformServer, switch_id: str = SWITCH_ID) -> PlatformApi:
    return PlatformApi(Credentials(TOKEN, switch_id), platform.gateway_url)


def test_a_text_file_is_read_as_it_is(api: PlatformApi, platform: PlatformServer) -> None:
    platform.files["1/2/ext.ini"] = "type=menu\r\ntitle=שלום\n".encode()

    assert api.text_file("1/2/ext.ini") == "type=menu\r\ntitle=שלום\n"


def test_a_folder_with_a_hebrew_name_is_read(api: PlatformApi, platform: PlatformServer) -> None:
    platform.files["שלום/ext.ini"] = b"type=menu\n"

    assert api.text_file("שלום/ext.ini") == "type=menu\n"


def test_a_missing_file_has_no_content(api: PlatformApi) -> None:
    assert api.text_file("ext.ini") is None


@pytest.mark.parametrize(
    "answer",
    [
        (404, b'{"responseStatus": "ERROR", "message": "file does not exist"}'),
        (200, b'{"responseStatus": "OK", "contents": "", "file": {"exists": false}}'),
    ],
    ids=["status 404", "a described file"],
)
def test_each_form_of_a_missing_file_has_no_content(
    api: PlatformApi, platform: PlatformServer, answer: tuple[int, bytes]
) -> None:
    platform.scripted["GetTextFile"] = [answer]

    assert api.text_file("ext.ini") is None


@pytest.mark.parametrize("gateway", [False, True], ids=["API", "gateway"])
def test_settings_are_written_as_json_and_the_token_is_in_no_address(
    platform: PlatformServer, *, gateway: bool
) -> None:
    api = gateway_of(platform) if gateway else PlatformApi(Credentials(TOKEN), platform.api_url)

    api.update_extension("1", {"type": "api", "title": "שלום & = ?"})

    assert platform.files["1/ext.ini"].decode() == "type=api\ntitle=שלום & = ?\n"
    assert platform.calls[0].is_gateway is gateway
    assert TOKEN not in "".join(platform.requests)


@pytest.mark.parametrize(
    ("name", "value"), [("token", "x"), ("path", "x"), ("", "x"), ("a=b", "x"), ("a", "x\ntype=menu")]
)
def test_what_is_no_setting_is_never_sent(
    api: PlatformApi, platform: PlatformServer, name: str, value: str
) -> None:
    with pytest.raises(ConfigurationError):
        api.update_extension("1", {name: value})
    assert not platform.requests


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("MFA_REQUIRED", status="FORBIDDEN"), AuthenticationError),
        (refusal("System error", code=105), OverloadedError),
        (refusal("path is invalid", code=110), ProviderError),
        (refusal("file does not exist"), ProviderError),
        ((200, b"<html>"), MalformedStreamError),
        ((404, b"<html>"), MalformedStreamError),
        ((200, b'{"a": 1}'), MalformedStreamError),
        ((200, b""), MalformedStreamError),
        ((503, b"<html>"), OverloadedError),
        ((401, b""), AuthenticationError),
    ],
    ids=["MFA", "fault", "path", "missing", "page", "no page", "other JSON", "empty", "503", "401"],
)
def test_a_refused_write_is_the_error_of_its_cause(
    api: PlatformApi, platform: PlatformServer, answer: tuple[int, bytes], error: type[ProviderError]
) -> None:
    platform.scripted["UpdateExtension"] = [answer]

    with pytest.raises(ProviderError) as refused:
        api.update_extension("1", {"type": "api"})
    assert type(refused.value) is error


@pytest.mark.parametrize("body", [b'{"responseStatus": "OK"}', b'{"responseStatus": "OK", "contents": 1}'])
def test_a_text_file_without_content_is_malformed(
    api: PlatformApi, platform: PlatformServer, body: bytes
) -> None:
    platform.scripted["GetTextFile"] = [(200, body)]

    with pytest.raises(MalformedStreamError, match="contents"):
        api.text_file("ext.ini")


def test_a_wrong_token_is_refused_and_not_shown(platform: PlatformServer) -> None:
    with pytest.raises(AuthenticationError, match="API key") as refused:
        PlatformApi(Credentials("another-word"), platform.api_url).text_file("ext.ini")
    assert "another-word" not in str(refused.value)


def test_a_wrong_line_of_the_gateway_says_what_to_give(platform: PlatformServer) -> None:
    with pytest.raises(AuthenticationError, match="UUID"):
        gateway_of(platform, "another-line").text_file("ext.ini")


def test_a_silent_platform_is_not_waited_for_longer_than_the_timeout(platform: PlatformServer) -> None:
    platform.hold()

    with pytest.raises(ProviderTimeoutError):
        PlatformApi(Credentials(TOKEN), platform.api_url, 0.05).text_file("ext.ini")


def test_a_platform_that_is_not_there_is_a_lost_connection() -> None:
    with pytest.raises(ProviderCrashError):
        PlatformApi(Credentials(TOKEN), "http://127.0.0.1:1/").text_file("ext.ini")


@pytest.mark.parametrize("url", ["http://line.example.com/", "http://192.168.1.2/", "ftp://line/", "line"])
def test_an_address_that_would_show_the_token_or_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        PlatformApi(Credentials(TOKEN), url)


@pytest.mark.parametrize(
    ("switch_id", "url"),
    [("", "https://www.call2all.co.il/ym/api/"), ("line", "https://rest.yemot.co.il/api/v1/switch/")],
)
def test_a_switch_id_selects_the_gateway(switch_id: str, url: str) -> None:
    assert PlatformApi(Credentials(TOKEN, switch_id)).base_url == url
