"""The output of one ``codex exec`` turn: the recorded events, with the scripted answer in them.

Run inside the fake executable, where each import costs a millisecond.
"""

from __future__ import annotations

import marshal
import time

from yemot_ai_testing.codex.fake.program.argv import Arguments
from yemot_ai_testing.codex.fake.program.checks import length_problem
from yemot_ai_testing.codex.fake.program.process import (
    FakeProcess,
    Output,
    ProcessExit,
    fill_placeholders,
    write_text,
)
from yemot_ai_testing.codex.fake.program.threads import ThreadFile, read_bytes

__all__ = ["answer_prompt"]

_UNSCRIPTED = "unscripted"
_NO_OUTPUT: Output = (0, "", "")


def answer_prompt(process: FakeProcess, arguments: Arguments, thread: ThreadFile, prompt: bytes) -> None:
    """Run the turn with the next step of the script, and raise ``ProcessExit``."""
    with_events = arguments.has("json")
    plain_end = ""
    text = prompt.decode("utf-8", "replace")
    thread.append_message("user_message", text)
    values = _placeholders(thread)
    replay = process.claim_step("replay")
    _code, events, warnings = replay[1][-1] if replay else process.recorded_output("before_model")
    events = fill_placeholders(events, process, values)
    if not with_events:
        _code, plain_end, warnings = process.recorded_output("plain_before_model")
    write_text(2, fill_placeholders(warnings, process, values).replace("{prompt}", text))
    if problem := length_problem(text):
        write_text(1, events.partition("\n")[0] + "\n" if with_events else "")
        process.write_run_record()
        write_text(2, problem)
        raise ProcessExit(1)
    _start_turn(process, events if with_events else "")
    retries = "" if replay else _claim_retries(process)
    claimed = replay or process.claim_step()
    kind, step = claimed or (_UNSCRIPTED, (0.0, *process.recorded_output(_UNSCRIPTED), (), False, _NO_OUTPUT))
    process.run_record["unscripted"] = kind not in {"answer", "replay", "hang"}
    process.write_run_record()
    process.wait_at_gate()
    write_text(1, retries if with_events else "")
    after, code, out, err, messages, counted, _before_model = step
    if kind == "hang":
        write_text(1, fill_placeholders(out, process, values) if with_events else "")
        _hang_forever()
    time.sleep(after)
    values["usage"] = _usage(process, thread.turns + 1)
    write_text(2, fill_placeholders(err, process, values))
    answer = messages[-1] if messages and _is_completed(code, out) else ""
    if answer and not with_events:
        write_text(2, plain_end.replace("{answer}", answer))
    _store_messages(thread, messages, values["usage"] if counted else "")
    if _is_completed(code, out):
        _store_last_message(arguments, answer)
    write_text(1, _output(process, out, values) if with_events else f"{answer}\n" if answer else "")
    raise ProcessExit(code)


def _claim_retries(process: FakeProcess) -> str:
    """Take the next steps at which Codex reads the stream again; return their events."""
    events = []
    while claimed := process.claim_step("reconnect"):
        events.append(claimed[1][2])
    numbered = enumerate(events, start=1)
    return "".join(
        event.replace("{retry}", str(number)).replace("{retries}", str(len(events)))
        for number, event in numbered
    )


def _placeholders(thread: ThreadFile) -> dict[str, str]:
    """Return the values of a thread for the placeholders in recordings."""
    return {"thread_id": thread.id}


def _start_turn(process: FakeProcess, events: str) -> None:
    """Write the events before the model's answer, and record that the model is called."""
    write_text(1, events)
    process.run_record["called_model"] = True


def _is_completed(code: int, events: str) -> bool:
    """Return whether a turn with this exit code and these events succeeded."""
    return code == 0 and '"turn.completed"' in events


def _output(process: FakeProcess, events: str, values: dict[str, str]) -> str:
    """Return the recorded events after the model's answer, as those of this turn."""
    return fill_placeholders(events, process, values)


def _store_messages(thread: ThreadFile, messages: tuple[str, ...], usage: str) -> None:
    """Store the messages, and the usage of a turn whose tokens count."""
    for message in filter(None, messages):
        thread.append_message("agent_message", message)
    if usage:
        thread.append(f'{{"type":"event_msg","payload":{{"type":"token_count","info":{usage}}}}}')


def _store_last_message(arguments: Arguments, answer: str) -> None:
    if path := arguments.value("output-last-message"):
        if not answer:
            write_text(2, f"Warning: no last agent message; wrote empty content to {path}\n")
        _write_last_message(path, answer)


def _write_last_message(path: str, answer: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
            file.write(answer)
    except FileNotFoundError:
        write_text(2, f'Failed to write last message file "{path}": No such file or directory (os error 2)\n')


def _usage(process: FakeProcess, turns: int) -> str:
    """Return the usage as the real one counts it: the tokens of the whole thread."""
    turn_usage = marshal.loads(read_bytes(f"{process.state}/replies/usage"))  # noqa: S302 - our own file
    return "{" + ",".join(f'"{name}":{tokens * turns}' for name, tokens in turn_usage) + "}"


def _hang_forever() -> None:
    # Not signal.pause(): a SIGINT just before it would be handled only when it returns, that is, never.
    while True:
        time.sleep(0.2)
