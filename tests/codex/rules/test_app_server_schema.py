"""The schema that the real binary prints of its server, beside what was recorded, our fake and our client."""

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
from yemot_ai_testing.codex import app_server_recordings as recording
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.folders import isolated_environment, make_folders
from yemot_ai_testing.codex.rules.app_server.bench import open_fake_bench, turn_params

Schemas: TypeAlias = dict[str, Any]

RESPONSES = {
    "item/commandExecution/requestApproval": "CommandExecutionRequestApprovalResponse",
    "item/fileChange/requestApproval": "FileChangeRequestApprovalResponse",
    "execCommandApproval": "ExecCommandApprovalResponse",
    "applyPatchApproval": "ApplyPatchApprovalResponse",
    "mcpServer/elicitation/request": "McpServerElicitationRequestResponse",
}
"""What the schema calls the answer to a question."""


@pytest.fixture(scope="session")
def schemas(real_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Schemas:
    """What ``generate-json-schema`` writes, by name."""
    folder = make_folders(tmp_path_factory.mktemp("schema").resolve())
    command = [str(real_binary), "app-server", "generate-json-schema", "--out", str(folder / "out")]
    subprocess.run(command, check=True, capture_output=True, env=isolated_environment(folder), timeout=60)
    return {path.stem: json.loads(path.read_text("utf-8")) for path in (folder / "out").glob("*.json")}


def complaints(schema: Any, message: object) -> list[str]:  # noqa: ANN401 - JSON
    return [error.message[:200] for error in Draft7Validator(schema).iter_errors(message)]


def methods(schema: Any) -> set[str]:  # noqa: ANN401 - JSON
    return {name for kind in schema["oneOf"] for name in kind["properties"]["method"]["enum"]}


def wrong(schemas: Schemas, messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Which of a server's messages the schema does not know, and why; answers have no schema by name."""
    kinds = {True: schemas["ServerRequest"], False: schemas["ServerNotification"]}
    told = [message for message in messages if "method" in message]
    assert told
    return [
        (message["method"], why) for message in told for why in complaints(kinds["id" in message], message)
    ]


def test_what_was_recorded_is_what_the_schema_says(schemas: Schemas) -> None:
    told = [message for case in recording.load_version("0.169.0").values() for message in case]
    assert wrong(schemas, told) == []


def test_what_our_fake_says_is_what_the_schema_says(schemas: Schemas) -> None:
    fake = FakeCodex()
    try:
        with open_fake_bench(fake) as stage:
            fake.answers(["של", "ום"]).fails("overloaded").asks("approval").answers("סוף")
            wire = stage.start_server()
            wire.initialize(experimental=True)
            opened = wire.request("thread/start", stage.thread_params(approvalPolicy="untrusted"))
            thread = opened["result"]["thread"]["id"]
            stage.run_turn(wire, thread, "א")
            stage.run_turn(wire, thread, "ב")
            wire.send_request("turn/start", turn_params(thread, "ג"))
            asked = wire.wait_request("item/commandExecution/requestApproval")
            wire.send_message({"id": asked["id"], "result": {"decision": "decline"}})
            wire.wait_notification("turn/completed")
            messages = [line.message for line in wire.messages if line.sender == "server"]
    finally:
        fake.close()
    assert wrong(schemas, messages) == []


def test_a_message_of_another_shape_is_seen(schemas: Schemas) -> None:
    delta = next(
        m for m in recording.load_version("0.169.0")["answer"] if m.get("method") == "item/agentMessage/delta"
    )
    changed = {**delta, "params": {**delta["params"], "delta": 5}}
    assert [method for method, _ in wrong(schemas, [delta, changed])] == ["item/agentMessage/delta"]


def test_what_our_client_asks_is_what_the_schema_says(schemas: Schemas, tmp_path: Path) -> None:
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
        assert complaints(schemas["ClientRequest"], message) == [], method


def test_what_our_client_hears_is_told_by_the_schema(schemas: Schemas) -> None:
    heard = set(re.findall(r'case "(\w+/[\w/]+)"', inspect.getsource(turn)))
    assert "turn/completed" in heard
    assert heard <= methods(schemas["ServerNotification"])


def test_each_answer_of_our_client_is_one_that_the_schema_allows(schemas: Schemas) -> None:
    assert set(REQUEST_ANSWERS) == set(RESPONSES) <= methods(schemas["ServerRequest"])
    for method, answer in REQUEST_ANSWERS.items():
        assert complaints(schemas[RESPONSES[method]], answer) == [], method
        assert not re.search("accept|approved", json.dumps(answer)), method
