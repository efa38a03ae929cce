"""The JSON schema of the real app-server, against the recordings, our fake and our client."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from jsonschema import Draft7Validator

from yemot_ai.providers.codex.app_server import server, turn
from yemot_ai.providers.codex.app_server.jsonrpc import REQUEST_ANSWERS
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.home import fresh_home
from yemot_ai_testing.codex.rules.app_server.bench import open_fake_bench, turn_params

Schemas: TypeAlias = dict[str, Any]

RESPONSES = {
    "item/commandExecution/requestApproval": "CommandExecutionRequestApprovalResponse",
    "item/fileChange/requestApproval": "FileChangeRequestApprovalResponse",
    "execCommandApproval": "ExecCommandApprovalResponse",
    "applyPatchApproval": "ApplyPatchApprovalResponse",
    "mcpServer/elicitation/request": "McpServerElicitationRequestResponse",
}
"""The name of the answer's schema, by the method of the request."""


@pytest.fixture(scope="session")
def schemas(real_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Schemas:
    """Return the schemas that ``generate-json-schema`` writes, by name."""
    folder = tmp_path_factory.mktemp("schema")
    command = [str(real_binary), "app-server", "generate-json-schema", "--out", str(folder / "out")]
    with fresh_home() as home:
        subprocess.run(command, check=True, capture_output=True, env=home.environment(), timeout=60)
    return {path.stem: json.loads(path.read_text("utf-8")) for path in (folder / "out").glob("*.json")}


def schema_errors(schema: Any, message: object) -> list[str]:  # noqa: ANN401 - JSON
    return [error.message[:200] for error in Draft7Validator(schema).iter_errors(message)]


def methods(schema: Any) -> set[str]:  # noqa: ANN401 - JSON
    return {name for kind in schema["oneOf"] for name in kind["properties"]["method"]["enum"]}


def invalid_messages(schemas: Schemas, messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the method and the error of each invalid message of a server; answers have no schema by name."""
    kinds = {True: schemas["ServerRequest"], False: schemas["ServerNotification"]}
    with_method = [message for message in messages if "method" in message]
    assert with_method
    return [
        (message["method"], error)
        for message in with_method
        for error in schema_errors(kinds["id" in message], message)
    ]


def test_recorded_messages_are_valid(schemas: Schemas) -> None:
    messages = [
        message
        for case in recordings.server_messages(recordings.server_versions()[-1]).values()
        for message in case
    ]
    assert invalid_messages(schemas, messages) == []


def test_messages_of_our_fake_are_valid(schemas: Schemas) -> None:
    fake = FakeCodex()
    try:
        with open_fake_bench(fake) as bench:
            fake.answers(["של", "ום"]).fails("overloaded").asks("approval").answers("סוף")
            client = bench.start_server()
            client.initialize(experimental=True)
            result = client.request("thread/start", bench.thread_params(approvalPolicy="untrusted"))
            thread = result["result"]["thread"]["id"]
            bench.run_turn(client, thread, "א")
            bench.run_turn(client, thread, "ב")
            client.send_request("turn/start", turn_params(thread, "ג"))
            asked = client.wait_request("item/commandExecution/requestApproval")
            client.send_message({"id": asked["id"], "result": {"decision": "decline"}})
            client.wait_notification("turn/completed")
            messages = [line.message for line in client.messages if line.sender == "server"]
    finally:
        fake.close()
    assert invalid_messages(schemas, messages) == []


def test_a_message_of_another_shape_is_invalid(schemas: Schemas) -> None:
    delta = next(
        m
        for m in recordings.server_messages(recordings.server_versions()[-1])["answer"]
        if m.get("method") == "item/agentMessage/delta"
    )
    changed = {**delta, "params": {**delta["params"], "delta": 5}}
    assert [method for method, _ in invalid_messages(schemas, [delta, changed])] == [
        "item/agentMessage/delta"
    ]


def test_requests_of_our_client_are_valid(schemas: Schemas, tmp_path: Path) -> None:
    setup = server.ThreadConfig("ענה בקצרה", tmp_path, "read-only", "gpt-5.5")
    thread = "01a2021e-e1f2-71a2-898b-4fcd956cbb54"
    asked = {
        "initialize": server._CLIENT_INFO,
        "thread/start": setup.params(),
        "thread/resume": setup.params(thread),
        "thread/fork": setup.params(thread),
        "thread/unsubscribe": {"threadId": thread},
        "thread/delete": {"threadId": thread},
        "turn/start": turn_params(thread, "שלום"),
        "turn/interrupt": {"threadId": thread, "turnId": thread},
    }
    written = set(re.findall(r'"((?:thread|turn)/\w+|initialize)"', inspect.getsource(server)))
    assert written == set(asked)
    for number, (method, params) in enumerate(asked.items()):
        message = {"id": number, "method": method, "params": params}
        assert schema_errors(schemas["ClientRequest"], message) == [], method


def test_the_schema_has_the_notifications_that_our_client_handles(schemas: Schemas) -> None:
    handled = set(re.findall(r'case "(\w+/[\w/]+)"', inspect.getsource(turn)))
    assert "turn/completed" in handled
    assert handled <= methods(schemas["ServerNotification"])


def test_answers_of_our_client_are_valid(schemas: Schemas) -> None:
    assert set(REQUEST_ANSWERS) == set(RESPONSES) <= methods(schemas["ServerRequest"])
    for method, answer in REQUEST_ANSWERS.items():
        assert schema_errors(schemas[RESPONSES[method]], answer) == [], method
        assert not re.search("accept|approved", json.dumps(answer)), method
