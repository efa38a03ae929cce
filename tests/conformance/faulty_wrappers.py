"""Wrappers of ``codex exec`` with one fault each, as users have written them."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.conformance.codex_wrapper import CodexWrapper, Event
from tests.conformance.faults import fault
from yemot_ai.errors import MalformedStreamError, ProviderCrashError, ProviderError, ProviderTimeoutError
from yemot_ai.providers import JSON, Exchange, Reply, Usage

REFUSALS = (
    "failure-rate-limited",
    "failure-unauthorized",
    "failure-overloaded",
    "failure-context-overflow",
    "failure-quota-exceeded",
    "failure-unknown-model",
)


@fault("joins all messages of the agent, also what it says before a look-up", "answer-alone")
class JoinsMessages(CodexWrapper):
    def answer(self, items: list[Event]) -> str:
        return "\n".join(one["text"] for one in items if one["type"] == "agent_message")


@fault("speaks every item that has a text, reasoning too", "answer-alone")
class SpeaksReasoning(CodexWrapper):
    def answer(self, items: list[Event]) -> str:
        return "\n".join(one["text"] for one in items if "text" in one)


@fault("speaks the output of tools", "answer-alone")
class SpeaksTools(CodexWrapper):
    def answer(self, items: list[Event]) -> str:
        return "".join(one.get("aggregated_output", "") for one in items) + super().answer(items)


@fault("passes over the history of a rebuilt conversation", "session-history", "session-history-odd")
class IgnoresHistory(CodexWrapper):
    def first_prompt(self, prompt: str, history: Sequence[Exchange]) -> str:
        return prompt


@fault("rebuilds from the newest exchange only", "session-history")
class NewestExchange(CodexWrapper):
    def first_prompt(self, prompt: str, history: Sequence[Exchange]) -> str:
        return super().first_prompt(prompt, history[-1:])


@fault("keeps the thread in the provider", "session-calls", "session-workers")
class ThreadOnSelf(CodexWrapper):
    current: str | None = None

    def thread_of(self, session: JSON) -> str:
        super().thread_of(session)
        return self.current or ""

    def reply(self, text: str, thread: str, tokens: int, before: int) -> Reply:
        reply = super().reply(text, thread, tokens, before)
        self.current = super().thread_of(reply.session)
        return reply


@fault("keeps the threads in a dictionary of the provider", "session-workers")
class ThreadsOnSelf(CodexWrapper):
    def __init__(self, executable: Path, *, deadline: float = 60.0) -> None:
        super().__init__(executable, deadline=deadline)
        self.threads: dict[str, str] = {}

    def thread_of(self, session: JSON) -> str:
        key = super().thread_of(session)
        return self.threads.get(key, "null") if key in self.threads else "[null, 0]"

    def reply(self, text: str, thread: str, tokens: int, before: int) -> Reply:
        reply = super().reply(text, thread, tokens, before)
        key = super().thread_of(reply.session)
        self.threads[key] = key
        return reply


@fault(
    "puts what was said among the arguments",
    "prompt-argument",
    "prompt-option",
    "prompt-word",
    "prompt-control",
    "prompt-later",
    "prompt-surrogate",
    "session-history-odd",
)
class PromptAsArgument(CodexWrapper):
    def command(self, thread: str | None, prompt: str, options: list[str]) -> list[str]:
        return [*super().command(thread, prompt, options)[:-1], prompt]

    def stdin(self, prompt: str) -> bytes:
        return b""


@fault("does not end the process of a cancelled turn", "work-stopped", "work-leftovers", "failure-deadline")
class LeavesProcess(CodexWrapper):
    async def stop(self, process: asyncio.subprocess.Process) -> None:
        pass


@fault("makes an error of a cancellation", "work-cancelled", "failure-deadline")
class CatchesCancellation(CodexWrapper):
    async def run(self, arguments: list[str], stdin: bytes) -> bytes:
        try:
            return await super().run(arguments, stdin)
        except asyncio.CancelledError as error:
            raise ProviderCrashError("cancelled", provider=self.name) from error


@fault("raises one kind of error for everything", *REFUSALS, "failure-broken-off")
class OneKind(CodexWrapper):
    def error(self, message: str, prompt: str) -> ProviderError:
        return ProviderError("Codex failed", provider=self.name)


@fault("reads a failure by the number 4 in its text", "failure-unknown-model")
class ReadsOneNumber(CodexWrapper):
    def error(self, message: str, prompt: str) -> ProviderError:
        return super().error(message.replace("does not exist", ""), prompt)


@fault("counts the tokens of the whole thread", "answer-usage")
class RunningTotal(CodexWrapper):
    def reply(self, text: str, thread: str, tokens: int, before: int) -> Reply:
        return Reply(text, [thread, tokens], Usage(output_tokens=tokens))


@fault("speaks up to the first full stop", "answer-whole")
class FirstSentence(CodexWrapper):
    def answer(self, items: list[Event]) -> str:
        text, dot, _ = super().answer(items).partition(". ")
        return text + dot


@fault("reads at most 64 KiB", "answer-long")
class ShortBuffer(CodexWrapper):
    async def run(self, arguments: list[str], stdin: bytes) -> bytes:
        output = await super().run(arguments, stdin)
        return b"\n".join(line if len(line) < 2**16 else line[: 2**16] for line in output.split(b"\n"))


@fault("splits the stream at every line end of Unicode", "answer-odd")
class UnicodeLines(CodexWrapper):
    async def run(self, arguments: list[str], stdin: bytes) -> bytes:
        lines = (await super().run(arguments, stdin)).decode().splitlines()
        return "\n".join(lines).encode()


@fault("changes the quotes of the instructions", "session-instructions-exact")
class UnescapedInstructions(CodexWrapper):
    def options(self, instructions: str | None, file: Path) -> list[str]:
        return super().options(instructions and instructions.replace('"', "'"), file)


@fault("drops what comes after 150 words", "answer-whole", "answer-long")
class ShortAnswers(CodexWrapper):
    def answer(self, items: list[Event]) -> str:
        words = super().answer(items).split(" ")
        return " ".join(words[:150])


@fault("loses the final forms of Hebrew letters", "answer-whole", "answer-alone", "answer-long", "answer-odd")
class NoFinalLetters(CodexWrapper):
    def answer(self, items: list[Event]) -> str:
        return super().answer(items).translate(str.maketrans("ךםןףץ", "כמנפצ"))


@fault("makes one line of what was said", "prompt-lines", "prompt-later", "prompt-emoji")
class OneLine(CodexWrapper):
    def stdin(self, prompt: str) -> bytes:
        return super().stdin(" ".join(prompt.split()))


@fault("sends at most 4,096 bytes", "prompt-long")
class ShortPrompts(CodexWrapper):
    def stdin(self, prompt: str) -> bytes:
        return super().stdin(prompt)[:4_096]


@fault(
    "writes Latin-1",
    "prompt-hebrew",
    "prompt-emoji",
    "prompt-long",
    "prompt-lines",
    "prompt-quotes",
    "prompt-control",
    "prompt-later",
    "prompt-once",
    "prompt-surrogate",
    "session-history",
    "session-history-odd",
)
class Latin(CodexWrapper):
    def stdin(self, prompt: str) -> bytes:
        return prompt.encode("latin-1", "replace")


@fault("lets the error of json.loads out", "failure-garbled")
class RaisesJSONError(CodexWrapper):
    def parse(self, line: bytes) -> Event:
        try:
            return super().parse(line)
        except MalformedStreamError as error:
            raise ValueError("no JSON") from error


@fault("takes what is written before a crash for the answer", "failure-broken-off")
class IgnoresTheEnd(CodexWrapper):
    def read(self, events: list[Event], before: int, prompt: str) -> Reply:
        if any(event["type"] == "turn.failed" and "stream" in event["error"]["message"] for event in events):
            return self.reply("…", events[0]["thread_id"], before + 1, before)
        return super().read(events, before, prompt)


@fault("returns an empty answer", "failure-empty")
class EmptyAnswer(CodexWrapper):
    def read(self, events: list[Event], before: int, prompt: str) -> Reply:
        items = [event["item"] for event in events if event["type"] == "item.completed"]
        if any(event["type"] == "turn.completed" for event in events) and not self.answer(items):
            return self.reply("", events[0]["thread_id"], before + 1, before)
        return super().read(events, before, prompt)


@fault("has no deadline", "failure-deadline")
class NoDeadline(CodexWrapper):
    def __init__(self, executable: Path, *, deadline: float = 60.0) -> None:
        super().__init__(executable, deadline=600.0)


@fault("raises TimeoutError at the deadline", "failure-deadline")
class PlainTimeout(CodexWrapper):
    async def turn(self, session: str | None, prompt: str, instructions: str | None) -> Reply:
        try:
            return await super().turn(session, prompt, instructions)
        except ProviderTimeoutError:
            raise TimeoutError from None


@fault("has one lock around the model", "work-parallel", "work-own-answers")
class OneLock(CodexWrapper):
    def __init__(self, executable: Path, *, deadline: float = 60.0) -> None:
        super().__init__(executable, deadline=deadline)
        self.lock = asyncio.Lock()

    async def run(self, arguments: list[str], stdin: bytes) -> bytes:
        async with self.lock:
            return await super().run(arguments, stdin)


@fault(
    "blocks the event loop",
    "work-loop",
    "work-cancelled",
    "work-leftovers",
    "work-next",
    "work-own-answers",
    "work-parallel",
    "work-stopped",
    "failure-deadline",
)
class Blocks(CodexWrapper):
    async def run(self, arguments: list[str], stdin: bytes) -> bytes:
        command = [str(self.executable), *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=False).stdout  # noqa: ASYNC221 - the fault


@fault(
    "puts the instructions into the prompt",
    "session-instructions",
    "session-instructions-later",
    "session-instructions-exact",
)
class InstructionsInPrompt(CodexWrapper):
    async def turn(self, session: str | None, prompt: str, instructions: str | None) -> Reply:
        return await super().turn(session, f"{instructions}\n{prompt}" if instructions else prompt, None)


@fault("sends the instructions with the first turn only", "session-instructions-later")
class FirstInstructions(CodexWrapper):
    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await super().continue_session(session, prompt)


@fault("cannot encode a lone surrogate", "prompt-surrogate", "session-history-odd")
class StrictEncoding(CodexWrapper):
    def stdin(self, prompt: str) -> bytes:
        return prompt.encode()


@fault("quotes the caller in an error", "failure-private")
class QuotesPrompt(CodexWrapper):
    def error(self, message: str, prompt: str) -> ProviderError:
        error = super().error(message, prompt)
        error.args = (f"Codex failed for {prompt!r}",)
        return error


@fault("begins a new conversation for a session that it does not know", "session-unknown")
class AnswersForeignSession(CodexWrapper):
    def thread_of(self, session: JSON) -> str:
        try:
            return super().thread_of(session)
        except ProviderError:
            return "[null, 0]"


@fault("lets a KeyError out for a session of another provider", "session-unknown")
class TrustsSession(CodexWrapper):
    def thread_of(self, session: JSON) -> str:
        return super().thread_of([session[0], session[1]])  # type: ignore[index]  # the fault


@fault("continues the newest thread (resume --last)", "session-calls")
class ResumesLast(CodexWrapper):
    def command(self, thread: str | None, prompt: str, options: list[str]) -> list[str]:
        command = super().command(thread, prompt, options)
        return [*command[:-2], "--last", "-"] if thread else command


@fault("numbers its instances in the name", "answer-name")
class NumberedName(CodexWrapper):
    numbers = itertools.count(1)

    def __init__(self, executable: Path, *, deadline: float = 60.0) -> None:
        super().__init__(executable, deadline=deadline)
        self.name = f"wrapper-{next(self.numbers)}"
