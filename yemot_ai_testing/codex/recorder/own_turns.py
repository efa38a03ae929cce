"""Records turns of one's own: against a scripted model service, or live with one's own login."""

from __future__ import annotations

import getpass
import os
import platform
import re
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from yemot_ai_testing.codex.folders import TIMEOUT, folder_placeholders, make_folders, version_of
from yemot_ai_testing.codex.recorder.cases import EXEC
from yemot_ai_testing.codex.recorder.recorder import check_publishable, save_recording
from yemot_ai_testing.codex.recorder.script_file import read_script
from yemot_ai_testing.codex.recorder.session import RecordedRun, RecordingSession, recording_session
from yemot_ai_testing.codex.redact import Redactor

if TYPE_CHECKING:
    from yemot_ai_testing.codex.recorder.script_file import ScriptedTurn
    from yemot_ai_testing.codex.recordings import Recording

__all__ = ["record_live", "record_script"]

_LIVE_TIMEOUT: Final = 600.0
_SECRET_NAME: Final = re.compile(r"key|token|secret|password|credential", re.IGNORECASE)
_MIN_LENGTH: Final = 4
"""A name of fewer letters is a part of too many words to be replaced."""


def record_script(executable: Path | str, script: Path | str, out_dir: Path | str) -> list[Path]:
    """Play the turns of a file with a real binary and a scripted model service, and record them.

    Args:
        executable: the Codex.
        script: the file (see ``recorder_script``).
        out_dir: made if missing. A case of one turn becomes ``<case>.json``, one of several
            ``<case>_1.json`` …

    Returns:
        The files, in the order of the turns.

    Raises:
        ScriptFileError: the file cannot be understood.
        UnpublishableError: a recording still holds a path, an address, an id or a secret.
        ValueError: the executable does not tell its version.
    """
    binary = Path(executable).absolute()
    turns = read_script(Path(script))
    return _record_cases(binary, turns, Path(out_dir), partial(recording_session, binary), TIMEOUT)


def record_live(executable: Path | str, script: Path | str, out_dir: Path | str) -> list[Path]:
    """Ask one's own Codex, with one's own login, settings and network, and record what it does.

    It costs what its turns cost, and its conversations stay in its own home. The arguments, what is
    returned and what is raised are those of ``record_script``; no turn may say what the model does.
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
        with open_session() as place:
            recorded += _record_conversation(place, name, turns, version, timeout)
    # Nothing is written before everything has been looked through.
    for recording in recorded:
        check_publishable(recording)
    return [save_recording(recording, folder) for recording in recorded]


def _record_conversation(
    session: RecordingSession, name: str, turns: Sequence[ScriptedTurn], version: str, timeout: float
) -> Iterator[Recording]:
    thread = ""
    for number, turn in enumerate(turns, start=1):
        take = _run_turn(session, turn, number, thread, timeout)
        thread = thread or take.process.thread_id
        case = name if len(turns) == 1 else f"{name}_{number}"
        yield session.build_recording(case, version, take, failure_kind=turn.failure_kind)


def _run_turn(
    session: RecordingSession, turn: ScriptedTurn, number: int, thread: str, timeout: float
) -> RecordedRun:
    arguments = (*EXEC, *turn.options, *(("resume", thread) if thread else ()), "-")
    if turn.verb:
        turn.apply_to(session.model)
    if turn.verb != "hangs":
        return RecordedRun(
            arguments, turn.prompt, session.run(*arguments, stdin=turn.prompt, timeout=timeout)
        )
    run = session.start(*arguments, stdin=turn.prompt)
    session.model.wait_for_requests(number)
    run.process.send_signal(signal.SIGTERM)
    run.wait()
    return RecordedRun(arguments, turn.prompt, run)


class _UnscriptableModel:
    """Whoever answers one's own Codex takes no orders from a test."""

    def _refuse(self, *args: object, **options: object) -> NoReturn:
        raise LookupError(f"nobody can be told what to answer: {args} {options}")

    answers = fails = hangs = drops = emits = wait_for_requests = _refuse


@contextmanager
def _live_session(binary: Path) -> Iterator[RecordingSession]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = make_folders(Path(name).resolve())
        scrub = Redactor({**_private_values(), **folder_placeholders(folder)})
        yield RecordingSession(binary, folder / "work", dict(os.environ), (), _UnscriptableModel(), scrub)


def _private_values() -> dict[str, str]:
    """What tells of the user and the machine, and what stands for it."""
    homes = {os.environ.get("CODEX_HOME", ""): "{codex_home}", str(Path.home()): "{home}"}
    names = {getpass.getuser(): "{user}", platform.node(): "{host}"}
    secrets = {value: "{secret}" for name, value in os.environ.items() if _SECRET_NAME.search(name)}
    told = {**secrets, **names, **homes}
    return {word: place for word, place in told.items() if len(word) >= _MIN_LENGTH and word != "root"}
