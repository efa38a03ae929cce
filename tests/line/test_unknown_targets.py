"""A move to an extension that has no handler is an error of the line, instead of an endless call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yemot_flow

from yemot_ai import AICall, AIFlow
from yemot_ai.protocol import GoTo, GoToFolder, Response
from yemot_ai_testing import Caller, Line
from yemot_ai_testing.errors import EndlessLineError, LineError


def flow_to(flow: AIFlow, target: str) -> AIFlow:
    """Return a flow whose root leads to ``target``, and whose other extension ends the call."""
    flow.get("")(lambda call: call.goto(target))

    @flow.get("agent")
    def agent(call: AICall) -> None:
        call.play_message("הגעת")
        call.hangup()

    return flow


@pytest.mark.parametrize("target", ["/ajent", "ajent", "/AGENT", "agents"])
def test_a_target_like_a_handler_is_an_error_at_once(flow: AIFlow, target: str) -> None:
    caller = Caller(flow_to(flow, target))
    with pytest.raises(LineError, match="did you mean '/agent'") as caught:
        caller.dial()
    assert caught.value.code == "no-handler"
    assert caught.value.body == f"go_to_folder={target}"
    assert "extensions={…}" in caught.value.hint
    assert len(caller.exchanges) == 1


def test_a_target_unlike_all_handlers_is_an_error_when_the_call_comes_again(flow: AIFlow) -> None:
    caller = Caller(flow_to(flow, "/9"))
    with pytest.raises(LineError, match=r"/ goes to '/9': it leads to /9, for which there is no handler"):
        caller.dial()
    assert [(problem.level, problem.code) for problem in caller.problems] == [
        ("warning", "no-handler"),
        ("error", "no-handler"),
    ]
    assert len(caller.exchanges) == 3


def test_a_folder_of_the_platform_is_no_mistake(flow: AIFlow) -> None:
    caller = Caller(flow_to(flow, "/9"), extensions=frozenset({"", "agent"}))
    caller.dial()
    assert caller.ended
    assert caller.extension == "9"
    assert caller.problems == ()


@pytest.mark.parametrize(
    "response",
    [Response((GoToFolder("/ajent"),)), "go_to_folder=/ajent", "id_list_message=t-רגע.g-/ajent"],
    ids=["response", "text", "message"],
)
def test_a_returned_move_is_checked_as_well(flow: AIFlow, response: Response | str) -> None:
    flow_to(flow, "/agent").routes[""] = lambda call: response
    with pytest.raises(LineError, match="did you mean '/agent'"):
        Caller(flow).dial()


def test_a_message_that_moves_is_checked_as_well(flow: AIFlow) -> None:
    flow_to(flow, "/agent").routes[""] = lambda call: call.play_message(GoTo("/ajent"))
    with pytest.raises(LineError, match="did you mean '/agent'"):
        Caller(flow).dial()


def test_a_caller_who_leaves_an_agent_makes_no_mistake(flow: AIFlow) -> None:
    flow.ai_agent("1/2", greeting="שלום")(lambda call, text: None)
    caller = Caller(flow, extension="1/2")
    caller.dial()
    caller.presses("9")
    assert not [problem for problem in caller.problems if problem.code == "no-handler"]


def test_a_lenient_caller_goes_on(flow: AIFlow) -> None:
    caller = Caller(flow_to(flow, "/ajent"), strict=False)
    with pytest.raises(EndlessLineError, match="the call goes round through /, /ajent") as caught:
        caller.dial()
    assert str(caught.value).startswith("no-handler: / goes to '/ajent'")
    assert "did you mean '/agent'?" in caught.value.mistake
    assert len(caller.exchanges) < 10


def test_a_flow_of_yemot_flow_is_checked_too() -> None:
    flow = yemot_flow.Flow()
    flow.get("agent")(lambda call: None)

    flow.get("")(lambda call: call.goto("ajent"))
    with pytest.raises(LineError, match="did you mean '/agent'"):
        Caller(flow).dial()


def test_an_extension_with_an_ext_ini_but_without_a_handler_is_found(flow: AIFlow, tmp_path: Path) -> None:
    for folder in ("", "agent", "ajent"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "ext.ini").write_text("type=api\napi_link=http://a.example/\n", encoding="utf-8")
    with (
        Line.read(tmp_path, servers={"http://a.example/": flow_to(flow, "/ajent")}) as line,
        pytest.raises(LineError, match="did you mean '/agent'"),
    ):
        Caller(line).dial()


def test_an_endless_call_of_another_application_names_its_extensions() -> None:
    def app(pairs: Sequence[tuple[str, str]]) -> str:
        return "go_to_folder=/" if dict(pairs)["ApiExtension"] else "go_to_folder=/1"

    with pytest.raises(
        EndlessLineError, match="the call goes round through /, /1: does the server know each"
    ):
        Caller(app).dial()
