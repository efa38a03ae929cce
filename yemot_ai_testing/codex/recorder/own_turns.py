"""Record turns from a script file: with a scripted model service, or live with the user's login."""

from __future__ import annotations

import getpass
import os
import platform
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from yemot_ai_testing.codex.home import TIMEOUT, fresh_home, version_of
from yemot_ai_testing.codex.recorder.cases import EXEC
from yemot_ai_testing.codex.recorder.recorder import check_publishable, save_recording
from yemot_ai_testing.codex.recorder.script_file import read_script
from yemot_ai_testing.codex.recorder.session import RecordedRun, RecordingSession, recording_session
from yemot_ai_testing.codex.redact import Redactor
from yemot_ai_testing.doubles.steps import Hang

if TYPE_CHECKING:
    from yemot_ai_testing.codex.recorder.script_file import ScriptedTurn
    from yemot_ai_testing.codex.recordings import Recording
    from yemot_ai_testing.doubles.steps import Step

__all__ = ["record_live", "record_script"]

_LIVE_TIMEOUT: Final = 600.0
_SECRET_NAME: Final = re.compile(r"key|token|secret|password|credential", re.IGNORECASE)
_MIN_LENGTH: Final = 4
"""Shorter values occur inside too many words to be replaced."""


def record_script(executable: Path | str, script: Path | str, out_dir: Path | str) -> list[Path]:
    """Record the turns of a script file with a real binary and a scripted model service.

    The arguments, the result and the errors are those of ``record_live``.
    """
    binary = Path(executable).absolute()
    turns = read_script(Path(script))
    return _record_cases(binary, turns, Path(out_dir), partial(recording_session, binary), TIMEOUT)


def record_live(executable: Path | str, script: Path | str, out_dir: Path | str) -> list[Path]:
    """Record the turns of a script file with the user's own Codex: its login, settings and network.

    The turns are charged to the user, and the conversations stay in the user's ``CODEX_HOME``. No turn
    scripts the model. Private values are replaced; nothing is written while private data is left.

    Args:
        executable: the user's Codex.
        script: the file (see ``yemot_ai_testing.codex.recorder.script_file``).
        out_dir: created if missing. A case with one turn becomes ``<case>.json``, one with several
            ``<case>_1.json`` …

    Returns:
        The files, in the order of the turns.

    Raises:
        ScriptFileError: if the file is not valid.
        UnpublishableError: if a recording contains a path, an address, an id or a secret.
        ValueError: if the executable does not report its version.
    """
    binary = Path(executable).absolute()
    turns = read_script(Path(script), live=True)
    return _record_cases(binary, turns, Path(out_dir), partial(_live_session, binary), _LIVE_TIMEOUT)


def _record_cases(
    binary: Path,
    cases: Mapping[str, Sequence[ScriptedTurn]],
    folder: Path,
    open_session: Callable[[], AbstractContextManager[RecordingSession]],
    timeout: float,
) -> list[Path]:
    version = version_of(binary)
    recorded: list[Recording] = []
    for name, turns in cases.items():
        with open_session() as session:
            recorded += _record_conversation(session, name, turns, version, timeout)
    # Nothing is written before everything has been checked.
    for recording in recorded:
        check_publishable(recording)
    return [save_recording(recording, folder) for recording in recorded]


def _record_conversation(
    session: RecordingSession, name: str, turns: Sequence[ScriptedTurn], version: str, timeout: float
) -> Iterator[Recording]:
    thread = ""
    for number, turn in enumerate(turns, start=1):
        run = _run_turn(session, turn, number, thread, timeout)
        thread = thread or run.thread_id
        case = name if len(turns) == 1 else f"{name}_{number}"
        yield session.build_recording(case, version, run, failure_kind=turn.failure_kind)


def _run_turn(
    session: RecordingSession, turn: ScriptedTurn, number: int, thread: str, timeout: float
) -> RecordedRun:
    arguments = (*EXEC, *turn.options, *(("resume", thread) if thread else ()), "-")
    if turn.step is not None:
        session.model.add(turn.step)
    if not isinstance(turn.step, Hang):
        return session.run(*arguments, stdin=turn.prompt, timeout=timeout)
    run = session.start(*arguments, stdin=turn.prompt)
    session.model.wait_for_requests(number)
    run.process.send_signal(signal.SIGTERM)
    run.process.wait(timeout)
    return run


class _UnscriptableModel:
    """The model behind the user's own Codex, which cannot be scripted."""

    def add(self, step: Step) -> NoReturn:
        raise LookupError(f"a live model cannot be scripted: {step}")

    def wait_for_requests(self, count: int) -> NoReturn:
        raise LookupError(f"the calls of a live model cannot be counted: {count}")


@contextmanager
def _live_session(binary: Path) -> Iterator[RecordingSession]:
    with fresh_home() as home:
        redactor = Redactor({**_private_values(), **home.placeholders})
        yield RecordingSession(binary, home.work, dict(os.environ), (), _UnscriptableModel(), redactor)


def _private_values() -> dict[str, str]:
    """Return the values that identify the user and the machine, with their placeholders."""
    homes = {os.environ.get("CODEX_HOME", ""): "{codex_home}", str(Path.home()): "{home}"}
    names = {getpass.getuser(): "{user}", platform.node(): "{host}"}
    secrets = {value: "{secret}" for name, value in os.environ.items() if _SECRET_NAME.search(name)}
    values = {**secrets, **names, **homes}
    return {value: name for value, name in values.items() if len(value) >= _MIN_LENGTH and value != "root"}
