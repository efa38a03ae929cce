"""Each failure is shown once, has a kind from a closed list, and prints a command that replays it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from yemot_ai_testing.scenario.play.result import MISMATCH_KINDS

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

POLL = "read=t-רגע=w,no,1,1,1,No,,,,,1,Ok,None,,no"
AGENT = """
import subprocess

def app(pairs):
    values = dict(pairs)
    if "hangup" in values:
        return "noop=bye"
    if "q1" not in values:
        return "read=t-מה=q1,no,voice"
    command = ["codex", "exec", "--skip-git-repo-check", "-"]
    subprocess.run(command, input=values["q1"], capture_output=True, text=True, check=False)
    return "read=t-כן=q2,no,voice"
"""
ANSWERS = "def app(pairs):\n    return {!r}\n"
GREETS = ANSWERS.format("read=t-שלום=q,no,voice")
MISTAKEN = """
from yemot_ai import AIFlow, YemotAI

app = AIFlow(YemotAI("codex"))

@app.get("")
def menu(call):
    call.goto("/shap")

@app.get("shop")
def shop(call):
    call.read("שלום", mode="voice")
"""

FAILING = {
    "heard": (GREETS, "{hears: ביי}", ""),
    "response": (GREETS, "{hears: {read: {mode: tap}}}", ""),
    "ends": (GREETS, "{hears: {ends: true}}", ""),
    "dead_air": (
        f"def app(pairs):\n    return {POLL!r} if 'w' not in dict(pairs) else 'read=t-הנה=q,no,voice'\n",
        "{hears: {contains: הנה, within: 100ms}}",
        "",
    ),
    "protocol": (ANSWERS.format("hangup=yes"), "{hears: {ends: true}}", ""),
    "no_answer": ("def app(pairs):\n    raise KeyError('price')\n", "{hears: שלום}", ""),
    "app_error": (MISTAKEN, "{hears: שלום}", ""),
    "verb": (GREETS, "{records: /1/000.wav}", ""),
    "endless": (ANSWERS.format("go_to_folder=."), "{hears: שלום}", ""),
    "meanwhile": (GREETS, '{meanwhile: {calls: "os:getcwd", after: 1m}}', ""),
    "script": (AGENT, "{says: א, hears: כן}", ""),
    "afterwards": (AGENT, "{says: א, agent: {answers: ב}}", "    afterwards: {agent_turns: 2}\n"),
}


def report_of(result: pytest.RunResult) -> list[str]:
    """Return the lines of the failure, from its location to its replay command."""
    begin = next(number for number, line in enumerate(result.outlines) if ".call.yaml:" in line)
    end = next(
        number for number, line in enumerate(result.outlines) if line.startswith("replay:") and number > begin
    )
    return result.outlines[begin : end + 1]


def test_every_kind_has_a_test() -> None:
    assert set(FAILING) == set(MISMATCH_KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MISMATCH_KINDS)
def test_a_failure_is_shown_once_and_its_command_replays_it(
    project: pytest.Pytester, run: Run, write: Write, kind: str
) -> None:
    app, turn, more = FAILING[kind]
    write("bad.py", app)
    write(
        "calls/bad.call.yaml",
        f"scenarios:\n  - name: \"אחת 'ושתיים' [3] and not\"\n    turns:\n      - {turn}\n{more}"
        "  - {name: אחת, turns: [{hears: מה}]}\n",
    )
    result = run("--yemot-app=bad:app", "--yemot-scenario=calls", "-k", "ושתיים")
    result.assert_outcomes(failed=1, deselected=1)
    report = report_of(result)
    assert result.stdout.str().count("the call of ") == 1
    assert re.match(rf"calls/bad\.call\.yaml:\d+:\d+: {kind} · (turn 1 of 1|after the call)$", report[0])
    assert len(report) <= (80 if kind == "endless" else 20)

    program, *words = shlex.split(report[-1].removeprefix("replay: "))

    assert program == "pytest"
    replayed = run(*words)
    replayed.assert_outcomes(failed=1)
    assert report_of(replayed)[0] == report[0]


def test_the_command_has_the_options_that_decide_how_a_call_ends(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("bad.py", GREETS)
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{hears: ביי}]}]\n")
    write("other.toml", "[pytest]\n")
    options = [
        "--yemot-app=bad:app",
        "--yemot-allow=192.0.2.1",
        "--yemot-block-network",
        "--yemot-isolation=python",
        "--yemot-baseline=times.json",
        "--yemot-repeat=2",
        "--config-file=other.toml",
        "--override-ini=yemot_line=lenient = true",
    ]
    report = report_of(run(*options, "--yemot-scenario=bad.call.yaml"))
    words = shlex.split(report[-1].removeprefix("replay: "))
    assert words == ["pytest", "bad.call.yaml::א", *options, "--yemot-scenario"]
    assert report_of(run(*words[1:]))[0] == report[0]


def test_the_command_of_a_python_test_has_them_too(run: Run, write: Write, project: pytest.Pytester) -> None:
    write("bad.py", GREETS)
    write(
        "test_bad.py",
        """
        def test_bad(yemot_caller):
            yemot_caller.dial()
            assert yemot_caller.heard == "ביי"
        """,
    )
    run("--yemot-app=bad:app", "--yemot-html=calls.html", "test_bad.py").assert_outcomes(failed=1)
    page = project.path.joinpath("calls.html").read_text(encoding="utf-8")
    assert "pytest test_bad.py::test_bad --yemot-app=bad:app" in page


def test_a_failure_does_not_show_a_location_in_the_toolkit(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("bad.py", GREETS)
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{records: /1/000.wav}]}]\n")
    result = run("--yemot-app=bad:app", "--yemot-scenario=bad.call.yaml")
    result.stdout.fnmatch_lines(["*: verb · turn 1 of 1"])
    result.stdout.no_fnmatch_line("*raised at*")


def test_a_long_call_is_shown_whole_and_once(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("bad.py", GREETS)
    turns = "".join(f"      - says: מספר {number}\n" for number in range(20))
    last = "      - says: סוף\n        # one\n        # two\n        # three\n        hears:\n"
    texts = "".join(f"            - טקסט {number}\n" for number in range(9))
    write("long.call.yaml", f"scenarios:\n  - name: א\n    turns:\n{turns}{last}          contains:\n{texts}")
    result = run("--yemot-app=bad:app", "--yemot-scenario=long.call.yaml")
    report = report_of(result)
    assert [line for line in report if "# heard: שלום" in line]
    assert [line.partition("“")[2] for line in report if "“מספר" in line] == [
        f"מספר {number}”" for number in range(20)
    ]
    assert result.stdout.str().count("“סוף”") == 1


def test_a_call_that_never_ends_is_cut_in_the_middle(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write("bad.py", ANSWERS.format("id_list_message=t-שוב&go_to_folder=."))
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{hears: שלום}]}]\n")
    result = run("--yemot-app=bad:app", "--yemot-scenario=bad.call.yaml")
    result.stdout.fnmatch_lines(["*: endless · turn 1 of 1", "   … * more lines …"])
    assert len(report_of(result)) < 80


@pytest.mark.parametrize(
    ("turn", "hinted"),
    [
        ("{hears: ביי}", ["wording"]),
        ("{hears: {equals: ביי}}", ["wording"]),
        ("{hears: {read: {mode: tap}}}", ["response"]),
        ("{hears: {contains: ביי, ends: true}}", []),
        ("{hears: {matches: ביי}}", []),
        ("{hears: {excludes: שלום}}", []),
        ("{hears: {read: false}}", []),
        ("{records: /1/000.wav}", []),
    ],
)
def test_what_has_changed_names_the_option_that_updates_it(
    run: Run, write: Write, turn: str, hinted: list[str]
) -> None:
    write("bad.py", GREETS)
    write("bad.call.yaml", f"scenarios: [{{name: א, turns: [{turn}]}}]\n")
    output = run("--yemot-app=bad:app", "--yemot-scenario=bad.call.yaml").stdout.str()
    assert re.findall("if the new (.+) is right: --yemot-update writes it into the file", output) == hinted


def test_who_was_called_is_named_where_nothing_names_an_application(run: Run, write: Write) -> None:
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{hears: אין כזה}]}]\n")
    unnamed = "the reference agent yemot_ai.reference:flow was called, because nothing names another one*"
    run("--yemot-scenario=bad.call.yaml").stdout.fnmatch_lines([unnamed])
    named = run("--yemot-app=yemot_ai.reference:flow", "--yemot-scenario=bad.call.yaml")
    named.stdout.no_fnmatch_line(unnamed)


def test_a_forgotten_step_of_the_model_has_the_kind_script(run: Run, write: Write) -> None:
    write("bad.py", AGENT)
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{says: א, hears: אחרת}]}]\n")
    run("--yemot-app=bad:app", "--yemot-scenario=bad.call.yaml").stdout.fnmatch_lines(
        [
            "bad.call.yaml:1:31: script · turn 1 of 1",
            "*but this turn has no agent:, such as agent: {answers: …}",
        ]
    )


def test_the_turns_after_a_failure_are_not_shown(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("bad.py", GREETS)
    write("bad.call.yaml", "scenarios: [{name: א, turns: [{hears: ביי}, {says: ב}, {says: ג}]}]\n")
    result = run("--yemot-app=bad:app", "--yemot-scenario=bad.call.yaml")
    result.stdout.fnmatch_lines(["*: heard · turn 1 of 3"])
    result.stdout.no_fnmatch_line("*“ב”*")


def test_the_documentation_lists_the_kinds() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "scenarios.md").read_text(encoding="utf-8")
    _, _, section = page.partition("| kind |")
    listed = re.findall(r"^\| `(\w+)` \|", section.partition("\n\n")[0], re.MULTILINE)
    assert tuple(listed) == MISMATCH_KINDS
