"""All verbs of a turn."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

# It repeats the last value, and reads in the mode that the extension names.
ECHO = """
MODES = {"voice": "voice", "tap": "5,1,7,No", "record": "record,/1,000,no"}

def app(pairs):
    if ("hangup", "yes") in pairs:
        return "noop=bye"
    values = [value for name, value in pairs if name.startswith("q")]
    mode = MODES[dict(pairs)["ApiExtension"]]
    text = values[-1].replace(".", " ").replace("/", " ") if values else "שלום"
    return f"read=t-{text or 'דבר'}=q{len(values) + 1},no,{mode}"
"""
CALL = "caller: {{extension: {mode}}}\nscenarios:\n  - name: א\n    turns: [{{hears: שלום}}, {turns}]\n"


@pytest.fixture
def play(project: pytest.Pytester, run: Run, write: Write) -> Callable[[str, str], pytest.RunResult]:
    """Play a call in which the echo reads in one mode."""
    write("echo.py", ECHO)

    def play(mode: str, turns: str) -> pytest.RunResult:
        write("echo.call.yaml", CALL.format(mode=mode, turns=turns))
        return run("--yemot-app=echo:app", "--yemot-scenario=echo.call.yaml")

    return play


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "turns"),
    [
        ("voice", "{says: פיצה גדולה, hears: {equals: פיצה גדולה}}"),
        ("voice", "{says: 0501234567, hears: {equals: '0501234567'}}"),
        ("voice", "{says: no, hears: {equals: no}}"),
        ("tap", '{presses: "12#", hears: {equals: "12"}}'),
        ("tap", '{presses: "*", hears: {equals: "*"}}'),
        ("record", "{records: /1/000.wav, hears: {contains: 1 000 wav}}"),
        ("voice", "{silent: true, hears: {read: {mode: voice}}}"),
        ("tap", "{silent: true, hears: {contains: M1002, read: {mode: tap}}}"),
        ("voice", "{says: פיצה}, {repeats: true, hears: {equals: פיצה, same: true}}"),
        ("voice", "{says: פיצה}, {hangs_up: true, hears: {ends: true}}"),
    ],
)
def test_each_verb_works(play: Callable[[str, str], pytest.RunResult], mode: str, turns: str) -> None:
    play(mode, turns).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("mode", "turn"),
    [
        ("tap", "{says: פיצה}"),
        ("voice", "{records: /1/000.wav}"),
        ("tap", "{records: /1/000.wav}"),
        ("record", '{says: "פיצה"}'),
        ("voice", "{hangs_up: true}, {says: עוד}"),
    ],
)
def test_a_verb_that_the_line_does_not_wait_for_fails(
    play: Callable[[str, str], pytest.RunResult], mode: str, turn: str
) -> None:
    result = play(mode, turn)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*: verb *"])


def test_a_first_verb_follows_the_greeting(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("echo.py", ECHO)
    write(
        "echo.call.yaml",
        "caller: {extension: voice}\nscenarios: [{name: א, turns: [{says: ב, hears: {equals: ב}}]}]\n",
    )
    run("--yemot-app=echo:app", "--yemot-scenario=echo.call.yaml", "-v").stdout.fnmatch_lines(
        ["*line  שלום", "*“ב”", "*line  ב", "*1 passed*"]
    )


def test_a_scenario_can_override_the_caller_of_the_file(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "who.py",
        """
        def app(pairs):
            values = dict(pairs)
            where = values["ApiExtension"].replace("/", "") or "ראשית"
            return f"read=t-{values['ApiPhone'] or 'חסוי'} ב {where}=q,no,voice"
        """,
    )
    write(
        "who.call.yaml",
        """
        app: who:app
        caller: {phone: 0521111111, extension: 7}
        scenarios:
          - {name: א, turns: [{hears: {equals: 0521111111 ב 7}}]}
          - {name: ב, caller: {phone: 0522222222}, turns: [{hears: {equals: 0522222222 ב ראשית}}]}
          - {name: ג, caller: {phone: "", method: POST}, turns: [{hears: {equals: חסוי ב ראשית}}]}
          - {name: ד, app: shop:app, turns: [{hears: ברוכים}]}
        """,
    )
    run("--yemot-scenario=who.call.yaml").assert_outcomes(passed=4)
