"""``yemot_line`` sets settings of the line for scenarios and for the fixture ``yemot_caller``."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
Write = Callable[[str, str], None]

OLD_APP = """
def app(pairs):
    return "read=t-מה=q,no,1,1,7,No,,,,,,True"
"""
CALLS = "app: shop:app\nscenarios: [{name: א, turns: [{hears: מה}]}]\n"


def configure(write: Write, *settings: str) -> None:
    write("pytest.toml", f"[pytest]\nstrict = true\nyemot_line = {list(settings)!r}\n")


@pytest.fixture
def old_shop(project: pytest.Pytester, write: Write) -> pytest.Pytester:
    """A project whose application answers as an old line expects."""
    write("shop.py", OLD_APP)
    write("shop.call.yaml", CALLS)
    return project


@pytest.mark.usefixtures("old_shop")
def test_it_applies_to_scenarios(run: Run, write: Write) -> None:
    run("--yemot-scenario").assert_outcomes(failed=1)
    configure(write, "lenient = true")
    run("--yemot-scenario").assert_outcomes(passed=1)


@pytest.mark.usefixtures("old_shop")
def test_a_scenario_can_override_it(run: Run, write: Write) -> None:
    configure(write, "lenient = true")
    write("shop.call.yaml", f"caller: {{line: {{lenient: false}}}}\n{CALLS}")
    run("--yemot-scenario").assert_outcomes(failed=1)


def test_it_applies_to_the_fixture_and_the_marker_overrides_it(
    old_shop: pytest.Pytester, run: Run, write: Write
) -> None:
    old_shop.makepyfile(
        test_ordinary="""
        import pytest

        @pytest.mark.yemot(app="shop:app")
        def test_from_the_ini_file(yemot_caller):
            assert (yemot_caller.settings.lenient, yemot_caller.settings.did) == (True, "0771")

        @pytest.mark.yemot(app="shop:app", lenient=False)
        def test_from_the_marker(yemot_caller):
            assert (yemot_caller.settings.lenient, yemot_caller.settings.did) == (False, "0771")
        """
    )
    configure(write, "lenient = true", "did = 0771")
    run("test_ordinary.py").assert_outcomes(passed=2)


@pytest.mark.usefixtures("old_shop")
@pytest.mark.parametrize("arguments", [("--yemot-scenario",), ("test_ordinary.py",)])
def test_a_mistake_is_a_usage_error_in_any_run(run: Run, write: Write, arguments: tuple[str, ...]) -> None:
    configure(write, "lenint = true")
    result = run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: yemot_line:1:1: yemot_line has no 'lenint' (did you mean 'lenient'?)*"]
    )


@pytest.mark.usefixtures("old_shop")
def test_what_the_line_ignores_is_counted_and_shown(run: Run, write: Write) -> None:
    configure(write, "lenient = true")
    result = run("--yemot-scenario", "-v", "--junitxml=out.xml", "--yemot-html=out.html")
    result.stdout.fnmatch_lines(["*warning: choice: *", "1 call * 1 warning *"])
    values = {one.attrib["name"]: one.attrib["value"] for one in ET.parse("out.xml").iter("property")}  # noqa: S314 - our own file
    assert "choice: accept empty: 'True' is" in values["yemot_warnings"]


def test_the_page_shows_what_the_line_ignores_beside_a_long_silence(
    old_shop: pytest.Pytester, run: Run, write: Write
) -> None:
    configure(write, "lenient = true")
    write("shop.py", "import time\n" + OLD_APP.replace("    return", "    time.sleep(0.2)\n    return"))
    write("shop.call.yaml", CALLS.replace("hears: מה", "hears: {contains: מה, within: [100ms, 5s]}"))
    run("--yemot-scenario", "--yemot-html=out.html").assert_outcomes(passed=1)
    page = old_shop.path.joinpath("out.html").read_text(encoding="utf-8")
    assert '<p class="warning" dir="auto">choice: ' in page
    assert "s of silence, more than" not in page
