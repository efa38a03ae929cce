"""A scenario calls a web application whose line is below a path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import RunSettings, open_target

MODULE = """
import flask

app = flask.Flask(__name__)
app.add_url_rule("/yemot", view_func=lambda: "id_list_message=t-שלום&go_to_folder=hangup")
"""
SCENARIO = """
app: web_shop_of_test:app{path}
scenarios:
  - name: שלום
    turns:
      - hears: {{equals: שלום, ends: true}}
"""


@pytest.mark.parametrize(("path", "failure"), [("/yemot", None), ("", "no_answer"), ("/", "no_answer")])
def test_a_path_after_the_name_is_where_the_line_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, failure: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web_shop_of_test.py").write_text(MODULE, encoding="utf-8")
    (scenario,) = loads(SCENARIO.format(path=path), Path("x.call.yaml")).scenarios
    with open_target(RunSettings(), scenario.app) as target:
        result = play_scenario(scenario, target)
    sys.modules.pop("web_shop_of_test")
    assert (result.failure and result.failure.kind) == failure


@pytest.mark.parametrize("path", ["yemot", "/a b", "/yemot?secret=x", ":5"])
def test_what_is_no_path_is_told_when_the_file_is_loaded(path: str) -> None:
    with pytest.raises(ScenarioLoadError, match=r"with a path, shop\.web:app/yemot"):
        loads(SCENARIO.format(path=f" {path}" if path == "yemot" else path), Path("x.call.yaml"))
