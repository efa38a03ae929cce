from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from yemot_ai_testing import AnthropicMock, FakeCodex, ModelServer, OpenAIMock
from yemot_ai_testing.doubles.script import ScriptMismatchError

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("sdks")
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

FIXTURES = ["fake_codex", "openai_mock", "anthropic_mock", "model_server"]
DOUBLES = [FakeCodex, OpenAIMock, AnthropicMock, ModelServer]


@pytest.mark.parametrize("fixture", [*FIXTURES, "yemot_codex"])
def test_an_unused_answer_is_an_error_of_the_test(
    project: pytest.Pytester, run: Run, write: Write, fixture: str
) -> None:
    write("test_it.py", f"def test_it({fixture}):\n    {fixture}.answers('שלום')\n")
    result = run("test_it.py")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*unused step: Answer(pieces=('שלום',)*", "*calls in all (0): none"])


def test_an_unscripted_call_is_an_error_of_a_test_that_swallowed_the_exception(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        """
        import subprocess
        import urllib.error
        import urllib.request
        from yemot_ai import YemotAI
        from yemot_ai.errors import YemotAIError

        def asks(ai):
            try:
                ai.reply("c1", "מי שם")
            except YemotAIError:
                pass

        def test_codex(fake_codex):
            subprocess.run(["codex", "exec", "--skip-git-repo-check", "-"], input="מי שם".encode())

        def test_openai(openai_mock):
            asks(YemotAI("openai", openai_api_key="test", model="m"))

        def test_anthropic(anthropic_mock):
            asks(YemotAI("anthropic", anthropic_api_key="test", model="m"))

        def test_server(model_server):
            try:
                urllib.request.urlopen(model_server.base_url + "/responses", data=b'{"input": "x"}')
            except urllib.error.HTTPError as error:
                error.close()
        """,
    )
    result = run("test_it.py")
    result.assert_outcomes(passed=4, errors=4)
    # In CI pytest repeats the whole of each in its summary.
    report = result.stdout.str().partition("short test summary info")[0]
    assert report.count("\n  call without a step: 'מי שם'\n") == 3
    result.stdout.fnmatch_lines(["*call without a step: 'x'"])


def test_a_failed_test_reports_only_its_own_error(project: pytest.Pytester, run: Run, write: Write) -> None:
    write("test_it.py", "def test_it(fake_codex):\n    fake_codex.answers('שלום')\n    assert 1 == 2\n")
    result = run("test_it.py")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*unused step*")


@pytest.mark.parametrize("double", DOUBLES)
def test_a_with_block_that_ends_without_an_exception_checks_the_script(double: Callable[[], Any]) -> None:
    with pytest.raises(ScriptMismatchError, match="unused step"), double() as model:
        model.answers("שלום")


@pytest.mark.parametrize("double", DOUBLES)
def test_a_with_block_that_raises_keeps_its_exception(double: Callable[[], Any]) -> None:
    def fails() -> None:
        with double() as model:
            model.answers("שלום")
            raise KeyError

    with pytest.raises(KeyError):
        fails()


@pytest.mark.parametrize("double", DOUBLES)
def test_a_double_can_be_entered_inside_another_of_its_kind(double: Callable[[], Any]) -> None:
    path = os.environ["PATH"]
    with double() as first, double() as second:
        assert first is not second
    assert os.environ["PATH"] == path


@pytest.mark.parametrize("nested", ["OpenAIMock", "AnthropicMock", "FakeCodex"])
def test_of_two_nested_doubles_the_inner_one_answers(
    project: pytest.Pytester, run: Run, write: Write, nested: str
) -> None:
    mode = {"OpenAIMock": "openai", "AnthropicMock": "anthropic", "FakeCodex": "codex"}[nested]
    keys = {"FakeCodex": ""}.get(nested, f"{mode}_api_key='test', model='m'")
    write(
        "test_it.py",
        f"""
        from yemot_ai import YemotAI
        from yemot_ai_testing import {nested}

        def asked(call):
            ai = YemotAI("{mode}", {keys})
            said = ai.reply(call, "מי שם")
            ai.close()
            return said

        def test_it():
            with {nested}() as outer:
                outer.answers("מבחוץ").answers("שוב מבחוץ")
                assert asked("c1") == "מבחוץ"
                with {nested}() as inner:
                    inner.answers("מבפנים")
                    assert asked("c2") == "מבפנים"
                assert asked("c3") == "שוב מבחוץ"
        """,
    )
    run("test_it.py").assert_outcomes(passed=1)


@pytest.mark.slow
def test_contexts_work_under_hypothesis_and_in_a_unittest_test_case(
    project: pytest.Pytester, run: Run, write: Write
) -> None:
    write(
        "test_it.py",
        """
        import unittest
        from hypothesis import given, settings, strategies as st
        from yemot_ai import AIFlow, YemotAI
        from yemot_ai_testing import AnthropicMock, Caller, FakeCodex, ModelServer, OpenAIMock
        from yemot_ai_testing import yemot_snapshot

        words = st.text("אבגד", min_size=1)

        @settings(max_examples=30, deadline=None)
        @given(words)
        def test_openai(text):
            with OpenAIMock() as openai:
                openai.answers("כן")
                ai = YemotAI("openai", openai_api_key="test", model="m")
                assert ai.reply("c1", text) == "כן"
                ai.close()
                assert [request.prompt for request in openai.requests] == [text]

        @settings(max_examples=5, deadline=None)
        @given(words)
        def test_codex_behind_a_call(text):
            flow = AIFlow(YemotAI("codex"))
            flow.ai_agent("", greeting="שלום")(lambda call, said: None)
            with FakeCodex() as codex, Caller(flow) as caller, yemot_snapshot() as snapshot:
                codex.answers("כן")
                caller.dial()
                assert caller.raw == snapshot
                assert caller.says("מה " + text) == "כן"

        class TestOfUnittest(unittest.TestCase):
            def setUp(self):
                self.claude = self.enterContext(AnthropicMock())

            def test_it(self):
                self.claude.answers("כן")
                ai = YemotAI("anthropic", anthropic_api_key="test", model="m")
                self.assertEqual(ai.reply("c1", "מי שם"), "כן")

            def test_left_over(self):
                self.claude.answers("כן")

            def test_server(self):
                with ModelServer() as model, yemot_snapshot() as snapshot:
                    self.assertTrue(model.base_url.startswith("http://127.0.0.1:"))
                    self.assertEqual("noop=ok", snapshot)
        """,
    )
    plugins = ("-p", "syrupy", "-p", "_hypothesis_pytestplugin")
    result = run(*plugins, "--snapshot-update", "test_it.py")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*unused step: Answer(pieces=('כן',)*"])
    result = run(*plugins, "test_it.py", "-k", "not left_over")
    result.assert_outcomes(passed=4)
