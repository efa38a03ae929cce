"""An answer that the model did not finish: what is whole of it is heard, and that it was cut."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.errors import AnswerCutError
from yemot_ai.providers import JSON, Exchange, Reply, Usage
from yemot_ai.sessions import MemoryStore, Turn
from yemot_ai_testing import Caller, ScriptedProvider

CUT_OFF_SENTENCE = "סליחה, התשובה נקטעה, אפשר לשאול שוב"
SHOWN_TOKENS = Usage(input_tokens=7, output_tokens=5)


@dataclass
class CutModel:
    """A model whose first answer is cut, in ``parts``, one ``every`` so many seconds, if it streams."""

    parts: tuple[str, ...]
    streams: bool = True
    cut: str = "length"
    every: float = 0.0
    name: str = "cutting"
    model_calls: list[tuple[str, JSON, Sequence[Exchange]]] = field(default_factory=list)
    ended_sessions: list[JSON] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = ScriptedProvider().engine

    async def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        **_: object,
    ) -> AsyncIterator[str | Reply]:
        self.model_calls.append((prompt, session, tuple(history)))
        number = len(self.model_calls)
        if number > 1:
            yield Reply("בבקשה", session or f"thread {number}")
            return
        if stream and self.streams:
            for part in self.parts:
                yield part
                if self.every:
                    await asyncio.sleep(self.every)
        yield Reply("".join(self.parts), "thread 1", SHOWN_TOKENS, cut=self.cut)

    async def end_session(self, session: JSON) -> None:
        self.ended_sessions.append(session)


class SharedStore(MemoryStore):
    """A store that other workers share: pieces are written into it one by one."""

    immediate = False


def call_to(
    model: CutModel, *, stream: bool = True, store: type[MemoryStore] = MemoryStore
) -> tuple[AIFlow, Caller]:
    flow = AIFlow(YemotAI(provider=model, store=store(now=model.engine.time)))
    flow.ai_agent("", greeting="שלום", stream=stream)(lambda call, text: None)
    caller = Caller(flow)
    caller.dial()
    return flow, caller


HEARD = [
    # A sentence without its end is not spoken after whole ones.
    (("זה עולה. מאה ועש",), "זה עולה"),
    (("זה עולה. ", "מאה ועש"), "זה עולה"),
    (("פתוח עד שבע. ", "ביום שישי עד אחת. ", "בשב"), "פתוח עד שבע, ביום שישי עד אחת"),
    # The cut after a whole sentence.
    (("פתוח עד שבע. ", "ביום שישי עד אחת."), "פתוח עד שבע, ביום שישי עד אחת"),
    (("פתוח עד שבע!",), "פתוח עד שבע!"),
    (("פתוח. סגור בשבת\n",), "פתוח, סגור בשבת"),
    # The number may have continued.
    (("המחיר ידוע. הוא 3.",), "המחיר ידוע"),
    # One sentence only: all but the word that may not be whole.
    (("זה עולה מאה ועש",), "זה עולה מאה"),
    (("זה עולה ", "מאה "), "זה עולה מאה"),
    (("הקוד הוא 12",), "הקוד הוא"),
    (("זה עולה\tמאה",), "זה עולה"),
    (("הכתובת www.exam",), "הכתובת"),
    (("1. לחם\n2. חל",), "1, לחם"),
    (("**סגור.** פתו",), "סגור"),
    # Nothing is whole.
    (("מאה\tו",), "מאה"),
    (("פת",), ""),
    (("",), ""),
]


@pytest.mark.parametrize("how", ["streamed", "whole", "no_stream"])
@pytest.mark.parametrize(("parts", "heard"), HEARD)
def test_what_is_whole_of_the_answer_is_heard_and_then_that_it_was_cut(
    parts: tuple[str, ...], heard: str, how: str
) -> None:
    _, caller = call_to(CutModel(parts, streams=how != "no_stream"), stream=how != "whole")

    assert caller.says("כמה?") == f"{heard} {CUT_OFF_SENTENCE}".strip()
    assert caller.says("ומתי?") == "בבקשה"
    caller.hangs_up()


@pytest.mark.parametrize("store", [MemoryStore, SharedStore])
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("every", [0, 1, 5])
def test_messages_of_the_function_are_heard_before_an_answer_that_is_cut(
    every: float, store: type[MemoryStore], *, stream: bool
) -> None:
    model = CutModel(("זה עולה. ", "מאה ועש"), every=every)
    flow = AIFlow(YemotAI(provider=model, store=store(now=model.engine.time)))

    @flow.ai_agent("", greeting="שלום", stream=stream)
    def checks(call: AICall, text: str) -> None:
        call.play_message("בודק")

    caller = Caller(flow)
    caller.dial()
    heard = caller.says("כמה?").replace("רק רגע ", "")
    caller.hangs_up()

    assert heard == f"בודק זה עולה {CUT_OFF_SENTENCE}"


@pytest.mark.parametrize("store", [MemoryStore, SharedStore])
@pytest.mark.parametrize("every", [0.5, 1, 2, 5])
def test_what_was_spoken_before_the_cut_is_not_spoken_again(store: type[MemoryStore], every: float) -> None:
    _, caller = call_to(CutModel(("פתוח עד שבע. ", "ביום שישי עד אחת. ", "בשב"), every=every), store=store)
    heard = caller.says("כמה?").replace("רק רגע ", "").replace(" עד שבע, ", " עד שבע ")

    assert heard == f"פתוח עד שבע ביום שישי עד אחת {CUT_OFF_SENTENCE}"
    assert caller.presses("*") == "פתוח עד שבע, ביום שישי עד אחת"
    caller.hangs_up()


@pytest.mark.parametrize("store", [MemoryStore, SharedStore])
def test_the_next_turn_has_what_was_heard_in_its_history_in_a_new_thread(store: type[MemoryStore]) -> None:
    model = CutModel(("זה עולה. מאה ועש",))
    _, caller = call_to(model, store=store)
    caller.says("כמה?")
    caller.says("ומתי?")
    caller.hangs_up()

    _, (_, session, history) = model.model_calls
    assert (session, history) == (None, (Exchange("כמה?", "זה עולה."),))
    assert model.ended_sessions == ["thread 2", "thread 1"]


def test_a_cut_answer_of_which_nothing_is_whole_leaves_no_thread_and_no_history() -> None:
    model = CutModel(("פת",))
    _, caller = call_to(model)
    caller.says("כמה?")
    caller.says("ומתי?")
    caller.hangs_up()

    _, (_, session, history) = model.model_calls
    assert (session, history) == (None, ())
    assert model.ended_sessions == ["thread 2", "thread 1"]


@pytest.mark.parametrize("cut", ["length", "content_filter", "error", "pause_turn"])
def test_the_hooks_get_the_reason_what_was_heard_and_the_tokens(cut: str) -> None:
    turns: list[Turn] = []
    texts: list[str] = []
    flow, caller = call_to(CutModel(("זה עולה. מאה ועש",), cut=cut))
    flow.ai.on_turn(lambda _call_id, turn: turns.append(turn))
    flow.ai.on_call_end(lambda transcript, _usage: turns.extend(transcript))
    flow.ai.on_call_end(lambda transcript, _usage: texts.append(str(transcript)))
    caller.says("כמה?")
    caller.hangs_up()

    for turn in turns:
        assert turn.failure is not None
        assert (turn.failure.kind, turn.failure.message) == ("answer_cut", f"the answer was cut: {cut}")
        assert (turn.answer, turn.usage) == ("זה עולה.", SHOWN_TOKENS)
    assert len(turns) == 2
    assert texts == [f"> כמה?\nזה עולה. (the answer was cut: {cut})"]


def test_the_log_has_the_reason_and_no_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="yemot_ai")
    _, caller = call_to(CutModel(("זה עולה. מאה ועש",)))
    caller.says("כמה?")
    caller.hangs_up()

    assert "the answer was cut: length" in caplog.text
    assert "עולה" not in caplog.text


def test_the_repeat_key_speaks_what_was_heard() -> None:
    _, caller = call_to(CutModel(("זה עולה. מאה ועש",)))
    caller.says("כמה?")

    assert caller.presses("*") == "זה עולה"
    caller.hangs_up()


def test_a_question_without_a_line_raises_with_the_text_so_far() -> None:
    model = CutModel(("זה עולה. מאה ועש",))
    ai = YemotAI(provider=model)

    with pytest.raises(AnswerCutError, match="the answer was cut: length") as caught:
        ai.reply("c1", "כמה?")
    assert (caught.value.text, caught.value.reason) == ("זה עולה. מאה ועש", "length")
    assert ai.reply("c1", "ומתי?") == "בבקשה"
    assert model.model_calls[1][2] == (Exchange("כמה?", "זה עולה."),)
    ai.end("c1")


def test_a_handler_may_speak_what_there_is() -> None:
    flow = AIFlow(YemotAI(provider=CutModel(("זה עולה. מאה ועש",))))

    @flow.get("")
    def prices(call: AICall) -> None:
        try:
            answer = call.ask_ai("כמה?")
        except AnswerCutError as error:
            answer = f"{error.text}, והשאר לא ידוע"
        call.play_message(answer)

    assert "זה עולה, מאה ועש, והשאר לא ידוע" in Line(flow).enter("")


@pytest.mark.parametrize(("extension", "move"), [("", "/"), ("a", "..")])
def test_a_handler_that_does_not_catch_it_lets_the_caller_know(extension: str, move: str) -> None:
    flow = AIFlow(YemotAI(provider=CutModel(("זה עולה. מאה ועש",))))
    flow.get(extension)(lambda call: call.play_message(call.ask_ai("כמה?")))

    assert Line(flow).enter(extension) == f"id_list_message=t-{CUT_OFF_SENTENCE}&go_to_folder={move}"
