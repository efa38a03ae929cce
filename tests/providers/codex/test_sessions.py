"""Sessions of Codex: lost, busy, cancelled, ended; proven on the fake and on the real one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.codex import Codex, asked, provider, thread_of
from tests.support.stopwatch import Stopwatch
from yemot_ai.errors import OverloadedError, ProviderTimeoutError, SessionBusyError, SessionLostError
from yemot_ai.providers.provider import Exchange

if TYPE_CHECKING:
    from yemot_ai.providers.provider import JSON


def test_a_thread_that_codex_has_forgotten_is_lost(codex: Codex) -> None:
    codex.answers("א").unknown_session()
    first = asked(provider().start_session("שלום"))
    with pytest.raises(SessionLostError) as caught:
        asked(provider().continue_session(first.session, "שוב"))
    assert caught.value.thread_id == thread_of(first.session)
    assert caught.value.exit_code == 1
    assert "no rollout found" in caught.value.stderr_tail
    codex.assert_complete()


def test_a_thread_that_never_was_is_lost(codex: Codex) -> None:
    session: JSON = {"thread_id": "01a2021e-e1f2-71a2-898b-4fcd956cbb54", "usage": {}}
    with pytest.raises(SessionLostError):
        asked(provider().continue_session(session, "שלום"))


@pytest.mark.parametrize(
    "session", [{"thread_id": "not-a-uuid"}, {"thread_id": "--last"}, {}, None, "x", ["y"]]
)
def test_a_session_that_is_no_thread_is_lost_before_the_model_is_asked(codex: Codex, session: object) -> None:
    with pytest.raises(SessionLostError):
        asked(provider().continue_session(session, "שלום"))  # type: ignore[arg-type]  # whatever a store gives
    assert codex.requests == []


def test_a_lost_conversation_is_rebuilt_from_what_was_said(codex: Codex) -> None:
    codex.answers("דוד.")
    history = [Exchange("קוראים לי דוד", "נעים מאוד."), Exchange("בן 40", "יפה.")]
    asked(provider().start_session("איך קוראים לי?", history=history))
    prompt = codex.requests[0].prompt
    order = [
        prompt.index(words) for words in ("קוראים לי דוד", "נעים מאוד.", "בן 40", "יפה.", "איך קוראים לי?")
    ]
    assert order == sorted(order)


def test_a_thread_that_somebody_else_writes_to_is_busy(codex: Codex) -> None:
    codex.answers("א").busy_session()
    first = asked(provider().start_session("שלום"))
    with pytest.raises(SessionBusyError) as caught:
        asked(provider().continue_session(first.session, "שוב"))
    assert caught.value.transient
    assert caught.value.thread_id == thread_of(first.session)


def test_two_turns_of_one_thread_at_once_are_refused_by_codex_itself(codex: Codex) -> None:
    async def collide() -> None:
        ours = provider()
        first = await ours.start_session("שלום")
        codex.hangs()
        slow = asyncio.create_task(ours.continue_session(first.session, "לאט"))
        await asyncio.to_thread(codex.wait_for_requests, 2)
        with pytest.raises(SessionBusyError):
            await ours.continue_session(first.session, "מהר")
        slow.cancel()
        await asyncio.wait([slow])

    codex.answers("א")
    asked(collide())


def test_turns_of_different_threads_run_at_the_same_time(codex: Codex) -> None:
    async def together() -> set[str]:
        codex.hold()
        turns = [asyncio.create_task(provider().start_session(f"שיחה {n}")) for n in range(3)]
        await asyncio.to_thread(codex.wait_for_requests, 3)
        codex.release()
        return {(await turn).text for turn in turns}

    codex.answers("א").answers("ב").answers("ג")
    assert asked(together()) == {"א", "ב", "ג"}
    assert len({request.thread_id for request in codex.requests}) == 3


def test_a_cancelled_turn_leaves_no_process_and_the_thread_goes_on(codex: Codex) -> None:
    async def hang_up() -> float:
        ours = provider()
        first = await ours.start_session("שלום")
        turn = asyncio.create_task(ours.continue_session(first.session, "ספר סיפור"))
        await asyncio.to_thread(codex.wait_for_requests, 2)
        assert codex.processes
        with Stopwatch() as watch:
            turn.cancel()
            await asyncio.wait([turn])
        assert turn.cancelled()
        assert codex.processes == ()
        assert (await ours.continue_session(first.session, "עוד?")).text == "ג"
        return watch.took

    codex.answers("א").hangs().answers("ג")
    assert asked(hang_up()) < 0.5


def test_a_turn_without_an_answer_ends_at_the_deadline(codex: Codex) -> None:
    codex.hangs()
    with pytest.raises(ProviderTimeoutError) as caught:
        asked(provider(timeout=1.5).start_session("שלום"))
    assert caught.value.seconds == 1.5
    assert codex.processes == ()


def test_ending_a_session_deletes_its_rollout_and_nothing_else(codex: Codex) -> None:
    codex.answers("א").answers("ב")
    kept = asked(provider().start_session("זה נשאר"))
    gone = asked(provider().start_session("זה נמחק"))
    sessions = Path(os.environ["YEMOT_AI_HOME"], "codex", "home", "sessions")
    asked(provider().end_session(gone.session))
    (left,) = sessions.glob("*/*/*/*.jsonl")
    assert thread_of(kept.session) in left.name
    with pytest.raises(SessionLostError):
        asked(provider().continue_session(gone.session, "שוב"))


def traces(words: str) -> list[Path]:
    """The files of ours that hold these words."""
    files = [path for path in Path(os.environ["YEMOT_AI_HOME"]).rglob("*") if path.is_file()]
    return [path for path in files if words.encode() in path.read_bytes()]


def test_nothing_that_was_said_is_left_when_the_session_has_ended(codex: Codex) -> None:
    codex.answers("הסוד נשמר").answers("בהחלט")
    first = asked(provider().start_session("הסוד שלי"))
    last = asked(provider().continue_session(first.session, "עוד על הסוד שלי"))
    assert traces("הסוד")
    asked(provider().end_session(last.session))
    assert traces("הסוד") == []


def test_nothing_that_was_said_is_left_of_a_first_turn_that_failed(codex: Codex) -> None:
    codex.fails("overloaded").hangs()
    with pytest.raises(OverloadedError):
        asked(provider().start_session("הסוד שלי"))
    with pytest.raises(ProviderTimeoutError):
        asked(provider(timeout=1.5).start_session("הסוד שלי"))
    assert traces("הסוד") == []


def test_nothing_that_was_said_is_left_of_a_session_that_was_lost(codex: Codex) -> None:
    codex.answers("הסוד נשמר").unknown_session()
    first = asked(provider().start_session("הסוד שלי"))
    with pytest.raises(SessionLostError):
        asked(provider().continue_session(first.session, "עוד על הסוד שלי"))
    assert traces("הסוד") == []


def test_each_call_works_in_a_folder_of_its_own_that_goes_with_it(codex: Codex) -> None:
    codex.answers("א").answers("ב").answers("ג")
    first = asked(provider().start_session("שלום"))
    asked(provider().start_session("שיחה אחרת"))
    again = asked(provider().continue_session(first.session, "עוד"))
    one, other, same = (Path(request.cwd) for request in codex.requests)
    assert one == same != other
    asked(provider().end_session(again.session))
    assert not one.exists()
    assert other.exists()


@pytest.mark.parametrize("key", ["../../elsewhere", "", "x" * 32, 7])
def test_a_key_that_is_not_ours_becomes_no_folder(codex: Codex, key: object) -> None:
    codex.answers("א").answers("ב")
    first = asked(provider().start_session("שלום"))
    session: JSON = {"thread_id": thread_of(first.session), "key": key}  # type: ignore[dict-item]  # whatever a store gives
    asked(provider().continue_session(session, "עוד"))
    folders = {Path(request.cwd).parent for request in codex.requests}
    assert folders == {Path(os.environ["YEMOT_AI_HOME"], "codex", "work")}


def test_ending_a_session_that_is_none_touches_nothing(codex: Codex) -> None:
    codex.answers("א")
    asked(provider().start_session("שלום"))
    for session in ("*", {"thread_id": "*"}, {"thread_id": "../../x"}, None, {}):
        asked(provider().end_session(session))
    sessions = Path(os.environ["YEMOT_AI_HOME"], "codex", "home", "sessions")
    assert len(list(sessions.glob("*/*/*/*.jsonl"))) == 1
