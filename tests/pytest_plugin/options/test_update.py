"""``--yemot-update`` rewrites the expected words and fixes no other failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

APP = """
def app(pairs):
    values = dict(pairs)
    if "hangup" in values:
        return "noop=bye"
    if "q3" in values:
        return "go_to_folder=hangup"
    if "q2" in values:
        return "id_list_message=t-רשמתי.f-/1/ok&read=t-ועוד משהו?=q3,no,2,1,7,No"
    if "q1" in values:
        return "read=t-באיזה גודל=q2,no,voice"
    return "id_list_message=t-ברוכים הבאים&read=t-במה אפשר לעזור=q1,no,voice"
"""
CALLS = """\
# הזמנות
name:   פיצה   # of David
app: shop:app

scenarios:
  - turns:      # the order of keys is mine
      - hears:   'שלום לכם'     # the greeting
      - hears: {  equals: "לא" , ends: false }
        says: פיצה
      - says: גדולה
        hears:
          play: [t-מחקתי, f-/1/ok]
          read: {mode: tap, max_digits: 1, name:  q3}
          contains:
            - רשמתי      # this one stays
            - >-
              להתראות

      # no idea
      - presses: "1#"
        hears: {goto: /2, ends: true}
    name: הזמנה
  - name: שנייה
    turns: [{hears: ערב טוב}]
  - {name: שלישית, turns: [{hears: ברוכים הבאים}]}
"""
UPDATED = (
    CALLS.replace("'שלום לכם'", "'ברוכים הבאים במה אפשר לעזור'")
    .replace('"לא"', '"באיזה גודל"')
    .replace("t-מחקתי", "t-רשמתי")
    .replace("max_digits: 1", "max_digits: 2")
    .replace(">-\n              להתראות", '"f-/1/ok ועוד משהו?"')
    .replace("goto: /2", "goto: hangup")
    .replace("ערב טוב", "ברוכים הבאים במה אפשר לעזור")
)


@pytest.fixture
def shop(project: pytest.Pytester, write: Write) -> pytest.Pytester:
    """A project whose application has changed since its calls were written."""
    project.path.joinpath("shop.call.yaml").unlink()
    write("shop.py", APP)
    project.path.joinpath("pizza.call.yaml").write_text(CALLS, encoding="utf-8")
    return project


def calls(project: pytest.Pytester) -> str:
    return project.path.joinpath("pizza.call.yaml").read_bytes().decode()


def test_the_expected_words_are_replaced_and_nothing_else_changes(shop: pytest.Pytester, run: Run) -> None:
    run("--yemot-scenario", "--yemot-update").assert_outcomes(passed=3)
    assert calls(shop) == UPDATED


@pytest.mark.slow
def test_a_rewritten_file_passes_and_is_not_rewritten_again(shop: pytest.Pytester, run: Run) -> None:
    run("--yemot-scenario", "--yemot-update")
    run("--yemot-scenario").assert_outcomes(passed=3)
    run("--yemot-scenario", "--yemot-update").stdout.fnmatch_lines(["nothing was rewritten"])
    assert calls(shop) == UPDATED


def test_each_change_is_printed(shop: pytest.Pytester, run: Run) -> None:
    run("--yemot-scenario", "--yemot-update", "-k", "שנייה").stdout.fnmatch_lines(
        ["*--yemot-update*", "pizza.call.yaml:24: ערב טוב → ברוכים הבאים במה אפשר לעזור"]
    )


def test_fields_of_a_read_are_written_as_the_server_sent_them(
    shop: pytest.Pytester, run: Run, write: Write
) -> None:
    write("shop.py", "def app(pairs):\n    return 'read=t-א=q,no,2,,07,NO,yes,,,12,,Ok,None,,no'\n")
    fields = (
        "{allowed: 3.4, seconds: 5, keyboard: Digits, accept_empty: false, min_digits: 9, block_star: yes}"
    )
    write("pizza.call.yaml", f"scenarios: [{{name: א, turns: [{{hears: {{read: {fields}}}}}]}}]\n")
    run("--yemot-scenario", "--yemot-update", "--yemot-app=shop:app").assert_outcomes(passed=1)
    expected = "{allowed: 12, seconds: 07, keyboard: NO, accept_empty: Ok, min_digits: 1, block_star: yes}"
    assert expected in calls(shop)
    run("--yemot-scenario", "--yemot-app=shop:app").assert_outcomes(passed=1)


def test_a_list_of_fields_is_not_rewritten(shop: pytest.Pytester, run: Run, write: Write) -> None:
    write("shop.py", "def app(pairs):\n    return 'read=t-א=q,no,1,,,,,,,12'\n")
    text = "scenarios: [{name: א, turns: [{hears: {read: {allowed: [1, 3]}}}]}]\n"
    write("pizza.call.yaml", text)
    result = run("--yemot-scenario", "--yemot-update", "--yemot-app=shop:app")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*read.allowed is 12 (1.2), not ?1, 3?*not rewritten: *"])
    assert calls(shop) == text


def test_windows_line_ends_are_kept(shop: pytest.Pytester, run: Run) -> None:
    shop.path.joinpath("pizza.call.yaml").write_bytes(CALLS.replace("\n", "\r\n").encode())
    run("--yemot-scenario", "--yemot-update").assert_outcomes(passed=3)
    assert calls(shop) == UPDATED.replace("\n", "\r\n")


def test_a_file_without_failures_is_not_touched(shop: pytest.Pytester, run: Run) -> None:
    path = shop.path / "pizza.call.yaml"
    path.write_text(UPDATED, encoding="utf-8")
    before = path.stat().st_mtime_ns
    run("--yemot-scenario", "--yemot-update").assert_outcomes(passed=3)
    assert path.stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hears", "message"),
    [
        ('{matches: "^שלום"}', "heard nothing that matches"),
        ("{excludes: ברוכים}", "which must not be said"),
        ("{ends: true}", "the call has not ended"),
        ("{read: false}", "expected no read"),
        ("{read: {folder: /1}}", "read.folder is not there"),
        ("{goto: /2}", "no go_to_folder=/2"),
        ("{play: [a, b, c, d]}", "no id_list_message plays"),
    ],
)
def test_an_expectation_that_is_not_words_is_reported_and_not_changed(
    shop: pytest.Pytester, run: Run, write: Write, hears: str, message: str
) -> None:
    text = f"scenarios: [{{name: א, turns: [{{hears: {hears}}}]}}]\n"
    write("pizza.call.yaml", text)
    result = run("--yemot-scenario", "--yemot-update", "--yemot-app=shop:app")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{message}*not changed by --yemot-update*"])
    assert calls(shop) == text


@pytest.mark.slow
def test_too_much_dead_air_still_fails(shop: pytest.Pytester, run: Run, write: Write) -> None:
    write("slow.py", "import time\ndef app(pairs):\n    time.sleep(0.3)\n    return 'read=t-א=q,no,voice'\n")
    write("pizza.call.yaml", "scenarios: [{name: א, turns: [{hears: {contains: ב, within: 100ms}}]}]\n")
    result = run("--yemot-scenario", "--yemot-update", "--yemot-app=slow:app")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*: dead_air*", "*within: 100ms*"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("return 'hangup=yes'", "protocol"),
        ("return 'read=t-א=q,no,voice&read=t-ב=p,no,voice'", "protocol"),
        ("raise KeyError('price')", "no_answer"),
        ("return 'go_to_folder=.'", "endless"),
    ],
)
def test_an_invalid_response_still_fails(
    shop: pytest.Pytester, run: Run, write: Write, statement: str, kind: str
) -> None:
    write("shop.py", f"def app(pairs):\n    {statement}\n")
    result = run("--yemot-scenario", "--yemot-update")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines([f"*: {kind}*"])
    assert calls(shop) == CALLS


def test_a_call_that_fails_later_changes_none_of_its_turns(
    shop: pytest.Pytester, run: Run, write: Write
) -> None:
    write("shop.py", APP.replace('"read=t-באיזה גודל=q2,no,voice"', '"hangup=yes"'))
    run("--yemot-scenario", "--yemot-update", "-k", "הזמנה").stdout.fnmatch_lines(["*: protocol*"])
    assert calls(shop) == CALLS


@pytest.mark.parametrize(
    ("more", "kind"),
    [("agent: {answers: ב}, ", "script"), ("", "afterwards")],
    ids=["an unused script", "a wrong count"],
)
def test_a_failure_after_the_call_still_fails(
    shop: pytest.Pytester, run: Run, write: Write, more: str, kind: str
) -> None:
    text = (
        "app: shop:app\nscenarios:\n"
        f"  - {{name: א, turns: [{{{more}hears: ביי}}], afterwards: {{agent_turns: 1}}}}\n"
    )
    write("pizza.call.yaml", text)
    result = run("--yemot-scenario", "--yemot-update")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*: {kind}*"])
    assert calls(shop) == text


def test_an_anchor_is_not_rewritten(shop: pytest.Pytester, run: Run, write: Write) -> None:
    text = (
        "app: shop:app\nscenarios:\n  - {name: א, turns: [{hears: &hello שלום}]}\n"
        "  - {name: ב, turns: [{hears: *hello }]}\n"
    )
    write("pizza.call.yaml", text)
    result = run("--yemot-scenario", "--yemot-update")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*not rewritten: *anchor*"])
    assert calls(shop) == text


def test_without_heard_words_nothing_is_written(shop: pytest.Pytester, run: Run, write: Write) -> None:
    write("shop.py", "def app(pairs):\n    return 'go_to_folder=hangup'\n")
    run("--yemot-scenario", "--yemot-update").assert_outcomes(failed=3)
    assert calls(shop) == CALLS


@pytest.mark.slow
def test_a_file_that_changed_during_the_run_is_not_rewritten(
    shop: pytest.Pytester, run: Run, write: Write
) -> None:
    append = "with open('pizza.call.yaml', 'a') as file: file.write('# mine')"
    write("shop.py", APP.replace('return "noop=bye"', f"{append}\n        return 'noop=bye'"))
    result = run("--yemot-scenario", "--yemot-update")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["pizza.call.yaml: not rewritten: it has changed since it was read"])
    assert calls(shop).startswith(CALLS + "# mine")


@pytest.mark.parametrize("goodbyes", [1, 3])
def test_a_file_that_is_deleted_during_the_run_is_reported(
    shop: pytest.Pytester, run: Run, write: Write, goodbyes: int
) -> None:
    count = f"seen.append(1)\n        len(seen) == {goodbyes} and os.unlink('pizza.call.yaml')"
    app = APP.replace('return "noop=bye"', f"{count}\n        return 'noop=bye'")
    write("shop.py", f"import os\nseen = []\n{app}")
    result = run("--yemot-scenario", "--yemot-update", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*--yemot-update*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("INTERNALERROR*")
    assert not result.stderr.lines


def test_a_printed_change_is_one_line_with_escaped_controls(
    shop: pytest.Pytester, run: Run, write: Write
) -> None:
    write("pizza.call.yaml", CALLS.replace("[{hears: ערב טוב}]", '[{hears: "ערב\\n\\e[31mטוב"}]'))
    result = run("--yemot-scenario", "--yemot-update")
    result.stdout.fnmatch_lines([r"pizza.call.yaml:*: ערב\n\x1b* → ברוכים הבאים במה אפשר לעזור"])


def test_several_processes_are_a_usage_error(shop: pytest.Pytester, run: Run) -> None:
    result = run("-p", "xdist.plugin", "-n", "2", "--yemot-scenario", "--yemot-update")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--yemot-update*leave out -n*"])
    assert calls(shop) == CALLS


def test_without_scenarios_it_is_a_usage_error(shop: pytest.Pytester, run: Run) -> None:
    result = run("--yemot-update")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*add --yemot-scenario*"])


def test_turns_after_the_end_by_the_agent_are_not_played_and_ends_is_not_rewritten(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    project.path.joinpath("shop.call.yaml").unlink()
    text = (
        "scenarios:\n"
        "  - {name: א, turns: [{says: פיצה, hears: {contains: ביי, ends: maybe}}, {says: עוד}]}\n"
        "  - {name: ב, turns: [{says: פיצה, hears: {contains: תודה, ends: caller}}]}\n"
    )
    write("ends.call.yaml", text)
    result = run("--yemot-app=shop:app", "--yemot-scenario=ends.call.yaml", "--yemot-update")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*the agent ended the call, not the caller (not changed by --yemot-update)"])
    written = project.path.joinpath("ends.call.yaml").read_bytes().decode()
    assert written == text.replace("ביי", "תודה")


def test_the_changes_are_shown_as_the_file_writes_them(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    project.path.joinpath("shop.call.yaml").unlink()
    write("tap.py", 'def app(pairs):\n    return "read=t-מה=q,no,1,1,7,No,,,,12"\n')
    fields = '{allowed: null, attempts: 3, replace: "*/"}'
    write("tap.call.yaml", f"scenarios: [{{name: א, turns: [{{hears: {{read: {fields}}}}}]}}]\n")
    result = run("--yemot-app=tap:app", "--yemot-scenario=tap.call.yaml", "--yemot-update")
    for change in ("null → 12", "3 → null", '*/ → ""'):
        assert f"tap.call.yaml:1: {change}" in result.outlines
