"""The cost of the plugin in a project that does not use it; each test runs its own process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

EXTRA = [
    "anthropic",
    "heb_tts_normalizer",
    "hypothesis",
    "openai",
    "redis",
    "respx",
    "rich",
    "syrupy",
    "yaml",
]

PRINTS_IMPORTS = f"""
import sys

def pytest_unconfigure():
    heavy = {[*EXTRA, "asyncio", "yemot_ai", "yemot_flow"]}
    print("imported:", [name for name in heavy if name in sys.modules])
"""

BLOCKS_IMPORTS = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRA}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


def pytest_run(project: pytest.Pytester, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=project.path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--co", "-q"])
def test_heavy_modules_are_not_imported_before_their_use(project: pytest.Pytester, option: str) -> None:
    project.makeconftest(PRINTS_IMPORTS)
    done = pytest_run(project, "-p", "yemot_ai_testing.plugin", option)
    assert done.returncode == 0, done.stdout
    assert "imported: []" in done.stdout


@pytest.fixture
def bare(project: pytest.Pytester) -> pytest.Pytester:
    """A project without the packages of the extra."""
    project.path.joinpath("absent.py").write_text(BLOCKS_IMPORTS, encoding="utf-8")
    return project


@pytest.mark.slow
def test_without_the_extra_ordinary_tests_run(bare: pytest.Pytester) -> None:
    done = pytest_run(bare, "-p", "absent", "-p", "yemot_ai_testing.plugin", "--yemot-block-network")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "test"),
    [
        ("--yemot-scenario=.", "pass"),
        ("-q", "def test_it(openai_mock): pass"),
        ("-q", "def test_it(anthropic_mock): pass"),
        ("-q", "def test_it(yemot_snapshot): pass"),
    ],
)
def test_without_the_extra_features_that_need_it_say_so(
    bare: pytest.Pytester, option: str, test: str
) -> None:
    bare.makepyfile(test_it=test)
    done = pytest_run(bare, "-p", "absent", "-p", "yemot_ai_testing.plugin", option)
    assert done.returncode != 0
    assert "is not installed: pip install 'yemot-ai[testing]'" in done.stdout + done.stderr
