"""What the model service answers to a request that no service accepts."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

import anthropic
import pytest

from yemot_ai_testing import AnthropicMock, ModelServer
from yemot_ai_testing.doubles.script import ScriptMismatchError
from yemot_ai_testing.doubles.scripted_double import unchecked

NESTED = b"[" * 100_000
CHAT = {"model": "m", "messages": [{"role": "user", "content": "היי"}]}
ASKED = CHAT["messages"][0]
CALLING = {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": {}}]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "x"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "x", "input": {}}
USING = {"role": "assistant", "content": [USE]}
TWO_USES = {"role": "assistant", "content": [USE, USE]}
USE_RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}]}
MALFORMED = [
    ("no-body", "/responses", b"", "the body of 0 bytes is no JSON"),
    ("no-json", "/responses", b"{", "the body of 1 bytes is no JSON"),
    ("not-utf-8", "/responses", b"\xff\xfe{", "the body of 3 bytes is no JSON"),
    ("deeply-nested", "/messages", NESTED, "the body of 100000 bytes is no JSON"),
    ("a-list", "/messages", [], "the body: an object is required, not []"),
    ("a-number", "/responses", 7, "the body: an object is required, not 7"),
    ("null", "/chat/completions", None, "the body: an object is required, not null"),
    ("no-messages", "/chat/completions", {}, "messages: a list is required, not null"),
    ("messages-text", "/messages", {"messages": "x"}, 'messages: a list is required, not "x"'),
    ("messages-object", "/messages", {"messages": {}}, "messages: a list is required, not {}"),
    ("message-number", "/messages", {"messages": [7]}, "messages[0]: an object is required, not 7"),
    ("input-number", "/responses", {"input": 7}, "input: a text or a list is required, not 7"),
    ("item-text", "/responses", {"input": ["x"]}, 'input[0]: an object is required, not "x"'),
    (
        "content-null",
        "/chat/completions",
        {"messages": [{"role": "user", "content": None}]},
        "messages[0].content: a text or a list is required, not null",
    ),
    (
        "content-missing",
        "/messages",
        {"messages": [{"role": "user"}]},
        "messages[0].content: a text or a list is required, not null",
    ),
    (
        "content-number",
        "/responses",
        {"input": [{"role": "user", "content": 7}]},
        "input[0].content: a text or a list is required, not 7",
    ),
    (
        "content-nested",
        "/responses",
        {"input": [{"role": "user", "content": [["x"]]}]},
        'input[0].content[0]: an object is required, not ["x"]',
    ),
    (
        "text-number",
        "/messages",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]},
        "messages[0].content[0].text: a text is required, not 7",
    ),
    ("role-list", "/messages", {"messages": [{"role": [], "content": ""}]}, "messages[0].role: a text is"),
    ("system-number", "/messages", {"messages": [], "system": 7}, "system: a text or a list is required"),
    ("instructions-list", "/responses", {"instructions": []}, "instructions: a text is required, not []"),
    ("tools-object", "/responses", {"tools": {}}, "tools: a list is required, not {}"),
    ("tool-text", "/chat/completions", {**CHAT, "tools": ["x"]}, "tools[0]: an object is required"),
    ("tool-tools", "/responses", {"tools": [{"tools": 7}]}, "tools[0].tools: a list is required, not 7"),
    ("stream-text", "/responses", {"stream": "no"}, 'stream: true or false is required, not "no"'),
    ("model-number", "/chat/completions", {**CHAT, "model": 7}, "model: a text is required, not 7"),
    ("previous-list", "/responses", {"previous_response_id": []}, "previous_response_id: a text is required"),
    ("no-form", "/audio/transcriptions", {"file": "x"}, "file: a field of a multipart form is required"),
    ("long", "/responses", {"input": {"x": "y" * 100}}, "…"),
    (
        "output-without-call",
        "/responses",
        {"input": [{"type": "function_call_output", "call_id": "call_1", "output": "x"}]},
        "No tool call found for function call output with call_id call_1.",
    ),
    (
        "call-without-output",
        "/responses",
        {"input": [{"type": "function_call", "call_id": "call_1", "name": "x", "arguments": "{}"}]},
        "No tool output found for function call call_1.",
    ),
    ("required-no-tools", "/responses", {"input": "x", "tool_choice": "required"}, "Tool choice must be"),
    (
        "choice-no-tools",
        "/chat/completions",
        {**CHAT, "tool_choice": "none"},
        "'tool_choice' is only allowed",
    ),
    (
        "use-choice-no-tools",
        "/messages",
        {**CHAT, "tool_choice": {"type": "none"}},
        "tool_choice: may only be",
    ),
    ("tool-without-call", "/chat/completions", {"messages": [ASKED, RESULT]}, "messages with role 'tool'"),
    ("tool-after-user", "/chat/completions", {"messages": [CALLING, ASKED, RESULT]}, "must be followed by"),
    ("call-without-tool", "/chat/completions", {"messages": [ASKED, CALLING]}, "ids did not have response"),
    (
        "second-result",
        "/chat/completions",
        {"messages": [CALLING, RESULT, RESULT]},
        "messages with role 'tool'",
    ),
    ("result-without-use", "/messages", {"messages": [ASKED, USE_RESULT]}, "unexpected `tool_use_id` found"),
    (
        "use-without-result",
        "/messages",
        {"messages": [ASKED, USING, ASKED]},
        "messages.1: `tool_use` ids were",
    ),
    ("use-at-the-end", "/messages", {"messages": [ASKED, USING]}, "`tool_use` ids were found without"),
    ("result-too-late", "/messages", {"messages": [USING, ASKED, USE_RESULT]}, "messages.0: `tool_use` ids"),
    ("one-id-twice", "/messages", {"messages": [TWO_USES, USE_RESULT]}, "`tool_use` ids must be unique"),
]


def post(model: ModelServer, endpoint: str, raw: bytes) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection(model.root_url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", f"/v1{endpoint}", raw)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("endpoint", "body", "message"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED]
)
def test_a_malformed_request_gets_400_and_fails_the_test(
    endpoint: str, body: object, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with unchecked(ModelServer()) as model:
        status, answer = post(model, endpoint, raw)

        error = answer["error"]
        assert isinstance(error, dict)
        assert (status, error["type"]) == (400, "invalid_request_error")
        assert message in error["message"]
        with pytest.raises(ScriptMismatchError) as refused:
            model.assert_complete()
        assert refused.value.refused == (f"POST /v1{endpoint}: {error['message']}",)
        assert f"malformed request: POST /v1{endpoint}: " in str(refused.value)
        assert model.requests == []
    assert capsys.readouterr().err == ""


def test_a_malformed_request_takes_no_step_and_the_connection_lives_on() -> None:
    with unchecked(ModelServer()) as model:
        model.answers("כן")
        connection = http.client.HTTPConnection(model.root_url.removeprefix("http://"), timeout=10)
        connection.request("POST", "/v1/chat/completions", b"{")
        assert connection.getresponse().read()
        connection.request("POST", "/v1/chat/completions", json.dumps(CHAT))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        assert answer["choices"][0]["message"]["content"] == "כן"
        with pytest.raises(ScriptMismatchError, match="malformed request"):
            model.assert_complete()


def test_the_error_has_the_shape_of_the_api() -> None:
    with unchecked(ModelServer(quirks="anthropic")) as model:
        _, anthropic_error = post(model, "/messages", b"{")
    assert anthropic_error["type"] == "error"
    assert anthropic_error["error"] == {
        "type": "invalid_request_error",
        "message": "the body of 1 bytes is no JSON",
    }
    with unchecked(ModelServer()) as model:
        _, openai_error = post(model, "/responses", b"{")
    assert openai_error["error"] == {
        "message": "the body of 1 bytes is no JSON",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


@pytest.mark.parametrize("length", ["x", "-1", "1e9"])
def test_a_wrong_length_gets_400(length: str, capsys: pytest.CaptureFixture[str]) -> None:
    with unchecked(ModelServer()) as model:
        host, port = model.root_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"POST /v1/responses HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % length.encode())
            assert client.makefile("rb").readline() == b"HTTP/1.1 400 Bad Request\r\n"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("endpoint", "body", "prompt"),
    [
        ("/chat/completions", {"messages": []}, ""),
        ("/chat/completions", {"messages": [{"role": "assistant", "content": None}], "tools": None}, ""),
        ("/responses", {"input": None, "instructions": None, "previous_response_id": None}, ""),
        ("/responses", {"input": [{"type": "reasoning", "content": None}, {"tools": None}]}, ""),
        ("/responses", {"input": [{"type": "additional_tools", "role": "developer", "tools": []}]}, ""),
        ("/messages", {"messages": [{"role": "user", "content": [{"type": "image"}]}], "system": None}, ""),
        ("/messages", {"messages": [{"role": "user", "content": []}], "unknown": [7]}, ""),
    ],
    ids=[
        "empty",
        "assistant-null",
        "nulls",
        "item-without-role",
        "list-of-tools",
        "part-without-text",
        "unknown-field",
    ],
)
def test_what_a_service_accepts_is_answered(endpoint: str, body: dict[str, object], prompt: str) -> None:
    with unchecked(ModelServer()) as model:
        model.answers("כן")
        status, _ = post(model, endpoint, json.dumps(body).encode())
        assert status == 200
        (request,) = model.requests
        assert (request.prompt, request.instructions, request.tools) == (prompt, None, ())


def test_a_mocked_service_refuses_a_malformed_request_too() -> None:
    messages: list[Any] = [{"role": "user", "content": 7}]
    with unchecked(AnthropicMock()) as mock, anthropic.Anthropic(api_key="test", max_retries=0) as client:
        with pytest.raises(anthropic.BadRequestError, match=r"messages\[0\].content: a text or a list"):
            client.messages.create(model="m", max_tokens=9, messages=messages)
        with pytest.raises(ScriptMismatchError, match="malformed request: POST /v1/messages"):
            mock.assert_complete()
