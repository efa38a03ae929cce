"""A fake Codex in a folder of its own, for tests in any language: it lives until it is removed.

>>> folder = create_fake([{"answers": "hello"}])
>>> sorted(path.name for path in folder.iterdir())
['.yemot-ai-double', 'codex']
>>> [run.prompt for run in StandaloneFake.open(folder).runs]
[]
>>> StandaloneFake.open(folder).remove()
Traceback (most recent call last):
yemot_ai_testing.doubles.script.ScriptMismatchError: the model calls do not match the script
  unused step: {'answers': 'hello'}
  calls in all (0): none
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.fake.files import check_script, read_runs
from yemot_ai_testing.codex.fake.install import install_copy
from yemot_ai_testing.doubles.arguments import call_verb
from yemot_ai_testing.doubles.steps import STEP_SYNTAX, Calls, Transcription
from yemot_ai_testing.executable import DOUBLE_MARKER
from yemot_ai_testing.processes.owned_folder import OWNER
from yemot_ai_testing.processes.running import kill_if_mentions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yemot_ai_testing.codex.sandbox import CodexRun

__all__ = ["VERBS", "StandaloneFake", "create_fake"]

VERBS: Final = (
    *(syntax.verb for syntax in STEP_SYNTAX if syntax.step not in {Calls, Transcription}),
    "replays",
    "asks",
)
"""The methods of ``FakeCodex`` that a script can name."""

_SCRIPT_FILE: Final = "script.json"


def create_fake(script: Sequence[object], version: str | None = None) -> Path:
    """Create a fake that outlives this process.

    Args:
        script: the steps. Each is a mapping with one of ``VERBS``, whose value is the first argument of that
            method of ``FakeCodex`` (``True`` for none), and with its other arguments by their names:
            ``{"answers": "hello", "after": 2}``.
        version: the recorded version to imitate; by default the newest.

    Returns:
        The folder to put first on ``PATH``.

    Raises:
        ValueError: if a step is not valid; the message has its number and what is allowed.
        LookupError: if the version is not recorded.
    """
    fake = FakeCodex(version)
    folder = fake.executable.parents[1]
    try:
        for number, entry in enumerate(script, start=1):
            _add_step(fake, entry, number)
        home = folder / "codex-home"
        install_copy(fake.executable, folder, default_home=str(home))
        (folder / _SCRIPT_FILE).write_text(json.dumps(script), encoding="utf-8")
        (folder / OWNER).unlink()
    except BaseException:
        fake.close()
        raise
    return fake.executable.parent


def _add_step(fake: FakeCodex, entry: object, number: int) -> None:
    verbs = [verb for verb in VERBS if isinstance(entry, dict) and verb in entry]
    if not isinstance(entry, dict) or len(verbs) != 1:
        raise ValueError(f"step {number} needs one of {', '.join(VERBS)}; it is {json.dumps(entry)}")
    (verb,) = verbs
    options = {name: value for name, value in entry.items() if name != verb}
    try:
        call_verb(fake, verb, entry[verb], **options)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"step {number}, {verb}: {error.args[0]}") from error


@dataclass(frozen=True, slots=True)
class StandaloneFake:
    """A fake that ``create_fake`` has created, perhaps in another process.

    Attributes:
        folder: all its files.
        script: its steps, as they were given.
    """

    folder: Path
    script: tuple[dict[str, Any], ...]

    @classmethod
    def open(cls, path: Path) -> StandaloneFake:
        """Return the fake whose folder on ``PATH`` is ``path``.

        Raises:
            ValueError: if there is no such fake.
        """
        folder = path.resolve().parent
        if not (path / DOUBLE_MARKER).exists() or not (folder / _SCRIPT_FILE).exists():
            raise ValueError(f"{path} is not a folder that `yemot-ai-testing codex fake` has printed")
        return cls(folder, tuple(json.loads((folder / _SCRIPT_FILE).read_text(encoding="utf-8"))))

    @property
    def runs(self) -> list[CodexRun]:
        """The turns so far, oldest first."""
        return read_runs(self.folder / "state")

    def remove(self) -> None:
        """Kill the processes that still run, remove the folder, and check that the script was used.

        Raises:
            ScriptMismatchError: if a step was not used, or a turn had none; the folder is removed anyway.
        """
        try:
            steps = (self.folder / "state").glob("steps/*")
            numbered = {step.name: self.script[int(step.name.partition("-")[0])] for step in steps}
            check_script(self.folder / "state", numbered)
        finally:
            kill_if_mentions((run.pid for run in self.runs), str(self.folder))
            shutil.rmtree(self.folder)
