"""What a fake Codex says: its words, and the steps that a test lays ready for it."""

from __future__ import annotations

import functools
import json
import marshal
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.app_server import recorded_messages
from yemot_ai_testing.codex.fake.grammar import grammar_overrides
from yemot_ai_testing.codex.steps import ClientRequest, Replay
from yemot_ai_testing.doubles.script import Answer, Crash, Drop, Failure, Hang, Malformed, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yemot_ai_testing.codex.recordings import Recording

__all__ = ["create_state_folder", "encode_replies", "encode_step", "load_recordings"]

_FOLDERS: Final = ("steps", "server_steps", "taken", "runs", "turns", "tmp")
_Output = tuple[int, str, str]
_NO_OUTPUT: Final[_Output] = (0, "", "")


def load_recordings(version: str | None, folder: str | os.PathLike[str] | None) -> dict[str, Recording]:
    """The words of a fake.

    Args:
        version: the recorded version to be; None for that of ``folder``, or the newest.
        folder: a folder of further recordings; they win.

    Raises:
        LookupError: the version is not recorded.
        FileNotFoundError: the folder holds no recordings.
    """
    if folder is None:
        return _recordings_of(version)
    further = recordings.load_folder(Path(folder))
    made_with = {recording.version for recording in further.values()}
    known = recordings.versions()
    base = version or next((one for one in reversed(known) if one in made_with), known[-1])
    return {**recordings.load_version(base), **further}


def encode_step(
    step: Step | Replay | ClientRequest, by_case: Mapping[str, Recording]
) -> tuple[float, int, str, str, str, _Output]:
    """What the program needs of a step: after, exit code, standard output, error, the answer, the beginning.

    Only a replay brings a beginning of its own: what is written before the model is asked.
    """
    match step:
        case Answer():
            return (step.duration, 0, _answer_events(by_case["answer"], step.text), "", step.text, _NO_OUTPUT)
        case Crash(exit=code, stderr=stderr):
            ended = stderr if stderr.endswith("\n") or not stderr else f"{stderr}\n"
            return (0.0, code, "", ended, "", _NO_OUTPUT)
        case Malformed(text=text):
            return (0.0, 0, text, "", "", _NO_OUTPUT)
        case Hang(saying=saying):
            said = _answer_events(by_case["answer"], saying).partition("\n")[0] + "\n" if saying else ""
            return (0.0, 0, said, "", "", _NO_OUTPUT)
        case Replay(case=case):
            return _encode_replay(by_case[case])
    after = step.after if isinstance(step, Failure) else 0.0
    return (after, *_output_after_model(by_case[_recording_for(step)]), "", _NO_OUTPUT)


def _recording_for(step: Step | ClientRequest) -> str:
    """The recording that shows how a turn ends after this step."""
    match step:
        case Failure(kind=kind):
            return kind
        case Drop():
            return "cut_stream"
    # About a session that is resumed, but come to a process that resumes none; or of a server's alone.
    return "unscripted"


def _encode_replay(recording: Recording) -> tuple[float, int, str, str, str, _Output]:
    code, out, _ = _output_after_model(recording)
    # A thread remembers what was answered in it; only a turn that was completed has an answer.
    said = _last_agent_message(recording) if '"turn.completed"' in out else ""
    return (0.0, code, out, "", said, _output_before_model(recording))


def _last_agent_message(recording: Recording) -> str:
    """The last words of the agent."""
    said = ""
    for event in map(_parse_event, recording.stdout):
        match event:
            case {"type": "item.completed", "item": {"type": "agent_message", "text": str(text)}}:
                said = text
    return said


@functools.cache
def _recordings_of(version: str | None) -> dict[str, Recording]:
    """What was recorded does not change while we run, and a suite makes hundreds of fakes."""
    return recordings.load_version(version) if version else recordings.load_newest()


def create_state_folder(state: Path) -> None:
    """Lay ready the folders that a test and its processes meet in, and the pipe that they ring."""
    state.mkdir()
    for name in _FOLDERS:
        (state / name).mkdir()
    os.mkfifo(state / "notify")


def encode_replies(by_case: Mapping[str, Recording]) -> dict[str, bytes]:
    """What the program reads of recordings: a file for each case."""
    replies: dict[str, Any] = {case: _full_output(recording) for case, recording in by_case.items()}
    replies["before_model"] = _output_before_model(by_case["answer"])
    replies["plain_before_model"] = _plain_text_output(by_case["plain"])
    replies["unscripted"] = _output_after_model(by_case["unscripted"])
    replies["usage"] = _usage(by_case["answer"])
    names = {line.text.split()[0] for line in by_case["features"].stdout if line.text.strip()}
    replies["feature_names"] = frozenset(names)
    replies["grammar"] = grammar_overrides(by_case, recordings.load_newest())
    replies["app_server"] = recorded_messages(by_case["answer"].version)
    return {case: marshal.dumps(reply) for case, reply in replies.items()}


def _full_output(recording: Recording) -> tuple[int, str, str]:
    out = "".join(f"{line.text}\n" for line in recording.stdout)
    return recording.exit_code, out, "".join(f"{line}\n" for line in recording.stderr)


def _output_before_model(recording: Recording) -> tuple[int, str, str]:
    """What is written before the model is asked."""
    lines = [f"{line.text}\n" for line in recording.stdout]
    return (
        0,
        "".join(lines[: _lines_before_model(recording)]),
        "".join(f"{line}\n" for line in recording.stderr),
    )


def _plain_text_output(recording: Recording) -> _Output:
    """What a turn without events says on standard error: after the answer, and before it."""
    lines = list(recording.stderr)
    if not {"user", "codex"} <= set(lines):
        return 0, "", "".join(f"{line}\n" for line in lines)
    asked, said = lines.index("user") + 1, len(lines) - 1 - lines[::-1].index("codex")
    lines[asked], lines[said + 1] = "{prompt}", "{answer}"
    before, after = lines[:said], lines[said:]
    return 0, "".join(f"{line}\n" for line in after), "".join(f"{line}\n" for line in before)


def _output_after_model(recording: Recording) -> tuple[int, str, str]:
    """What is written after the model has answered."""
    lines = [f"{line.text}\n" for line in recording.stdout]
    return recording.exit_code, "".join(lines[_lines_before_model(recording) :]), ""


def _lines_before_model(recording: Recording) -> int:
    """How many lines are written before the model is asked; all, if it never is."""
    kinds = [_parse_event(line).get("type") for line in recording.stdout]
    return kinds.index("turn.started") + 1 if "turn.started" in kinds else len(kinds)


def _parse_event(line: recordings.OutputLine) -> dict[str, Any]:
    """A line of standard output as an event; empty for a line of plain text."""
    return dict(json.loads(line.text)) if line.text.startswith("{") else {}


def _usage(recording: Recording) -> tuple[tuple[str, int], ...]:
    return tuple(json.loads(recording.stdout[-1].text)["usage"].items())


def _answer_events(recording: Recording, text: str) -> str:
    """The recorded end of an answered turn, with this text, and a place for the usage."""
    events = [json.loads(line.text) for line in recording.stdout[_lines_before_model(recording) :]]
    return "".join(f"{_event_with_text(event, text)}\n" for event in events)


def _event_with_text(event: dict[str, Any], text: str) -> str:
    match event:
        case {"type": "item.completed", "item": {"type": "agent_message"} as item}:
            # A brace of the answer must not look like a place to fill in.
            said = json.dumps(text, ensure_ascii=False).replace("{", "\\u007b")
            shell = _compact_json({**event, "item": {**item, "text": 0}})
            return shell.replace('"text":0', f'"text":{said}')
        case {"type": "turn.completed"}:
            return _compact_json({**event, "usage": 0}).replace('"usage":0', '"usage":{usage}')
    return _compact_json(event)


def _compact_json(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
