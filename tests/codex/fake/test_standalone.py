"""A fake Codex for tests in any language, and without a phone line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from yemot_ai_testing.cli.main import main
from yemot_ai_testing.codex.fake.standalone import VERBS
from yemot_ai_testing.doubles.steps import STEP_SYNTAX

EXEC = ("exec", "--json", "--skip-git-repo-check")
HEBREW = re.compile("[\u0590-\u05ff]")


class Fakes:
    """Creates fakes by the command; removes those that a test has left."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys
        self.left: list[Path] = []

    def create(self, *arguments: str) -> Path:
        assert main(["codex", "fake", *arguments]) == 0
        self.left.append(Path(self._capsys.readouterr().out.removesuffix("\n")))
        return self.left[-1]

    def scripted(self, script: object) -> Path:
        path = self._folder / "script.json"
        path.write_text(json.dumps(script), encoding="utf-8")
        return self.create("--script", str(path))

    def error(self, *arguments: str, code: int = 2) -> str:
        assert main(["codex", "fake", *arguments]) == code
        captured = self._capsys.readouterr()
        assert captured.out == ""
        return captured.err

    def remove(self, fake: Path) -> None:
        assert main(["codex", "fake", "--remove", str(fake)]) == 0
        assert not fake.parent.exists()
        self.left.remove(fake)

    def requests(self, fake: Path) -> list[dict[str, object]]:
        assert main(["codex", "fake", "--requests", str(fake)]) == 0
        requests: list[dict[str, object]] = json.loads(self._capsys.readouterr().out)
        return requests


@pytest.fixture
def fakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Fakes]:
    fakes = Fakes(tmp_path, capsys)
    yield fakes
    for fake in fakes.left:
        main(["codex", "fake", "--remove", str(fake)])


def codex(fake: Path, *arguments: str, prompt: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run the ``codex`` that is found with the folder first on ``PATH``."""
    environment = {"PATH": f"{fake}:{os.environ['PATH']}", "HOME": "/nowhere", **env}
    return subprocess.run(
        ["/bin/sh", "-c", 'exec codex "$@"', "codex", *arguments],
        input=prompt,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def thread_of(run: subprocess.CompletedProcess[str]) -> str:
    return str(json.loads(run.stdout.partition("\n")[0])["thread_id"])


def test_the_folder_on_path_answers_and_resumes_in_later_processes(fakes: Fakes) -> None:
    fake = fakes.create("--answer", "at eight", "--answer", "at nine")
    first = codex(fake, *EXEC, "-", prompt="when?")
    second = codex(fake, *EXEC, "resume", thread_of(first), "-", prompt="and on Friday?")
    assert ('"text":"at eight"' in first.stdout, '"text":"at nine"' in second.stdout) == (True, True)
    requests = fakes.requests(fake)
    assert [(one["prompt"], one["session"]) for one in requests] == [
        ("when?", None),
        ("and on Friday?", thread_of(first)),
    ]
    fakes.remove(fake)


def test_threads_are_kept_in_the_folder_unless_codex_home_is_set(fakes: Fakes, tmp_path: Path) -> None:
    fake = fakes.create("--answer", "a", "--answer", "b")
    codex(fake, *EXEC, "-", prompt="in its own home")
    codex(fake, *EXEC, "-", prompt="in mine", CODEX_HOME=str(tmp_path))
    assert len(list(fake.parent.glob("codex-home/sessions/*/*/*/*.jsonl"))) == 1
    assert len(list(tmp_path.glob("sessions/*/*/*/*.jsonl"))) == 1


def test_a_recorded_version_can_be_imitated(fakes: Fakes) -> None:
    assert codex(fakes.create("--as", "0.142.0"), "--version").stdout == "codex-cli 0.142.0\n"


def test_a_script_has_every_step_with_its_options(fakes: Fakes) -> None:
    fake = fakes.scripted(
        [
            {"fails": "rate_limited", "after": 0.01},
            {"crashes": 7, "stderr": "panicked"},
            {"malformed": True},
            {"drops": ["a", "b"]},
            {"replays": "reasoning"},
        ]
    )
    runs = [codex(fake, *EXEC, "-", prompt="hello") for _ in range(5)]
    assert [run.returncode for run in runs] == [1, 7, 0, 1, 0]
    assert "429 Too Many Requests" in runs[0].stdout
    assert "panicked" in runs[1].stderr
    assert '"type":"reasoning"' in runs[4].stdout
    # A crash or a stream that breaks is a step of the script too.
    assert fakes.error("--remove", str(fake), code=0) == ""
    fakes.left.remove(fake)


def test_the_names_of_steps_are_the_methods_of_the_doubles() -> None:
    assert set(VERBS) == {syntax.verb for syntax in STEP_SYNTAX} - {"calls", "transcribes"} | {
        "replays",
        "asks",
    }


def test_removing_a_fake_reports_what_does_not_match_the_script(fakes: Fakes) -> None:
    fake = fakes.scripted([{"answers": "used"}, {"hangs": True}])
    codex(fake, *EXEC, "-", prompt="one")
    message = fakes.error("--remove", str(fake), code=1)
    assert "unused step: {'hangs': True}" in message
    assert not fake.parent.exists()

    unscripted = fakes.create()
    codex(unscripted, *EXEC, "-", prompt="what?")
    assert "call without a step: 'what?'" in fakes.error("--remove", str(unscripted), code=1)
    fakes.left.clear()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ({"answers": "a"}, 'a list of steps is expected, such as [{"answers": "hello"}]'),
        (["hello"], "step 1 needs one of answers, fails, hangs, drops, cuts, crashes,"),
        ([{"answers": "a"}, {"answer": "b"}], "step 2 needs one of answers"),
        ([{"answers": "a", "fails": "overloaded"}], "step 1 needs one of"),
        ([{"answers": 5}], "step 1, answers: a model writes a text"),
        ([{"answers": "a", "before": 2}], "step 1, answers: got an unexpected keyword argument 'before'"),
        ([{"answers": "a", "after": -1}], "step 1, answers: after is a number of seconds from 0 on"),
        ([{"fails": "tired"}], "step 1, fails: no failure 'tired': a model fails with one of"),
        ([{"fails": True}], "step 1, fails: missing a required argument: 'kind'"),
        ([{"crashes": "x"}], "step 1, crashes: an exit code is a whole number"),
        ([{"replays": "frob"}], "step 1, replays: no recording 'frob'; there are: answer,"),
    ],
)
def test_an_invalid_script_is_an_error_that_says_what_is_allowed(
    script: object, message: str, fakes: Fakes, tmp_path: Path
) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps(script), encoding="utf-8")
    assert message in fakes.error("--script", str(path))


def test_an_invalid_argument_is_an_error(fakes: Fakes, tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text("{", encoding="utf-8")
    assert "script.json is not JSON" in fakes.error("--script", str(tmp_path / "script.json"))
    assert f"cannot read {tmp_path}/nowhere.json: No such file" in fakes.error(
        "--script", str(tmp_path / "nowhere.json")
    )
    assert "recorded are 0.142.0" in fakes.error("--as", "9.9.9")
    for option in ("--requests", "--remove"):
        assert f"{tmp_path} is not a folder that" in fakes.error(option, str(tmp_path))
    assert tmp_path.exists()


FRESH = {
    "FakeCodex": "from yemot_ai_testing import FakeCodex\nwith FakeCodex() as codex: pass",
    "the rules": "from yemot_ai_testing import contract\nwith contract.codex('fake') as suite: pass",
    "the rules by command": "from yemot_ai_testing.cli.main import main\n"
    "assert main(['contract', '--codex', 'fake', '--rule', 'argv-dash']) == 0",
    "the command": "import sys\nfrom yemot_ai_testing.cli.main import main\n"
    "assert main(['codex', 'fake', '--remove', '/']) == 2",
}
AROUND_COMMANDS = {"yemot_ai", "yemot_ai.console", "yemot_ai.lazy_names"}
"""What runs any command in a terminal or a pipe; the package itself imports nothing before a name is used."""

REPORT = """
import sys
print(*(f"{name} {getattr(module, '__file__', '')}" for name, module in sys.modules.items()), sep="\\n")
"""


@pytest.mark.parametrize("program", FRESH)
def test_nothing_of_a_phone_line_is_imported(program: str) -> None:
    """In a new interpreter: no module of the library, of a line or of its framework, and no Hebrew."""
    run = subprocess.run(
        [sys.executable, "-c", FRESH[program] + REPORT], capture_output=True, text=True, check=True
    )
    modules = dict(line.split(" ", 1) for line in run.stdout.splitlines() if line.startswith("yemot"))
    assert "yemot_ai_testing.codex.fake.double" in modules
    foreign = {"yemot_ai", "yemot_flow", "flask"}
    assert foreign.isdisjoint(name.partition(".")[0] for name in modules.keys() - AROUND_COMMANDS)
    assert not any(
        name.startswith(("yemot_ai_testing.line", "yemot_ai_testing.scenario")) for name in modules
    )
    own = [Path(path) for name, path in modules.items() if name.startswith("yemot_ai_testing.")]
    own += Path(modules["yemot_ai_testing.codex.fake.double"]).with_name("program").glob("*.py")
    assert [path.name for path in own if HEBREW.search(path.read_text(encoding="utf-8"))] == []


UNITTEST = """
import subprocess
import unittest

from yemot_ai_testing import FakeCodex


class WrapperTest(unittest.TestCase):
    def test_it(self):
        with FakeCodex().answers("at eight") as codex:
            command = ["codex", "exec", "--skip-git-repo-check", "when?"]
            output = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
            self.assertEqual(output, "at eight\\n")
            self.assertEqual([run.prompt for run in codex.requests], ["when?"])
"""


def test_the_fake_works_in_a_unittest(tmp_path: Path) -> None:
    (tmp_path / "test_wrapper.py").write_text(UNITTEST, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "unittest", "test_wrapper"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
