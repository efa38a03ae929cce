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

from yemot_ai_testing.codex.recorder.cases import EXEC
from yemot_ai_testing.codex.recorder.recorder import check, publish
from yemot_ai_testing.codex.recorder.script_file import read_script
from yemot_ai_testing.codex.recorder.session import (
    TIMEOUT,
    Studio,
    Take,
    furnished,
    places,
    studio,
    version_of,
)
from yemot_ai_testing.codex.redact import Scrub

if TYPE_CHECKING:
    from yemot_ai_testing.codex.recorder.script_file import ScriptedTurn
    from yemot_ai_testing.codex.recordings import Recording

__all__ = ["record_live", "record_script"]

_LIVE_TIMEOUT: Final = 600.0
_SECRET: Final = re.compile(r"key|token|secret|password|credential", re.IGNORECASE)
_SHORTEST: Final = 4
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
    return _record(binary, turns, Path(out_dir), partial(studio, binary), TIMEOUT)


def record_live(executable: Path | str, script: Path | str, out_dir: Path | str) -> list[Path]:
    """Ask one's own Codex, with one's own login, settings and network, and record what it does.

    It costs what its turns cost, and its conversations stay in its own home. The arguments, what is
    returned and what is raised are those of ``record_script``; no turn may say what the model does.
    """
    binary = Path(executable).absolute()
    turns = read_script(Path(script), live=True)
    return _record(binary, turns, Path(out_dir), partial(_own, binary), _LIVE_TIMEOUT)


def _record(
    binary: Path,
    cases: Mapping[str, Sequence[ScriptedTurn]],
    folder: Path,
    opened: Callable[[], AbstractContextManager[Studio]],
    timeout: float,
) -> list[Path]:
    version = version_of(binary)
    recorded: list[Recording] = []
    for name, turns in cases.items():
        with opened() as place:
            recorded += _conversation(place, name, turns, version, timeout)
    # Nothing is written before everything has been looked through.
    for recording in recorded:
        check(recording)
    return [publish(recording, folder) for recording in recorded]


def _conversation(
    place: Studio, name: str, turns: Sequence[ScriptedTurn], version: str, timeout: float
) -> Iterator[Recording]:
    thread = ""
    for number, turn in enumerate(turns, start=1):
        take = _taken(place, turn, number, thread, timeout)
        thread = thread or take.run.thread_id
        case = name if len(turns) == 1 else f"{name}_{number}"
        yield place.recording(case, version, take, fate=turn.fate)


def _taken(place: Studio, turn: ScriptedTurn, number: int, thread: str, timeout: float) -> Take:
    arguments = (*EXEC, *turn.options, *(("resume", thread) if thread else ()), "-")
    if turn.verb:
        turn.tell(place.model)
    if turn.verb != "hangs":
        return Take(arguments, turn.prompt, place.run(*arguments, stdin=turn.prompt, timeout=timeout))
    run = place.start(*arguments, stdin=turn.prompt)
    place.model.wait_asked(number)
    run.process.send_signal(signal.SIGTERM)
    run.wait()
    return Take(arguments, turn.prompt, run)


class _Nobody:
    """Whoever answers one's own Codex takes no orders from a test."""

    def _refuse(self, *args: object, **options: object) -> NoReturn:
        raise LookupError(f"nobody can be told what to answer: {args} {options}")

    answers = fails = hangs = drops = emits = wait_asked = _refuse


@contextmanager
def _own(binary: Path) -> Iterator[Studio]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = furnished(Path(name).resolve())
        scrub = Scrub({**_private(), **places(folder)})
        yield Studio(binary, folder / "work", dict(os.environ), (), _Nobody(), scrub)


def _private() -> dict[str, str]:
    """What tells of the user and the machine, and what stands for it."""
    homes = {os.environ.get("CODEX_HOME", ""): "{codex_home}", str(Path.home()): "{home}"}
    names = {getpass.getuser(): "{user}", platform.node(): "{host}"}
    secrets = {value: "{secret}" for name, value in os.environ.items() if _SECRET.search(name)}
    told = {**secrets, **names, **homes}
    return {word: place for word, place in told.items() if len(word) >= _SHORTEST and word != "root"}
