"""The double of the platform's API: what it answers to commands without a client of this package."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from urllib.parse import urlencode, urlsplit

import pytest

from yemot_ai.errors import ProviderTimeoutError
from yemot_ai_testing.doubles.platform_server import (
    SWITCH_ID,
    TOKEN,
    PlatformCall,
    PlatformServer,
    refusal,
)
from yemot_ai_testing.processes.waiting import wait_until

JSON = {"authorization": TOKEN, "content-type": "application/json"}
BOUNDARY = "boundary-of-the-test"


def ask(
    url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    """Send a request; return the status and the JSON of the answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(
            "GET" if body is None else "POST", target, body, headers or {"authorization": TOKEN}
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")
    finally:
        connection.close()


def upload(platform: PlatformServer, fields: dict[str, str], *files: bytes) -> dict[str, object]:
    """Send a form as a browser does; return the JSON of the answer."""
    parts = [
        f'content-disposition: form-data; name="{name}"\r\n\r\n{fields[name]}'.encode() for name in fields
    ]
    head = b'content-disposition: form-data; name="file"; filename="a.wav"\r\ncontent-type: audio/wav\r\n\r\n'
    parts += [head + content for content in files]
    line = f"--{BOUNDARY}".encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    headers = {"authorization": TOKEN, "content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    return ask(f"{platform.api_url}UploadFile", body, headers)[1]


def wait_until_answered() -> None:
    """Wait until no thread of a server works on a request."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(10)


def test_settings_are_written_and_the_others_stay(platform: PlatformServer) -> None:
    platform.files["1/ext.ini"] = "type=menu\n; a comment\ntitle=שלום\n".encode()

    body = json.dumps({"path": "ivr2:/1", "type": "api", "api_link": "https://host/"}).encode()
    assert ask(f"{platform.api_url}UpdateExtension", body, JSON)[1]["responseStatus"] == "OK"

    written = platform.files["1/ext.ini"].decode()
    assert written == "type=api\n; a comment\ntitle=שלום\napi_link=https://host/\n"
    assert platform.calls == [
        PlatformCall("UpdateExtension", {"path": "ivr2:/1", "type": "api", "api_link": "https://host/"})
    ]


@pytest.mark.parametrize("path", ["ivr2:/1/2", "ivr2:1/2", "ivr/1/2", "/1/2", "1/2/"])
def test_each_form_of_a_path_is_the_same_folder(platform: PlatformServer, path: str) -> None:
    ask(f"{platform.api_url}UpdateExtension?{urlencode({'path': path, 'type': 'api'})}")

    assert platform.files == {"1/2/ext.ini": b"type=api\n"}


@pytest.mark.parametrize("path", ["ivr2:/", "ivr2:", "/"])
def test_the_root_has_settings_too(platform: PlatformServer, path: str) -> None:
    ask(f"{platform.api_url}UpdateExtension?{urlencode({'path': path, 'type': 'api'})}")

    assert platform.files == {"ext.ini": b"type=api\n"}


def test_a_text_file_is_written_and_read(platform: PlatformServer) -> None:
    form = urlencode({"token": TOKEN, "what": "ivr2:/1/000.tts", "contents": "שלום"}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert ask(f"{platform.api_url}UploadTextFile", form, headers)[1]["responseStatus"] == "OK"

    _, answer = ask(f"{platform.api_url}GetTextFile?what=ivr2:/1/000.tts&token={TOKEN}", headers={"x": "y"})
    assert answer["contents"] == "שלום"
    assert platform.calls[-1].parameters == {"what": "ivr2:/1/000.tts"}


def test_a_file_is_uploaded_described_and_downloaded(platform: PlatformServer) -> None:
    answer = upload(platform, {"path": "ivr2:5/000.wav"}, b"RIFF\r\n\x00\xff")
    assert (answer["path"], answer["size"]) == ("ivr/5/000.wav", 8)

    _, described = ask(f"{platform.api_url}GetFile?what=ivr2:/5/000.wav")
    file = described["file"]
    assert isinstance(file, dict)
    assert (file["exists"], file["size"], file["fileType"]) == (True, 8, "AUDIO")
    assert platform.files["5/000.wav"] == b"RIFF\r\n\x00\xff"


def test_a_downloaded_file_is_the_uploaded_one(platform: PlatformServer) -> None:
    recording = platform.next_response()[1]
    upload(platform, {"path": "ivr2:5/000.wav"}, recording)
    platform.responses = [(404, b"")]

    assert platform.recordings().fetch("/5/000.wav") == recording


def test_files_are_numbered_in_a_folder(platform: PlatformServer) -> None:
    paths = [upload(platform, {"path": "ivr2:5", "autoNumbering": "true"}, b"x")["path"] for _ in range(2)]
    text = upload(platform, {"path": "ivr2:5", "autoNumbering": "true", "tts": "1"}, b"x")["path"]

    assert [*paths, text] == ["ivr/5/000.wav", "ivr/5/001.wav", "ivr/5/002.tts"]


@pytest.mark.parametrize(
    ("fields", "files", "code"),
    [
        ({"path": "ivr2:5/000.wav"}, 0, 107),
        ({"path": "ivr2:5/000.wav"}, 2, 108),
        ({}, 1, 109),
        ({"path": ""}, 1, 109),
        ({"path": "ivr2:../000.wav"}, 1, 110),
    ],
    ids=["no file", "two files", "no path", "empty path", "a path that leaves the line"],
)
def test_a_refused_upload_has_the_number_of_its_reason(
    platform: PlatformServer, fields: dict[str, str], files: int, code: int
) -> None:
    answer = upload(platform, fields, *[b"x"] * files)

    assert (answer["responseStatus"], answer["messageCode"]) == ("ERROR", code)
    assert not platform.files


def test_an_upload_in_parts_of_the_site_is_refused_as_unknown(platform: PlatformServer) -> None:
    assert upload(platform, {"path": "ivr2:5/000.wav", "qquuid": "1"}, b"x")["responseStatus"] == "ERROR"


@pytest.mark.parametrize("command", ["GetTextFile", "GetFile"])
def test_a_missing_file_is_an_error_with_status_200(platform: PlatformServer, command: str) -> None:
    status, answer = ask(f"{platform.api_url}{command}?what=ivr2:/1/ext.ini")

    assert (status, answer["responseStatus"], answer["message"]) == (200, "ERROR", "file does not exist")


@pytest.mark.parametrize(
    "target",
    [
        "GetTextFile?path=ivr2:/1/ext.ini",
        "GetTextFile",
        "GetTextFile?what=ivr2:/../ext.ini",
        "GetTextFile?what=ivr2:/",
        "GetFiles?path=ivr2:/1",
        "UpdateExtension?type=api",
        "UpdateExtension?path=ivr2:/1/../..&type=api",
    ],
)
def test_a_request_that_no_source_knows_is_refused_in_the_platform_s_form(
    platform: PlatformServer, target: str
) -> None:
    status, answer = ask(f"{platform.api_url}{target}")

    assert status == 200
    assert answer["responseStatus"] in {"ERROR", "EXCEPTION"}
    assert not platform.files


def test_an_address_that_is_none_of_the_api_is_not_found(platform: PlatformServer) -> None:
    assert ask(platform.api_url.replace("/ym/", "/yemot/") + "GetFile?what=x")[0] == 404


@pytest.mark.parametrize("token", ["another-word", ""])
def test_a_wrong_token_is_refused_and_reaches_no_command(platform: PlatformServer, token: str) -> None:
    url = f"{platform.api_url}UpdateExtension?path=ivr2:/1&type=api"
    _, answer = ask(url, headers={"authorization": token} if token else {"x": "y"})

    assert (answer["responseStatus"], "session token is invalid" in str(answer["message"])) == (
        "EXCEPTION",
        True,
    )
    assert (platform.calls, platform.files) == ([], {})


def test_the_newer_gateway_takes_a_key_and_a_line_in_headers_only(platform: PlatformServer) -> None:
    url = f"{platform.gateway_url}UpdateExtension?path=ivr2:/1&type=api"
    assert ask(url, headers={"authorization": TOKEN})[0] == 401
    assert ask(f"{url}&token={TOKEN}", headers={"x": "y"})[0] == 401
    assert ask(url, headers={"authorization": f"Bearer {TOKEN}"})[0] == 400
    assert not platform.calls

    assert ask(url, headers={"authorization": f"Bearer {TOKEN}", "switch-id": SWITCH_ID})[0] == 200
    assert platform.calls == [
        PlatformCall("UpdateExtension", {"path": "ivr2:/1", "type": "api"}, is_gateway=True)
    ]


def test_scripted_answers_take_the_place_of_the_own_ones_once(platform: PlatformServer) -> None:
    platform.scripted["UpdateExtension"] = [refusal("ip blocked", status="FORBIDDEN")]
    url = f"{platform.api_url}UpdateExtension?path=ivr2:/1&type=api"

    assert [ask(url)[1]["responseStatus"] for _ in range(2)] == ["FORBIDDEN", "OK"]
    assert platform.files == {"1/ext.ini": b"type=api\n"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"], ids=["cut", "array", "bytes"])
def test_a_body_that_is_no_object_has_no_parameters(platform: PlatformServer, body: bytes) -> None:
    assert ask(f"{platform.api_url}GetTextFile", body, JSON)[1]["message"] == "what is required"


def test_a_client_that_hangs_up_leaves_no_traceback(
    platform: PlatformServer, capfd: pytest.CaptureFixture[str]
) -> None:
    platform.responses = [(200, bytes(50_000_000))]  # more than the buffers of a connection hold
    platform.hold()
    with pytest.raises(ProviderTimeoutError):
        platform.recordings(timeout=0.05).fetch("/1/000.wav")
    platform.release()

    wait_until_answered()
    assert capfd.readouterr().err == ""


def test_a_client_that_resets_its_request_leaves_no_traceback(
    platform: PlatformServer, capfd: pytest.CaptureFixture[str]
) -> None:
    address = urlsplit(platform.url)
    with socket.create_connection((address.hostname, address.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
        client.sendall(b"POST /ym/api/GetFile HTTP/1.0\r\ncontent-length: 9\r\n\r\n{")
        assert wait_until(lambda: platform.requests, 10)

    wait_until_answered()
    assert capfd.readouterr().err == ""
