"""The files of a fake Codex: its recorded output, the steps of its script, and the records of its runs."""

from __future__ import annotations

import functools
import json
import marshal
import os
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.fake.app_server import recorded_messages
from yemot_ai_testing.codex.fake.grammar import grammar_overrides
from yemot_ai_testing.codex.sandbox import CodexRun, read_instructions
from yemot_ai_testing.codex.steps import ClientRequest, Replay
from yemot_ai_testing.doubles.script import ScriptMismatchError
from yemot_ai_testing.doubles.steps import Answer, Crash, Cut, Drop, Failure, Hang, Malformed, Reconnect, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from yemot_ai_testing.codex.recordings import Recording

__all__ = [
    "check_script",
    "create_state_folder",
    "encode_replies",
    "encode_step",
    "load_recordings",
    "read_runs",
]

_FOLDERS: Final = ("steps", "server_steps", "taken", "runs", "turns", "tmp")
_Output = tuple[int, str, str]
_NO_OUTPUT: Final[_Output] = (0, "", "")


def load_recordings(version: str | None, folder: str | os.PathLike[str] | None) -> dict[str, Recording]:
    """Return the recordings of a fake, by case.

    Args:
        version: the recorded version to imitate; None for that of ``folder``, or the newest.
        folder: a folder of further recordings, which take precedence.

    Raises:
        LookupError: if the version is not recorded.
        FileNotFoundError: if the folder has no recordings.
    """
    if folder is None:
        return _recordings_of(version)
    further = recordings.load_folder(Path(folder))
    further_versions = {recording.version for recording in further.values()}
    recorded = recordings.versions()
    base = version or next((one for one in reversed(recorded) if one in further_versions), recorded[-1])
    return {**recordings.load_version(base), **further}


@dataclass(frozen=True, slots=True)
class _ExecStep:
    """What the program needs of a step, in the order of its fields.

    Attributes:
        after: the delay in seconds.
        exit_code: the exit code.
        stdout: the standard output.
        stderr: the standard error.
        messages: the messages of the model that the thread keeps.
        counted: whether the tokens of the turn count.
        before_model: the output before the model is called, which only a replay has.
    """

    after: float = 0.0
    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""
    messages: tuple[str, ...] = ()
    counted: bool = False
    before_model: _Output = _NO_OUTPUT


def encode_step(step: Step | Replay | ClientRequest, by_case: Mapping[str, Recording]) -> tuple[Any, ...]:
    """Return what the program needs of a step, as plain values."""
    return astuple(_exec_step(step, by_case))


def _exec_step(step: Step | Replay | ClientRequest, by_case: Mapping[str, Recording]) -> _ExecStep:
    encoded = _recorded_turn(by_case[_recording_for(step)])
    match step:
        case Answer():
            encoded = _answered_turn(step, by_case)
        case Failure(after=after):
            encoded = replace(encoded, after=after)
        case Cut(pieces=pieces):
            encoded = _cut_turn(by_case[_recording_for(step)], "".join(pieces))
        case Crash(exit=code, stderr=stderr):
            error = stderr if stderr.endswith("\n") or not stderr else f"{stderr}\n"
            encoded = _ExecStep(exit_code=code, stderr=error)
        case Malformed(text=text):
            encoded = _ExecStep(stdout=text)
        case Hang(saying=saying):
            message = _turn_events(by_case["answer"], saying).partition("\n")[0] + "\n" if saying else ""
            encoded = _ExecStep(stdout=message)
        case Reconnect():
            encoded = _ExecStep(stdout=_retry_event(by_case["reconnected"]))
        case Replay(case=case):
            encoded = _replayed_turn(by_case[case])
    return encoded


def _recorded_turn(recording: Recording) -> _ExecStep:
    code, out, _ = _output_after_model(recording)
    return _ExecStep(exit_code=code, stdout=out)


def _answered_turn(step: Answer, by_case: Mapping[str, Recording]) -> _ExecStep:
    messages = (step.saying, step.text) if step.saying else (step.text,)
    out = _turn_events(by_case["two_messages" if step.saying else "answer"], *messages)
    return _ExecStep(after=step.duration, stdout=out, messages=messages, counted=True)


def _cut_turn(recording: Recording, text: str) -> _ExecStep:
    turn = _recorded_turn(recording)
    messages = (text,) if _last_agent_message(recording) else ()
    # What Codex takes for a broken stream has no tokens (measured, 0.142 and 0.163).
    counted = bool(messages) and "stream disconnected" not in turn.stdout
    return replace(turn, stdout=_turn_events(recording, *messages), messages=messages, counted=counted)


def _replayed_turn(recording: Recording) -> _ExecStep:
    turn = _recorded_turn(recording)
    # The thread stores the answer; only a completed turn has one.
    completed = '"turn.completed"' in turn.stdout
    messages = (_last_agent_message(recording),) if completed else ()
    before = _output_before_model(recording)
    return replace(turn, messages=messages, counted=completed, before_model=before)


def _retry_event(recording: Recording) -> str:
    """Return the event of a stream that Codex reads again, with placeholders for the numbers."""
    (event,) = (line.text for line in recording.stdout if line.event.get("type") == "error")
    return event.replace("1/1", "{retry}/{retries}", 1) + "\n"


def _recording_for(step: Step | Replay | ClientRequest) -> str:
    """Return the name of the recording of a turn that ends like this step."""
    match step:
        case Failure(kind=kind):
            return kind
        case Drop():
            return "cut_stream"
        case Cut(reason=reason):
            return f"cut_{reason}"
    # A session step in a process that resumes no session, or a step for app-servers only.
    return "unscripted"


def _last_agent_message(recording: Recording) -> str:
    """Return the last message of the agent; empty without one."""
    message = ""
    for event in map(_parse_event, recording.stdout):
        match event:
            case {"type": "item.completed", "item": {"type": "agent_message", "text": str(text)}}:
                message = text
    return message


@functools.cache
def _recordings_of(version: str | None) -> dict[str, Recording]:
    """Return the recordings of a version, cached: a test suite creates hundreds of fakes."""
    return recordings.load_version(version) if version else recordings.load_newest()


def create_state_folder(state: Path) -> None:
    """Create the folders that the test and the fake's processes share, and the notification pipe."""
    state.mkdir()
    for name in _FOLDERS:
        (state / name).mkdir()
    os.mkfifo(state / "notify")


def encode_replies(by_case: Mapping[str, Recording]) -> dict[str, bytes]:
    """Return the files that the program reads, by name: one for each case, and some extracts."""
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


def _full_output(recording: Recording) -> _Output:
    return recording.exit_code, _text(_stdout(recording)), _text(recording.stderr)


def _output_before_model(recording: Recording) -> _Output:
    """Return what is written before the model is called."""
    return 0, _text(_stdout(recording)[: _lines_before_model(recording)]), _text(recording.stderr)


def _plain_text_output(recording: Recording) -> _Output:
    """Return the standard error of a turn without ``--json``: after the answer, and before it."""
    lines = list(recording.stderr)
    if not {"user", "codex"} <= set(lines):
        return 0, "", _text(lines)
    prompt, answer = lines.index("user") + 1, len(lines) - 1 - lines[::-1].index("codex")
    lines[prompt], lines[answer + 1] = "{prompt}", "{answer}"
    return 0, _text(lines[answer:]), _text(lines[:answer])


def _output_after_model(recording: Recording) -> _Output:
    """Return what is written after the model has answered."""
    return recording.exit_code, _text(_stdout(recording)[_lines_before_model(recording) :]), ""


def _stdout(recording: Recording) -> list[str]:
    return [line.text for line in recording.stdout]


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _lines_before_model(recording: Recording) -> int:
    """Return how many lines are written before the model is called; all if it is never called."""
    kinds = [_parse_event(line).get("type") for line in recording.stdout]
    return kinds.index("turn.started") + 1 if "turn.started" in kinds else len(kinds)


def _parse_event(line: recordings.OutputLine) -> dict[str, Any]:
    """Return a line of standard output as an event; empty for a line of plain text."""
    return dict(json.loads(line.text)) if line.text.startswith("{") else {}


def _usage(recording: Recording) -> tuple[tuple[str, int], ...]:
    return tuple(json.loads(recording.stdout[-1].text)["usage"].items())


def _turn_events(recording: Recording, *messages: str) -> str:
    """Return the recorded end of a turn with these messages, and with a placeholder for the usage."""
    events = [json.loads(line.text) for line in recording.stdout[_lines_before_model(recording) :]]
    remaining = iter(messages)
    return "".join(f"{_event_with_text(event, remaining)}\n" for event in events)


def _event_with_text(event: dict[str, Any], messages: Iterator[str]) -> str:
    match event:
        case {"type": "item.completed", "item": {"type": "agent_message"} as item}:
            # A brace in the answer must not look like a placeholder.
            escaped = json.dumps(next(messages), ensure_ascii=False).replace("{", "\\u007b")
            template = _compact_json({**event, "item": {**item, "text": 0}})
            return template.replace('"text":0', f'"text":{escaped}')
        case {"type": "turn.completed"}:
            return _compact_json({**event, "usage": 0}).replace('"usage":0', '"usage":{usage}')
    return _compact_json(event)


def _compact_json(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def read_runs(state: Path) -> list[CodexRun]:
    """Return the turns so far, oldest first."""
    paths = sorted((state / "runs").glob("*"))
    # Its name begins with the time.
    times = [int(path.name.partition("-")[0]) / 1e9 for path in paths]
    records = (path.read_bytes() for path in paths)
    return [_codex_run(marshal.loads(record), at) for record, at in zip(records, times, strict=True)]  # noqa: S302 - our own program wrote it


def _codex_run(record: dict[str, Any], at: float) -> CodexRun:
    return CodexRun(
        argv=tuple(record["argv"]),
        prompt=record["prompt"].decode("utf-8", "replace"),
        cwd=record["cwd"],
        env_names=frozenset(record["env"]),
        pid=record["pid"],
        session=record["resumed_thread"] or None,
        thread_id=record["thread"],
        called_model=record["called_model"],
        instructions=record["instructions"] or read_instructions(record["argv"]),
        scripted=not record["unscripted"],
        step=record["step"],
        at=at,
    )


def check_script(state: Path, steps: Mapping[str, object]) -> None:
    """Check that every step was used and every turn had one.

    Args:
        state: the state folder.
        steps: the script, by the names of its files.

    Raises:
        ScriptMismatchError: if not.
    """
    unused = sorted(path.name for path in (state / "steps").iterdir())
    runs = read_runs(state)
    unscripted = [run.prompt for run in runs if not run.scripted]
    if unused or unscripted:
        prompts = [run.prompt for run in runs if run.called_model]
        raise ScriptMismatchError(
            unscripted=unscripted, unused=[steps[name] for name in unused], prompts=prompts
        )
