"""``yemot-ai new``: the project that it writes."""

from __future__ import annotations

import configparser
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.new.ci_steps import run_steps, steps_of
from yemot_ai.cli.main import main
from yemot_ai.ext_ini import ext_ini
from yemot_ai.new import MODELS
from yemot_ai.new.project import EXAMPLE_URL
from yemot_ai_testing.line.platform.tree import Line

FILES = [
    ".agents/skills/yemot-line/SKILL.md",
    ".env.example",
    ".github/workflows/tests.yml",
    ".gitignore",
    "AGENTS.md",
    "README.md",
    "calls/agent.call.yaml",
    "calls/menu.call.yaml",
    "conftest.py",
    "extensions/2/ext.ini",
    "extensions/ext.ini",
    "my_line.py",
    "pyproject.toml",
    "tests/test_my_line.py",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(name: str, *arguments: str) -> Path:
    assert main(["new", name, *arguments]) == 0
    return Path(name).absolute()


def files_of(project: Path) -> list[str]:
    return sorted(path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file())


def test_it_writes_these_files_and_says_what_comes_next(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = new("my-line")
    assert files_of(project) == FILES
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if line.startswith("my-line/")] == [
        f"my-line/{name}" for name in FILES
    ]
    assert printed.endswith("next:\n  cd my-line\n  pytest\n  yemot-ai phone my_line:flow\n")


@pytest.mark.parametrize("package", ["pytest", "textual", "yaml"])
def test_without_the_packages_of_the_tests_it_says_where_the_way_to_install_them_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    new("my-line")
    assert "They need the extras 'testing' and 'phone': README.md" in capsys.readouterr().out


def test_no_placeholder_is_left(folder: Path) -> None:
    project = new("my-line")
    for name in files_of(project):
        text = (project / name).read_text(encoding="utf-8")
        assert "__module__" not in text
        assert not re.search(r"\$\$|\$\{|\$[a-z]", text), name


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_the_steps_of_its_workflow_pass_without_a_key_on_a_machine_with_a_secret_and_a_store(
    folder: Path, model: str
) -> None:
    project = new("my-line", "--model", model)
    keys = {"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": ""}
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    line = {"YEMOT_AI_SECRET": "x" * 20, "YEMOT_AI_STORE": "redis://127.0.0.1:1"}
    assert run_steps(project, **keys, **line, **github) == ["Tests and calls", "Settings of the line"]
    assert {"tests.xml", "calls.html"} <= {path.name for path in (project / "reports").iterdir()}
    summary = (folder / "summary.md").read_text(encoding="utf-8")
    assert "שואל ומתנתק" in summary


@pytest.mark.slow
def test_a_fault_in_the_line_fails_its_tests(folder: Path) -> None:
    project = new("my-line")
    module = project / "my_line.py"
    module.write_text(module.read_text(encoding="utf-8").replace('call.goto("/2")', "call.hangup()"))
    with pytest.raises(subprocess.CalledProcessError):
        run_steps(project)


def test_the_workflow_installs_the_project_and_its_development_group(folder: Path) -> None:
    assert steps_of(new("my-line"))["Install"] == (
        "python -m pip install --quiet --find-links wheels --editable . --group dev"
    )


@pytest.mark.parametrize("model", MODELS)
def test_its_extras_exist(folder: Path, model: str) -> None:
    own = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    project = tomllib.loads((new("my-line", "--model", model) / "pyproject.toml").read_text("utf-8"))
    for requirement in (*project["project"]["dependencies"], *project["dependency-groups"]["dev"]):
        extras = re.fullmatch(r"yemot-ai\[(.+)\]>=0\.2", requirement)
        assert extras
        assert set(extras[1].split(",")) <= set(own["project"]["optional-dependencies"])


def test_its_extensions_are_those_of_its_flow(folder: Path) -> None:
    project = new("my-line")
    line = Line.read(project / "extensions")
    assert line.warnings == ()
    printed = subprocess.run(
        [sys.executable, "-m", "yemot_ai", "ext-ini", "my_line:flow", EXAMPLE_URL, "--into", "extensions"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert sorted(printed.split()) == ["extensions/2/ext.ini", "extensions/ext.ini"]
    assert (project / "extensions" / "2" / "ext.ini").read_text() == ext_ini(EXAMPLE_URL)


@pytest.mark.parametrize("model", MODELS)
def test_its_environment_has_names_and_no_values(folder: Path, model: str) -> None:
    text = (new("my-line", "--model", model) / ".env.example").read_text(encoding="utf-8")
    parser = configparser.ConfigParser()
    parser.read_string(f"[environment]\n{text}")
    values = parser["environment"]
    assert set(values.values()) == {""}
    assert [name.upper() for name in values if name.endswith("api_key")] == [MODELS[model].key] * bool(
        MODELS[model].key
    )


def test_a_folder_with_files_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "my-line").mkdir()
    (folder / "my-line" / "notes.txt").write_text("mine")
    assert main(["new", "my-line"]) == 2
    assert files_of(folder) == ["my-line/notes.txt"]
    assert "my-line exists, and nothing was written" in capsys.readouterr().err


def test_a_second_run_is_refused(folder: Path) -> None:
    project = new("my-line")
    (project / "my_line.py").write_text("changed")
    assert main(["new", "my-line"]) == 2
    assert (project / "my_line.py").read_text() == "changed"


def test_a_file_or_a_dangling_link_in_its_place_is_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "my-line").write_text("mine")
    (folder / "linked").symlink_to(folder / "nowhere")
    assert main(["new", "my-line"]) == main(["new", "x-line", "--into", "linked"]) == 2
    assert capsys.readouterr().err.count("exists") == 2


def test_a_new_git_repository_is_an_empty_folder(folder: Path) -> None:
    (folder / "repo" / ".git").mkdir(parents=True)
    assert main(["new", "my-line", "--into", "repo"]) == 0
    assert files_of(folder / "repo") == FILES


def test_a_folder_may_have_any_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "my-line", "--into", "הקו שלי"]) == 0
    assert files_of(folder / "הקו שלי") == FILES
    assert "cd 'הקו שלי'" in capsys.readouterr().out


def test_a_path_through_a_file_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file").write_text("")
    assert main(["new", "my-line", "--into", "file/line"]) == 2
    assert "Not a directory" in capsys.readouterr().err
