"""Calls by hand: commands, what there is to see, and what is saved."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from yemot_ai_testing.doubles.steps import Answer, Hang
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.phone.call import CallBusyError, PhoneCall
from yemot_ai_testing.phone.command import CommandError, parse_command
from yemot_ai_testing.phone.model import PhoneModel
from yemot_ai_testing.phone.save import NothingToSaveError, save_call
from yemot_ai_testing.phone.target import open_phone_target
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import RunSettings, open_target


def do(call: PhoneCall, *commands: str) -> None:
    assert call.wait(10)
    for command in commands:
        call.send(parse_command(command))
        assert call.wait(10)


def test_a_menu_and_an_agent_are_heard_without_a_key(line_module: str) -> None:
    with open_phone_target(line_module) as target, target.dial() as call:
        do(call, "presses 1", "says פיצה", "says תודה")

        assert [one.heard for one in call.performed] == [
            "להזמנה הקישו 1", "מה תרצו להזמין?", "אמרת, פיצה", "להתראות"
        ]  # fmt: skip
        view = call.view()
    assert view.ended
    assert view.possible == ()
    assert [row.text for row in view.rows if row.kind in {"says", "presses"}] == ["1", "פיצה", "תודה"]
    assert view.exchanges[0].body.startswith("read=t-להזמנה הקישו 1=menu,")


def test_the_view_says_what_is_possible(line_module: str) -> None:
    with open_phone_target(line_module) as target, target.dial() as call:
        do(call)
        assert call.view().possible == ("presses", "silent", "repeats", "hangs_up")
        do(call, "presses 1")
        assert call.view().possible == ("says", "presses", "silent", "mumbles", "repeats", "hangs_up")
        assert call.view().waits_for == "the line waits for speech or keys (voice) (read 'ai_1')"


def test_what_the_line_does_not_take_is_a_notice(line_module: str) -> None:
    with open_phone_target(line_module) as target, target.dial() as call:
        do(call, "says שלום")
        view = call.view()
        assert "the line waits for keys" in view.notice
        assert len(view.exchanges) == 1
        do(call, "presses 1")
        assert call.view().notice == ""


def test_a_caller_can_hang_up_while_the_model_works(line_module: str) -> None:
    model = PhoneModel([Hang()])
    with open_phone_target(line_module, model) as target, target.dial(extension="order") as call:
        do(call)
        call.send(parse_command("says פיצה"))
        model.script.wait_for_requests(1)
        assert call.view().busy
        assert call.view().possible == ("hangs_up",)
        with pytest.raises(CallBusyError):
            call.send(parse_command("says שוב"))
        call.send(parse_command("hangs-up"))
        assert call.wait(10)
        assert call.view().ended
    assert model.running == 0


def test_a_call_left_open_is_hung_up(line_module: str) -> None:
    with open_phone_target(line_module) as target:
        with target.dial() as call:
            do(call, "presses 1")
        assert call.view().ended
        assert call.caller.exchanges[-1].hangup


@pytest.mark.parametrize("text", ["", "sings לה", "says", "presses ", "silent now"])
def test_what_is_no_command_is_an_error(text: str) -> None:
    with pytest.raises(CommandError):
        parse_command(text)


@pytest.mark.parametrize("after", [0.0, 2.0])
def test_a_saved_call_is_a_scenario_that_passes(line_module: str, tmp_path: Path, after: float) -> None:
    model = PhoneModel([Answer(("באיזה גודל?",), after)])
    with open_phone_target(line_module, model) as target, target.dial(phone="0521112222") as call:
        do(call, "presses 1", "says פיצה", "silent", "says גדולה", "says תודה")
        path = save_call(target, call, "order", tmp_path)

    (scenario,) = load(path).scenarios
    with open_target(RunSettings(), scenario.app) as play_target:
        result = play_scenario(scenario, play_target)
    assert result.failure is None
    assert result.agent_turns == 2
    text = path.read_text(encoding="utf-8")
    assert f'app: "{line_module}"' in text
    assert "0521112222" in text
    assert 'answers: "באיזה גודל?"' in text or '- "באיזה גודל?"' in text


def test_a_call_that_asked_no_model_says_so_in_its_file(line_module: str, tmp_path: Path) -> None:
    with open_phone_target(line_module) as target, target.dial() as call:
        do(call, "hangs-up")
        path = save_call(target, call, "menu", tmp_path)
    assert "what the model answered is not known" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["", " ", "../order", "a/b", "order"])
def test_a_name_that_cannot_be_a_new_file_is_an_error(line_module: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "order.call.yaml").touch()
    with open_phone_target(line_module) as target, target.dial() as call:
        do(call)
        with pytest.raises(NothingToSaveError):
            save_call(target, call, name, tmp_path)
    assert [path.name for path in tmp_path.glob("*.call.yaml")] == ["order.call.yaml"]


def test_an_application_that_never_answers_does_not_keep_the_phone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yemot_ai_testing.phone.call.CLOSE_SECONDS", 0.1)
    released = threading.Event()

    def app(pairs: object) -> str:
        released.wait(30)
        return "noop="

    call = PhoneCall(Caller(app))
    call.close()
    assert call.busy
    released.set()
    assert call.wait(10)


FAILING = """\
from yemot_ai import AIFlow, YemotAI

flow = AIFlow(YemotAI("codex"))


@flow.get("")
def menu(call):
    call.read("הקישו", max_digits=1, val_name="key")
    return {}["price"]


@flow.get("async")
async def waits(call):
    call.play_message("שלום")
    call.read("הקישו")


@flow.ai_agent("agent", greeting="שלום")
def agent(call, text):
    return 5 / len(text[:0])
"""


@pytest.mark.parametrize(
    ("extension", "command", "said"),
    [
        ("", "presses 1", ".py:9: KeyError: 'price'"),
        ("async", "", ".py:15: call.read(…) was never awaited"),
        ("agent", "says פיצה", ".py:20: ZeroDivisionError: division by zero"),
    ],
)
def test_code_of_the_application_that_fails_is_a_notice(
    extension: str, command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"failing_{tmp_path.name.strip('_')}"
    (tmp_path / f"{name}.py").write_text(FAILING, encoding="utf-8")
    with open_phone_target(f"{name}:flow") as target, target.dial(extension=extension) as call:
        do(call, *filter(None, [command]))
        assert said in call.view().notice
