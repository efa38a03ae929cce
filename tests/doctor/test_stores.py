"""``yemot-ai doctor``: the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.conftest import WriteModule
from yemot_ai import YemotAI
from yemot_ai.doctor import Finding, examine

FLOW = """\
from yemot_ai import AIFlow, YemotAI
flow = AIFlow(YemotAI("codex", store={store!r}))
flow.add_route("", lambda call: None)
"""


def store_of(write_module: WriteModule, store: str | None) -> list[Finding]:
    return [
        finding
        for finding in examine(write_module(FLOW.format(store=store)))
        if finding.check in {"store", "flow", "log"} and finding.message != "examined_line_0:flow is imported"
    ]


def test_the_memory_of_the_process_serves_one_worker(write_module: WriteModule) -> None:
    (finding,) = store_of(write_module, None)
    assert finding.level == "ok"
    assert "only one worker" in finding.message


@pytest.mark.parametrize("url", ["sqlite:calls.db", "json:calls"])
def test_a_store_that_works_is_left_empty(write_module: WriteModule, tmp_path: Path, url: str) -> None:
    (finding,) = store_of(write_module, url)
    assert (finding.level, finding.message.partition(": ")[2]) == ("ok", "opened, written and read")
    kind, _, path = url.partition(":")
    assert YemotAI("codex", store=f"{kind}:{tmp_path / path}").open_calls() == 0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("unix:///no/such/socket", "RedisStore: "),
        ("sqlite:file/calls.db", "file/calls.db"),
        ("postgres://localhost", "names no store"),
    ],
)
def test_a_store_that_does_not_work_is_an_error(write_module: WriteModule, url: str, reason: str) -> None:
    Path("file").write_text("")
    (finding,) = store_of(write_module, url)
    assert finding.level == "error"
    assert reason in finding.message


def test_files_that_other_users_can_read_are_a_warning(write_module: WriteModule, tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir(mode=0o755)
    levels = {finding.level: finding.message for finding in store_of(write_module, "json:calls")}
    assert "calls is open to other users" in levels["warning"]


@pytest.mark.parametrize(
    ("url", "level"), [("sqlite:calls.db", "ok"), ("mysql://x:password@y", "error"), ("", "ok")]
)
def test_without_a_flow_the_store_of_the_environment_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, level: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YEMOT_AI_STORE", url)
    (finding,) = [each for each in examine() if each.check == "store"]
    assert finding.level == level
    assert "password" not in finding.message
