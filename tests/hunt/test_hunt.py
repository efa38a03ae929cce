from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hunt.conftest import Project
from yemot_ai_testing.cli.main import main
from yemot_ai_testing.hunt import replay as hunt_replay
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import RunSettings, open_target

FORGETFUL = """
from yemot_ai import AIFlow, YemotAI

flow = AIFlow(YemotAI("openai"))

@flow.get("")
def menu(call):
    if call.read("הקישו 2", max_digits=1, val_name="menu") == "2":
        call.goto("/orders")
    call.hangup()

@flow.ai_agent("orders", greeting="שלום")
async def agent(call, text):
    answer = await call.ask_ai(text)
    turns = call.state["turns"] = int(call.state.get("turns", 0)) + 1
    return "מה שאלת" if turns == 2 else answer
"""

HEALTHY = """
from yemot_ai import AIFlow, YemotAI

flow = AIFlow(YemotAI("codex", store="sqlite:calls.db"))
wsgi = flow.wsgi_app
asgi = flow.asgi_app

@flow.ai_agent("", greeting="שלום")
def agent(call, text): ...
"""


def replay(path: Path) -> list[ScenarioResult]:
    results = []
    for scenario in load(path).scenarios:
        with open_target(RunSettings(), scenario.app) as target:
            results.append(play_scenario(scenario, target))
    return results


def hunted(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["hunt", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_fault_behind_a_menu_is_found_and_shown(write: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write("forgetful", FORGETFUL)

    assert main(["hunt", "forgetful:flow", "--examples=20", "--seed=1", "--extension=/"]) == 1

    table, *violations = capsys.readouterr().out.split("\n\n")
    rows = [row.split() for row in table.splitlines()]
    assert rows[0] == ["machine", "from", "path", "examples", "calls", "seconds", "violation"]
    assert [(row[:3], row[-1]) for row in rows[1:]] == [(["CallMachine", "/", "2"], "unheard")]
    assert "unheard: the model has answered 7002, and the caller has not heard it" in violations[0]
    assert len(violations[0].splitlines()) <= 2 + 15 + 1
    assert "replay: pytest --yemot-scenario found-calls/" in violations[0]


def test_what_is_found_is_a_scenario_that_fails_with_the_same_violation(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write("forgetful", FORGETFUL)
    _, data = hunted(capsys, "forgetful:flow", "--examples=20", "--seed=1", "--into=found")

    files = [Path(search["file"]) for search in data["searches"]]
    assert len({*files}) == 2  # from the menu, and from the agent
    for file in files:
        (result,) = replay(file)
        assert result.failure is not None
        assert "unheard: the model has answered 7002" in str(result.failure)


def test_a_scenario_passes_when_the_fault_is_gone(write: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write("forgetful", FORGETFUL)
    _, data = hunted(capsys, "forgetful:flow", "--examples=20", "--seed=1", "--extension=orders")
    write("forgetful", FORGETFUL.replace("turns == 2", "turns == -1"))

    for search in data["searches"]:
        assert [result.failure for result in replay(Path(search["file"]))] == [None]


@pytest.mark.parametrize("attribute", ["flow", "wsgi", "asgi", "flow.wsgi_app"])
def test_nothing_is_found_in_a_healthy_line(
    attribute: str, write: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("healthy_line", HEALTHY)

    assert main(["hunt", f"healthy_line:{attribute}", "--examples=4", "--seed=1"]) == 0

    out = capsys.readouterr().out
    assert "no violation in " in out
    assert "note:" not in out
    assert [path.name for path in tmp_path.iterdir()] == ["healthy_line.py"]  # neither a store nor a scenario


def test_the_seed_that_is_printed_finds_the_same(write: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write("forgetful", FORGETFUL)
    found = [hunted(capsys, "forgetful:flow", "--examples=20", "--seed=7")[1] for _ in range(2)]

    searches = [[{**one, "seconds": 0} for one in data["searches"]] for data in found]
    assert searches[0] == searches[1]


def test_the_modules_of_the_project_are_as_before(write: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write("healthy_line", HEALTHY)
    hunted(capsys, "healthy_line:flow", "--examples=1")
    assert "healthy_line" not in sys.modules


@pytest.mark.slow
def test_a_model_that_is_not_replaced_is_not_judged(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write("plain", "def line(pairs):\n    return 'read=t-מה שמך=name,yes,voice'\n")

    code, data = hunted(capsys, "plain:line", "--examples=3", "--allow=endless")

    assert (code, data["found"]) == (0, 0)
    assert any("not judged" in note for note in data["notes"])


def test_responses_of_a_plain_function_are_judged(write: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write("plain", "def line(pairs):\n    return f'read=t-שלום & {len(pairs)}=name,no,voice'\n")

    code, data = hunted(capsys, "plain:line", "--examples=3")

    assert (code, data["searches"][0]["violation"]["kind"]) == (1, "invalid")


def test_a_factory_gets_the_model(write: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "asking",
        "def make_app(provider):\n"
        "    def line(pairs):\n"
        "        said = [value for name, value in pairs if name.startswith('said')]\n"
        "        answer = provider.ask_blocking(said[-1])[0] if said and said[-1] else 'שלום'\n"
        "        return f'read=t-{answer}=said_{len(said)},no,voice'\n"
        "    return line\n",
    )
    code, data = hunted(capsys, "asking:make_app", "--examples=20", "--seed=1", "--blocks")
    assert code == 1
    assert data["searches"][0]["violation"]["kind"] in {"forgot", "asked_twice", "unstable", "asked_unsaid"}


def test_an_access_beyond_this_machine_is_refused_and_noted(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    agent = "    import socket\n    socket.create_connection(('192.0.2.1', 80), timeout=1)\n"
    write("reaching", HEALTHY.replace(": ...", ":\n" + agent))

    code, data = hunted(capsys, "reaching:flow", "--examples=2", "--seed=1")

    assert code == 0  # the flow apologizes to the caller
    assert "refused a connection to 192.0.2.1:80: allow it by --access NAME" in data["notes"]


def test_an_interruption_ends_the_hunt_and_shows_what_was_found(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        "stopping",
        "count = 0\n"
        "def line(pairs):\n"
        "    return 'read=t-שלום=name,no,voice'\n"
        "def make_app(calls=[]):\n"
        "    calls.append(1)\n"
        "    if len(calls) > 12: raise KeyboardInterrupt\n"
        "    return line\n",
    )

    code, data = hunted(capsys, "stopping:make_app", "--examples=20", "--allow=endless")

    assert code == 130
    assert "interrupted: the rest was not searched" in data["notes"]
    assert data["searches"][0]["examples"] < 20


@pytest.mark.slow
def test_what_a_developer_may_choose_is_not_accused(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        "chosen",
        "from yemot_ai import AIFlow, AccessPolicy, DialogSettings, KeyAction, Limits, YemotAI\n"
        "from yemot_ai.providers import OpenAIProvider\n"
        "ai = YemotAI(provider=OpenAIProvider(model='gpt'), limits=Limits(turns=2), remember='caller',\n"
        "             session_ttl=60, retries=0, turn_timeout=5)\n"
        "dialog = DialogSettings(keys={'1': KeyAction.RESTART, '5': KeyAction.LEAVE}, max_silences=15,\n"
        "                        speech=lambda text: text.replace('7', 'שבע '))\n"
        "access = AccessPolicy(allow=['0501111111', '0502222222'], secret='a long secret')\n"
        "flow = AIFlow(ai, dialog=dialog, access=access)\n"
        "flow.ai_agent('', greeting='שלום')(lambda call, text: None)\n"
        "flow.ai_agent('2', greeting='שלום', listen='keyboard', stream=False)(lambda call, text: None)\n"
        "flow.ai_agent('3', greeting='שלום', listen='record')(lambda call, text: None)\n",
    )
    phones = ("--phone=0501111111", "--phone=0502222222")
    code, data = hunted(capsys, "chosen:flow", "--examples=8", "--seed=1", *phones)

    assert (code, data["notes"]) == (0, [])
    assert [one["extension"] for one in data["searches"]] == ["", "", "2", "3", "3"]


def test_callers_confirm_what_they_say_and_identify_themselves(
    write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        "confirming",
        "from yemot_ai import AIFlow, YemotAI\n"
        "flow = AIFlow(YemotAI('codex'))\n"
        "@flow.get('')\n"
        "def confirm(call):\n"
        "    call.read('הקישו תעודת זהות', max_digits=9, min_digits=9, val_name='id',\n"
        "              typing_playback_mode='TeudatZehut')\n"
        "    while said := call.read('מה השאלה', mode='voice', val_name='question'):\n"
        "        if call.read(f'אמרת {said}, לאישור הקישו 1', max_digits=1, val_name='yes') == '1':\n"
        "            call.play_message(call.ask_ai(said))\n"
        "    call.hangup()\n",
    )
    code, data = hunted(capsys, "confirming:flow", "--examples=8", "--seed=1")

    (search,) = data["searches"]
    assert (code, search["path"], search["violation"]) == (0, "000000018", None)
    assert data["notes"] == []


def test_an_exception_of_the_application_is_noted(write: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write("raising", HEALTHY.replace(": ...", ":\n    return {}['answer']"))
    _, data = hunted(capsys, "raising:flow", "--examples=1", "--seed=1")
    assert any("the application logged KeyError: 'answer' (at " in note for note in data["notes"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name one TARGET"),
        (["shop:flow", "--serve=node"], "name one TARGET"),
        (["no_such_module:flow"], "there is no module 'no_such_module'"),
        (["healthy_line"], "write module:attr"),
        (["healthy_line:nothing"], "has no 'nothing'"),
        (["healthy_line:__name__"], "is a text"),
        (["menu_only:line"], "--path 1,2"),
        (["raising:flow"], "RuntimeError: no database (at "),
        (["--serve=no-such-program"], "there is no program"),
        (["http://192.0.2.1/"], "remote"),
        (["http://127.0.0.1:9/"], "start it first, or use --serve"),
        (["healthy_line:flow", "--into=healthy_line.py", "--examples=1"], ""),
    ],
)
def test_wrong_use_says_the_way_out(
    arguments: list[str], message: str, write: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write("healthy_line", HEALTHY)
    write("menu_only", "def line(pairs):\n    return 'id_list_message=t-סגור&go_to_folder=hangup'\n")
    write("raising", "raise RuntimeError('no database')\n")

    code = main(["hunt", *arguments])

    captured = capsys.readouterr()
    assert (code, message in captured.err) == (2 if message else 0, True)
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "argument",
    ["--seconds=0", "--seconds=nan", "--examples=x", "--kinds=nope", "--path=1,,2", "--retries=-1"],
)
def test_a_wrong_argument_is_refused(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["hunt", "shop:flow", argument])
    assert argument.partition("=")[0] in capsys.readouterr().err


def test_a_replayed_name_begins_with_a_module() -> None:
    # pytest asks every module for ``pytest_plugins``, and refuses one that has it and is no list.
    assert not hasattr(hunt_replay, "pytest_plugins")
    assert not hasattr(hunt_replay, "__wrapped__")
    assert hasattr(hunt_replay, "json")
