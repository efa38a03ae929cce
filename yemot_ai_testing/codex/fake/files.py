"""What a fake Codex says: its words, and the steps that a test lays ready for it."""

from __future__ import annotations

import functools
import json
import marshal
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.app_server import server_words
from yemot_ai_testing.codex.fake.grammar import differences
from yemot_ai_testing.codex.steps import Asks, Replay
from yemot_ai_testing.doubles.script import Answer, Crash, Drop, Failure, Hang, Malformed, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yemot_ai_testing.codex.recordings import Recording

__all__ = ["laid_out", "lay_out", "recorded", "replies_of"]

_FOLDERS: Final = ("steps", "taken", "runs", "drafts", "turns", "played")
_Told = tuple[int, str, str]
_SILENCE: Final[_Told] = (0, "", "")


def recorded(version: str | None, own: str | os.PathLike[str] | None) -> dict[str, Recording]:
    """The words of a fake.

    Args:
        version: the recorded version to be; None for that of ``own``, or the newest.
        own: a folder of further recordings; they win.

    Raises:
        LookupError: the version is not recorded.
        FileNotFoundError: the folder holds no recordings.
    """
    if own is None:
        return _recorded(version)
    further = recordings.load(Path(own))
    made_with = {recording.version for recording in further.values()}
    known = recordings.versions()
    base = version or next((one for one in reversed(known) if one in made_with), known[-1])
    return {**recordings.of(base), **further}


def laid_out(
    step: Step | Replay | Asks, told: Mapping[str, Recording]
) -> tuple[float, int, str, str, str, _Told]:
    """What the program needs of a step: after, exit code, standard output, error, the answer, the beginning.

    Only a replay brings a beginning of its own: what is written before the model is asked.
    """
    match step:
        case Answer():
            return (step.lasts, 0, _answered(told["answer"], step.text), "", step.text, _SILENCE)
        case Crash(exit=code, stderr=stderr):
            ended = stderr if stderr.endswith("\n") or not stderr else f"{stderr}\n"
            return (0.0, code, "", ended, "", _SILENCE)
        case Malformed(text=text):
            return (0.0, 0, text, "", "", _SILENCE)
        case Hang(saying=saying):
            said = _answered(told["answer"], saying).partition("\n")[0] + "\n" if saying else ""
            return (0.0, 0, said, "", "", _SILENCE)
        case Replay(case=case):
            return _replayed(told[case])
    after = step.after if isinstance(step, Failure) else 0.0
    return (after, *_rest(told[_case(step)]), "", _SILENCE)


def _case(step: Step | Asks) -> str:
    """The recording that shows how a turn ends after this step."""
    match step:
        case Failure(kind=kind):
            return kind
        case Drop():
            return "cut_stream"
    # About a session that is resumed, but come to a process that resumes none; or of a server's alone.
    return "unscripted"


def _replayed(recording: Recording) -> tuple[float, int, str, str, str, _Told]:
    code, out, _ = _rest(recording)
    # A thread remembers what was answered in it; only a turn that was completed has an answer.
    said = _said(recording) if '"turn.completed"' in out else ""
    return (0.0, code, out, "", said, _begun(recording))


def _said(recording: Recording) -> str:
    """The last words of the agent."""
    said = ""
    for event in map(_event, recording.stdout):
        match event:
            case {"type": "item.completed", "item": {"type": "agent_message", "text": str(text)}}:
                said = text
    return said


@functools.cache
def _recorded(version: str | None) -> dict[str, Recording]:
    """What was recorded does not change while we run, and a suite makes hundreds of fakes."""
    return recordings.of(version) if version else recordings.newest()


def lay_out(state: Path) -> None:
    """Lay ready the folders that a test and its processes meet in, and the pipe that they ring."""
    state.mkdir()
    for name in _FOLDERS:
        (state / name).mkdir()
    os.mkfifo(state / "bell")


def replies_of(told: Mapping[str, Recording]) -> dict[str, bytes]:
    """What the program reads of recordings: a file for each case."""
    replies: dict[str, Any] = {case: _whole(recording) for case, recording in told.items()}
    replies["begun"] = _begun(told["answer"])
    replies["plain_begun"] = _plain(told["plain"])
    replies["unscripted"] = _rest(told["unscripted"])
    replies["usage"] = _usage(told["answer"])
    names = {line.text.split()[0] for line in told["features"].stdout if line.text.strip()}
    replies["feature_names"] = frozenset(names)
    replies["grammar"] = differences(told, recordings.newest())
    replies["app_server"] = server_words(told["answer"].version)
    return {case: marshal.dumps(reply) for case, reply in replies.items()}


def _whole(recording: Recording) -> tuple[int, str, str]:
    out = "".join(f"{line.text}\n" for line in recording.stdout)
    return recording.exit_code, out, "".join(f"{line}\n" for line in recording.stderr)


def _begun(recording: Recording) -> tuple[int, str, str]:
    """What is written before the model is asked."""
    lines = [f"{line.text}\n" for line in recording.stdout]
    return 0, "".join(lines[: _start(recording)]), "".join(f"{line}\n" for line in recording.stderr)


def _plain(recording: Recording) -> _Told:
    """What a turn without events says on standard error: after the answer, and before it."""
    lines = list(recording.stderr)
    if not {"user", "codex"} <= set(lines):
        return 0, "", "".join(f"{line}\n" for line in lines)
    asked, said = lines.index("user") + 1, len(lines) - 1 - lines[::-1].index("codex")
    lines[asked], lines[said + 1] = "{prompt}", "{answer}"
    before, after = lines[:said], lines[said:]
    return 0, "".join(f"{line}\n" for line in after), "".join(f"{line}\n" for line in before)


def _rest(recording: Recording) -> tuple[int, str, str]:
    """What is written after the model has answered."""
    lines = [f"{line.text}\n" for line in recording.stdout]
    return recording.exit_code, "".join(lines[_start(recording) :]), ""


def _start(recording: Recording) -> int:
    """How many lines are written before the model is asked; all, if it never is."""
    kinds = [_event(line).get("type") for line in recording.stdout]
    return kinds.index("turn.started") + 1 if "turn.started" in kinds else len(kinds)


def _event(line: recordings.Line) -> dict[str, Any]:
    """A line of standard output as an event; empty for a line of plain text."""
    return dict(json.loads(line.text)) if line.text.startswith("{") else {}


def _usage(recording: Recording) -> tuple[tuple[str, int], ...]:
    return tuple(json.loads(recording.stdout[-1].text)["usage"].items())


def _answered(recording: Recording, text: str) -> str:
    """The recorded end of an answered turn, with this text, and a place for the usage."""
    events = [json.loads(line.text) for line in recording.stdout[_start(recording) :]]
    return "".join(f"{_with(event, text)}\n" for event in events)


def _with(event: dict[str, Any], text: str) -> str:
    match event:
        case {"type": "item.completed", "item": {"type": "agent_message"} as item}:
            # A brace of the answer must not look like a place to fill in.
            said = json.dumps(text, ensure_ascii=False).replace("{", "\\u007b")
            shell = _compact({**event, "item": {**item, "text": 0}})
            return shell.replace('"text":0', f'"text":{said}')
        case {"type": "turn.completed"}:
            return _compact({**event, "usage": 0}).replace('"usage":0', '"usage":{usage}')
    return _compact(event)


def _compact(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
