"""A run with one call of each outcome, and texts that try to inject markup into the page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HOSTILE_TEXT = "</script><img src=x onerror=\"document.title='owned'\"><b>שלום"

APP = """
class Clock:
    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


class App:
    class ai:
        class engine:
            clock = Clock()

    def __call__(self, pairs):
        values = dict(pairs)
        think = self.ai.engine.clock.sleep
        if "hangup" in values:
            return "noop=bye"
        if "w1" in values:
            think(4)
            return "id_list_message=t-רשמתי פיצה משפחתית&go_to_folder=hangup"
        if "q2" in values:
            think(2)
            return "read=t-רק רגע=w1,no,1,1,1,No,,,,,1,Ok,None,,no"
        if "<b>" in values.get("q1", ""):
            return "id_list_message=t-</pre><script>document.title='owned'</script>"
        if "q1" in values:
            think(1.5)
            return "read=t-באיזה גודל=q2,no,voice"
        return "read=t-שלום, הגעתם לפיצה=q1,no,voice"


app = App()
"""

CALLS = f"""
app: sampled:app
scenarios:
  - name: הזמנה שעברה
    turns:
      - hears: הגעתם לפיצה
      - says: אני רוצה פיצה
        hears: {{contains: גודל, within: [1s, 4s]}}
      - hangs_up: true
  - name: שקט ארוך מדי
    turns:
      - says: אני רוצה פיצה
      - says: משפחתית
        hears: {{contains: רשמתי, within: [1s, 3s]}}
      - says: תודה
  - name: '{HOSTILE_TEXT.replace("'", "''")}'
    turns:
      - says: '{HOSTILE_TEXT.replace("'", "''")}'
        hears: {{excludes: '<i>'}}
  - name: בלי אפליקציה
    app: nowhere:app
    turns: [{{hears: שלום}}]
"""
BROKEN = "scenarios: [{name: א, turns: [{say: '<b>'}]}]\n"


def write_project(folder: Path) -> None:
    """Write the files of the run."""
    folder.joinpath("sampled.py").write_text(APP, encoding="utf-8")
    folder.joinpath("calls.call.yaml").write_text(CALLS, encoding="utf-8")
    folder.joinpath("broken.call.yaml").write_text(BROKEN, encoding="utf-8")
    folder.joinpath("pytest.toml").write_text("[pytest]\n", encoding="utf-8")


def run(folder: Path, *options: str) -> Path:
    """Run pytest and return the page."""
    write_project(folder)
    page = folder / "page.html"
    command = [sys.executable, "-m", "pytest", "-p", "yemot_ai_testing.plugin", "-p", "no:cacheprovider"]
    subprocess.run(
        [*command, "--yemot-scenario=.", f"--yemot-html={page}", "--continue-on-collection-errors", *options],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        check=False,
    )
    return page
