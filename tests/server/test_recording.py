"""``yemot-ai serve --record``: what is written, and that a call is answered if nothing can be written."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import stat
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from yemot_ai import AccessPolicy, AIFlow, YemotAI
from yemot_ai.server import record_files, recording
from yemot_ai.server.recording import CallRecorder
from yemot_ai.web import ASGIApp, Receive, Scope, Send
from yemot_ai_testing import Caller, ScriptedProvider

SECRET = "only-the-line-knows"  # noqa: S105 - of a test


@pytest.fixture
def flow() -> AIFlow:
    provider = ScriptedProvider().answers("בשמונה")
    flow = AIFlow(YemotAI(provider=provider), access=AccessPolicy(secret=SECRET))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "calls"


@pytest.fixture
def recorder(folder: Path) -> Iterator[CallRecorder]:
    recorder = CallRecorder(folder, SECRET)
    yield recorder
    recorder.close()


def talk(flow: AIFlow, recorder: CallRecorder) -> None:
    flow.ai.on_turn(recorder.turn_done)
    app = recorder.wrap(flow.asgi_app)
    with Caller(app, method="POST", constants=(("secret", SECRET),)) as caller:
        caller.dial()
        assert caller.says("מתי פותחים") == "בשמונה"
    recorder.close()


def records(folder: Path) -> list[dict[str, Any]]:
    (path,) = folder.iterdir()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_requests_responses_and_the_models_answers_are_written(
    flow: AIFlow, recorder: CallRecorder, folder: Path
) -> None:
    talk(flow, recorder)

    exchanges = [record for record in records(folder) if record["kind"] == "exchange"]
    (turn,) = [record for record in records(folder) if record["kind"] == "turn"]
    assert exchanges[0]["response"][:20] == "read=t-שלום=ai_1,no,"
    assert ["ai_1", "מתי פותחים"] in exchanges[1]["pairs"]
    assert ["hangup", "yes"] in exchanges[2]["pairs"]
    assert {(exchange["method"], exchange["status"]) for exchange in exchanges} == {("POST", 200)}
    assert (turn["id"], turn["text"], turn["answer"]) == ("ai_1", "מתי פותחים", "בשמונה")
    assert turn["failure"] is None


def test_the_secret_of_the_line_is_not_written(flow: AIFlow, recorder: CallRecorder, folder: Path) -> None:
    talk(flow, recorder)

    (path,) = folder.iterdir()
    assert SECRET not in path.read_text(encoding="utf-8")
    assert ["secret", "***"] in records(folder)[0]["pairs"]


def test_files_and_folder_are_closed_to_other_users(
    flow: AIFlow, recorder: CallRecorder, folder: Path
) -> None:
    talk(flow, recorder)

    (path,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name.startswith("call-")


def test_an_unwritable_folder_is_one_warning_and_the_call_is_answered(
    flow: AIFlow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    talk(flow, CallRecorder(tmp_path / "file" / "calls"))

    (warning,) = [record for record in caplog.records if "not recorded" in record.getMessage()]
    assert "Not a directory" in warning.getMessage()


def test_a_full_disk_leaves_no_part_of_a_line(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = record_files.RecordFiles(folder)
    files.append("c1", b"first\n")
    (path,) = folder.iterdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))  # a file cannot grow: as on a full disk
    try:
        files.append("c1", b"second\n")
        files.append("c1", b"third\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    files.append("c1", b"fourth\n")

    assert path.read_bytes() == b"first\nfourth\n"
    assert caplog.text.count("not recorded") == 1


def test_a_file_ends_at_its_limit(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_files, "MAX_FILE_BYTES", 20)
    files = record_files.RecordFiles(folder)
    for _ in range(4):
        files.append("c1", b"012345678\n")

    (path,) = folder.iterdir()
    assert path.stat().st_size == 20
    assert sum("is full" in record.getMessage() for record in caplog.records) == 1


def test_above_the_limit_the_oldest_record_is_deleted_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_files, "MAX_FILES", 2)
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    files = record_files.RecordFiles(folder)
    names = []
    for age, call in enumerate(("c1", "c2", "c3")):
        before = set(folder.iterdir())
        files.append(call, b"x\n")
        (new,) = set(folder.iterdir()) - before
        os.utime(new, (age, age))
        names.append(new.name)

    assert {path.name for path in folder.iterdir()} == {"notes.txt", *names[1:]}


def test_a_link_in_place_of_a_file_is_not_followed(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = record_files.RecordFiles(folder)
    files.append("c1", b"x\n")
    (path,) = folder.iterdir()
    path.unlink()
    (tmp_path / "target").write_text("")
    path.symlink_to(tmp_path / "target")
    files.append("c1", b"y\n")

    assert (tmp_path / "target").read_text() == ""
    assert "not recorded" in caplog.text


def test_what_the_disk_is_too_slow_for_is_dropped_with_one_warning(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MAX_PENDING_BYTES", 10)
    recorder = CallRecorder(folder)
    app = recorder.wrap(answers_nothing)
    for _ in range(3):
        asyncio.run(request(app, b"ApiCallId=c1&x=0123456789"))
    recorder.close()

    assert not folder.exists()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_call_whose_line_changes_one_id_has_one_file(folder: Path) -> None:
    recorder = CallRecorder(folder)
    app = recorder.wrap(answers_nothing)
    for query in (b"ApiCallId=a1&ApiYFCallId=y", b"ApiCallId=a2&ApiYFCallId=y"):
        asyncio.run(request(app, query))
    recorder.close()

    assert len(records(folder)) == 2


def test_a_request_without_a_call_is_not_recorded(folder: Path) -> None:
    recorder = CallRecorder(folder)
    asyncio.run(request(recorder.wrap(answers_nothing), b"x=1"))
    recorder.close()

    assert not folder.exists()


async def answers_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    del scope
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"noop=x"})


async def request(app: ASGIApp, query: bytes) -> None:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: MutableMapping[str, Any]) -> None:
        del message

    await app({"type": "http", "method": "GET", "query_string": query}, receive, send)
