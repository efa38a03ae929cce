"""Lost, busy, cancelled and ended sessions, with the fake and the real Codex."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import Codex, exec_provider, run_async, thread_id_of
from tests.support.stopwatch import Stopwatch
from yemot_ai.errors import OverloadedError, ProviderTimeoutError, SessionBusyError, SessionLostError
from yemot_ai.providers.provider import Exchange

if TYPE_CHECKING:
    from yemot_ai.providers.provider import JSON


@pytest.mark.slow
def test_a_thread_that_codex_no_longer_knows_is_lost(codex: Codex) -> None:
    codex.answers("א").unknown_session()
    first = run_async(ask_provider(exec_provider(), "שלום"))
    with pytest.raises(SessionLostError) as caught:
        run_async(ask_provider(exec_provider(), "שוב", session=first.session))
    assert caught.value.thread_id == thread_id_of(first.session)
    assert caught.value.exit_code == 1
    assert "no rollout found" in caught.value.stderr_tail
    codex.assert_complete()


@pytest.mark.slow
def test_an_unknown_thread_is_lost(codex: Codex) -> None:
    session: JSON = {"thread_id": "01a2021e-e1f2-71a2-898b-4fcd956cbb54", "usage": {}}
    with pytest.raises(SessionLostError):
        run_async(ask_provider(exec_provider(), "שלום", session=session))


@pytest.mark.parametrize("session", [{"thread_id": "not-a-uuid"}, {"thread_id": "--last"}, {}, "x", ["y"]])
def test_an_invalid_session_is_lost_without_a_model_call(codex: Codex, session: object) -> None:
    with pytest.raises(SessionLostError):
        run_async(ask_provider(exec_provider(), "שלום", session=session))  # type: ignore[arg-type]  # a store may return anything
    assert codex.requests == []


@pytest.mark.slow
def test_a_lost_conversation_is_rebuilt_from_its_history(codex: Codex) -> None:
    codex.answers("דוד.")
    history = [Exchange("קוראים לי דוד", "נעים מאוד."), Exchange("בן 40", "יפה.")]
    run_async(ask_provider(exec_provider(), "איך קוראים לי?", history=history))
    prompt = codex.requests[0].prompt
    order = [
        prompt.index(words) for words in ("קוראים לי דוד", "נעים מאוד.", "בן 40", "יפה.", "איך קוראים לי?")
    ]
    assert order == sorted(order)


@pytest.mark.slow
def test_a_thread_with_another_writer_is_busy(codex: Codex) -> None:
    codex.answers("א").busy_session()
    first = run_async(ask_provider(exec_provider(), "שלום"))
    with pytest.raises(SessionBusyError) as caught:
        run_async(ask_provider(exec_provider(), "שוב", session=first.session))
    assert caught.value.transient
    assert caught.value.thread_id == thread_id_of(first.session)


@pytest.mark.slow
def test_codex_refuses_two_concurrent_turns_of_one_thread(codex: Codex) -> None:
    async def collide() -> None:
        own_provider = exec_provider()
        first = await ask_provider(own_provider, "שלום")
        codex.hangs()
        slow = asyncio.create_task(ask_provider(own_provider, "לאט", session=first.session))
        await asyncio.to_thread(codex.wait_for_requests, 2)
        with pytest.raises(SessionBusyError):
            await ask_provider(own_provider, "מהר", session=first.session)
        slow.cancel()
        await asyncio.wait([slow])

    codex.answers("א")
    run_async(collide())


@pytest.mark.slow
def test_turns_of_different_threads_run_at_the_same_time(codex: Codex) -> None:
    async def together() -> set[str]:
        codex.hold()
        turns = [asyncio.create_task(ask_provider(exec_provider(), f"שיחה {n}")) for n in range(3)]
        await asyncio.to_thread(codex.wait_for_requests, 3)
        codex.release()
        return {(await turn).text for turn in turns}

    codex.answers("א").answers("ב").answers("ג")
    assert run_async(together()) == {"א", "ב", "ג"}
    assert len({request.thread_id for request in codex.requests}) == 3


@pytest.mark.slow
def test_a_cancelled_turn_leaves_no_process_and_the_thread_continues(codex: Codex) -> None:
    async def hang_up() -> float:
        own_provider = exec_provider()
        first = await ask_provider(own_provider, "שלום")
        turn = asyncio.create_task(ask_provider(own_provider, "ספר סיפור", session=first.session))
        await asyncio.to_thread(codex.wait_for_requests, 2)
        assert codex.processes
        with Stopwatch() as watch:
            turn.cancel()
            await asyncio.wait([turn])
        assert turn.cancelled()
        assert codex.processes == ()
        assert (await ask_provider(own_provider, "עוד?", session=first.session)).text == "ג"
        return watch.took

    codex.answers("א").hangs().answers("ג")
    assert run_async(hang_up()) < 0.5


@pytest.mark.slow
def test_a_turn_without_an_answer_ends_at_the_deadline(codex: Codex) -> None:
    codex.hangs()
    with pytest.raises(ProviderTimeoutError) as caught:
        run_async(ask_provider(exec_provider(timeout=1.5), "שלום"))
    assert caught.value.seconds == 1.5
    assert codex.processes == ()


@pytest.mark.slow
def test_ending_a_session_deletes_only_its_rollout(codex: Codex) -> None:
    codex.answers("א").answers("ב")
    kept = run_async(ask_provider(exec_provider(), "זה נשאר"))
    deleted = run_async(ask_provider(exec_provider(), "זה נמחק"))
    sessions = Path(os.environ["YEMOT_AI_HOME"], "codex", "home", "sessions")
    run_async(exec_provider().end_session(deleted.session))
    (left,) = sessions.glob("*/*/*/*.jsonl")
    assert thread_id_of(kept.session) in left.name
    with pytest.raises(SessionLostError):
        run_async(ask_provider(exec_provider(), "שוב", session=deleted.session))


def files_containing(words: str) -> list[Path]:
    """Return the private files that contain these words."""
    files = [path for path in Path(os.environ["YEMOT_AI_HOME"]).rglob("*") if path.is_file()]
    return [path for path in files if words.encode() in path.read_bytes()]


@pytest.mark.slow
def test_an_ended_session_leaves_no_text(codex: Codex) -> None:
    codex.answers("הסוד נשמר").answers("בהחלט")
    first = run_async(ask_provider(exec_provider(), "הסוד שלי"))
    last = run_async(ask_provider(exec_provider(), "עוד על הסוד שלי", session=first.session))
    assert files_containing("הסוד")
    run_async(exec_provider().end_session(last.session))
    assert files_containing("הסוד") == []


@pytest.mark.slow
def test_a_failed_first_turn_leaves_no_text(codex: Codex) -> None:
    codex.fails("overloaded").hangs()
    with pytest.raises(OverloadedError):
        run_async(ask_provider(exec_provider(), "הסוד שלי"))
    with pytest.raises(ProviderTimeoutError):
        run_async(ask_provider(exec_provider(timeout=1.5), "הסוד שלי"))
    assert files_containing("הסוד") == []


@pytest.mark.slow
def test_a_lost_session_leaves_no_text(codex: Codex) -> None:
    codex.answers("הסוד נשמר").unknown_session()
    first = run_async(ask_provider(exec_provider(), "הסוד שלי"))
    with pytest.raises(SessionLostError):
        run_async(ask_provider(exec_provider(), "עוד על הסוד שלי", session=first.session))
    assert files_containing("הסוד") == []


@pytest.mark.slow
def test_each_call_has_a_working_folder_that_is_deleted_with_it(codex: Codex) -> None:
    codex.answers("א").answers("ב").answers("ג")
    first = run_async(ask_provider(exec_provider(), "שלום"))
    run_async(ask_provider(exec_provider(), "שיחה אחרת"))
    again = run_async(ask_provider(exec_provider(), "עוד", session=first.session))
    first_folder, other_folder, again_folder = (Path(request.cwd) for request in codex.requests)
    assert first_folder == again_folder != other_folder
    run_async(exec_provider().end_session(again.session))
    assert not first_folder.exists()
    assert other_folder.exists()


@pytest.mark.slow
def test_a_thread_whose_file_has_become_shorter_is_lost_without_a_model_call(codex: Codex) -> None:
    codex.answers("א")
    first = run_async(ask_provider(exec_provider(), "שלום"))
    (rollout,) = Path(os.environ["YEMOT_AI_HOME"], "codex", "home", "sessions").glob("*/*/*/*.jsonl")
    rollout.write_bytes(rollout.read_bytes()[:-1])
    with pytest.raises(SessionLostError, match="has lost a part") as caught:
        run_async(ask_provider(exec_provider(), "שוב", session=first.session))
    assert caught.value.thread_id == thread_id_of(first.session)
    assert len(codex.requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("rollouts", [None, 7, [], {"x": [1, "2"]}, {"../*": [1, "2"]}, {"x": "y"}])
def test_invalid_checksums_are_ignored(codex: Codex, rollouts: JSON) -> None:
    codex.answers("א").answers("ב")
    first = run_async(ask_provider(exec_provider(), "שלום"))
    session: JSON = {"thread_id": thread_id_of(first.session), "rollouts": rollouts}
    assert run_async(ask_provider(exec_provider(), "עוד", session=session)).text == "ב"


@pytest.mark.slow
@pytest.mark.parametrize("key", ["../../elsewhere", "", "x" * 32, 7])
def test_an_invalid_key_becomes_no_folder(codex: Codex, key: object) -> None:
    codex.answers("א").answers("ב")
    first = run_async(ask_provider(exec_provider(), "שלום"))
    session: JSON = {"thread_id": thread_id_of(first.session), "key": key}  # type: ignore[dict-item]  # a store may return anything
    run_async(ask_provider(exec_provider(), "עוד", session=session))
    folders = {Path(request.cwd).parent for request in codex.requests}
    assert folders == {Path(os.environ["YEMOT_AI_HOME"], "codex", "work")}


@pytest.mark.slow
def test_ending_an_invalid_session_deletes_nothing(codex: Codex) -> None:
    codex.answers("א")
    run_async(ask_provider(exec_provider(), "שלום"))
    for session in ("*", {"thread_id": "*"}, {"thread_id": "../../x"}, None, {}):
        run_async(exec_provider().end_session(session))
    sessions = Path(os.environ["YEMOT_AI_HOME"], "codex", "home", "sessions")
    assert len(list(sessions.glob("*/*/*/*.jsonl"))) == 1
