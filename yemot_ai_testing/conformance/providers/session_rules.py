"""Rules about conversations: the session has all of them, and the provider keeps none."""

from __future__ import annotations

import json
from typing import Final

from yemot_ai.errors import ProviderError, SessionLostError
from yemot_ai.providers import JSON, Exchange, SupportsEndSession
from yemot_ai_testing.conformance.providers.backend import ForgetsSessions, Received
from yemot_ai_testing.conformance.providers.bench import ProviderBench, expect_no_error, through_json
from yemot_ai_testing.conformance.rule import Breach, NotApplicable, RuleGroup, expect_equal, expect_true

__all__ = ["SESSION_RULES"]

SESSION_RULES: Final = RuleGroup[ProviderBench]("session")

RETURN_FIX: Final = "put the id or the history into Reply.session, and read it from session=, not from self"

FOREIGN_SESSIONS: Final[tuple[JSON, ...]] = (
    {"provider": "another", "turn": 1},
    "another-provider-1",
    ["another", 1],
    17,
    {},
)
"""Sessions of no provider, as they are in a store after the provider was replaced."""

ODD_INSTRUCTIONS: Final = (
    "ענה \"בקצרה\",\nבלי רשימות.\n\n''' \\ \\n {name} %s ${HOME} $(id) ]] = #",
    "--help",
    "הוראה " * 1_666 + "סוף",
)


@SESSION_RULES.rule(
    "json", fix="return texts, numbers, lists and dicts with texts as keys; no objects, tuples"
)
async def session_is_json(bench: ProviderBench) -> None:
    """A session is a JSON value, which a store can write and read."""
    session: JSON = None
    for _ in range(3):
        bench.answers(bench.word("תשובה"))
        session = (await bench.ask(bench.word(), session=session)).session
        _expect_json(session)


def _expect_json(session: JSON) -> None:
    try:
        stored = json.loads(json.dumps(session, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Breach("a JSON value", f"{error}: {session!r}") from error
    expect_equal("the session after json.dumps and json.loads", stored, session)


@SESSION_RULES.rule("continued", fix=RETURN_FIX)
async def session_continues(bench: ProviderBench) -> None:
    """A later turn has the earlier ones, questions and answers."""
    asked, answered = bench.word(), bench.word("תשובה")
    bench.backend.answers(answered)
    reply = await bench.ask(asked)
    _expect_memory(reply.session)
    got = await bench.received_with(bench.word(), session=through_json(reply.session))
    expect_true(got.knows(asked, answered), f"{asked!r} and {answered!r} before the prompt", got)


@SESSION_RULES.rule("calls", fix=RETURN_FIX)
async def calls_are_apart(bench: ProviderBench) -> None:
    """Two interleaved conversations of one provider do not mix."""
    words, sessions = [bench.word(), bench.word()], []
    for word in words:
        bench.answers(bench.word("תשובה"))
        sessions.append(through_json((await bench.ask(word)).session))
    if not bench.is_scripted:
        for session in sessions:
            await bench.ask(bench.word(), session=session)
        return
    first, second, again = [await _continued(bench, sessions[number]) for number in (0, 1, 0)]
    expect_true(words[1] not in first.context, "nothing of another call", first)
    expect_true(words[0] not in second.context, "nothing of another call", second)
    if first.session is not None:
        expect_equal("the conversation of the same session", again.session, first.session)
        expect_true(first.session != second.session, "another conversation for another call", second)


@SESSION_RULES.rule("workers", fix=f"{RETURN_FIX}: the next turn may be at another worker")
async def other_worker_continues(bench: ProviderBench) -> None:
    """A conversation continues at another instance of the provider, as at another worker."""
    asked = bench.word()
    bench.answers(bench.word("תשובה"))
    session = through_json((await bench.ask(asked)).session)
    other = bench.new_provider()
    if not bench.is_scripted:
        await bench.ask(bench.word(), session=session, provider=other)
        return
    _expect_memory(session)
    got = await bench.received_with(bench.word(), session=session, provider=other)
    expect_true(got.knows(asked), f"{asked!r} before the prompt", got)


@SESSION_RULES.rule("value", fix="copy the session before you change it: `[*history, …]`, `{**session, …}`")
async def session_is_a_value(bench: ProviderBench) -> None:
    """A session is not changed by the turn that continues it, nor by later ones."""
    bench.answers("כן", "כן", "כן")
    first = (await bench.ask(bench.word())).session
    before = through_json(first)
    second = (await bench.ask(bench.word(), session=first)).session
    second_before = through_json(second)
    await bench.ask(bench.word(), session=second)
    expect_equal("the session that was continued", through_json(first), before)
    expect_equal("the session after it", through_json(second), second_before)


@SESSION_RULES.rule(
    "unknown",
    fix="check the shape of session=, and raise SessionLostError: the library rebuilds the conversation",
)
async def unknown_session_is_lost(bench: ProviderBench) -> None:
    """A session that the provider cannot continue is a SessionLostError, never a new conversation."""
    bench.answers("כן")
    _expect_memory((await bench.ask(bench.word())).session)
    for session in FOREIGN_SESSIONS:
        if bench.is_scripted and isinstance(bench.backend, ForgetsSessions):
            bench.backend.forgets()
        try:
            reply = await bench.ask("מי שם?", session=session)
        except SessionLostError:
            continue
        except ProviderError as error:
            raise Breach(f"SessionLostError for {session!r}", f"{type(error).__name__}: {error}") from error
        if bench.is_scripted:  # else it may have no memory that could be lost
            raise Breach(f"SessionLostError for {session!r}", f"an answer: {reply!r}")


@SESSION_RULES.rule("history", fix="send history= as earlier messages, in order, before the prompt")
async def history_is_used(bench: ProviderBench) -> None:
    """A rebuilt conversation begins with its history: each question and answer, in order."""
    exchanges = [Exchange(bench.word(), bench.word("תשובה")) for _ in range(3)]
    prompt = bench.word()
    bench.backend.answers("כן")
    await bench.ask(prompt, history=exchanges)
    got = bench.backend.received()[-1]
    words = [word for one in exchanges for word in (one.prompt, one.answer)] + [prompt]
    positions = [got.context.find(word) for word in words]
    expect_true(-1 not in positions, "every exchange of the history", got)
    expect_equal("their order", positions, sorted(positions))


@SESSION_RULES.rule("history-odd", fix="clean the history as the prompt: lone surrogates, empty texts")
async def odd_history_is_no_crash(bench: ProviderBench) -> None:
    """A history with empty texts, control characters and lone surrogates is used."""
    kept = bench.word()
    odd = [
        Exchange("", ""),
        Exchange("\x00\u2028 --help", "\ud83d"),
        Exchange("\udc80 \n", " "),
        Exchange(kept, "כן"),
    ]
    bench.answers("כן")
    await bench.ask(bench.word(), history=odd)
    if bench.is_scripted:
        got = bench.backend.received()[-1]
        expect_true(kept in got.context, f"{kept!r} in the history", got)


@SESSION_RULES.rule("history-kept", fix="put history= into the new session, as if its turns had been asked")
async def history_is_kept(bench: ProviderBench) -> None:
    """The turn after a rebuilt one still has the history."""
    earlier = Exchange(bench.word(), bench.word("תשובה"))
    bench.backend.answers("כן")
    session = (await bench.ask(bench.word(), history=[earlier])).session
    _expect_memory(session)
    got = await bench.received_with(bench.word(), session=through_json(session))
    expect_true(got.knows(earlier.prompt, earlier.answer), "the history", got)


@SESSION_RULES.rule("instructions", fix="send instructions= once: as the system message, not in the prompt")
async def instructions_are_sent_once(bench: ProviderBench) -> None:
    """The instructions reach the model once, apart from the prompt."""
    instructions = bench.word("הוראה")
    bench.backend.answers("כן")
    await bench.ask(bench.word(), instructions=instructions)
    got = bench.backend.received()[-1]
    expect_true(
        instructions in (got.instructions or ""), f"the instructions {instructions!r}", got.instructions
    )
    expect_equal("how often they are sent", got.context.count(instructions), 1)


@SESSION_RULES.rule("instructions-exact", fix="pass instructions= as data too: escape them, or use a file")
async def instructions_arrive_exactly(bench: ProviderBench) -> None:
    """Instructions with quotes, lines, placeholders and 10,000 characters arrive unchanged."""
    for instructions in ODD_INSTRUCTIONS:
        bench.backend.answers("כן")
        await bench.ask(bench.word(), instructions=instructions)
        got = bench.backend.received()[-1].instructions or ""
        expect_true(instructions in got, f"the instructions {instructions!r}", got)


@SESSION_RULES.rule("instructions-later", fix="send instructions= in every turn, also when session= is given")
async def instructions_go_with_every_turn(bench: ProviderBench) -> None:
    """The instructions of a later turn are those that it was given."""
    earlier, later = bench.word("הוראה"), bench.word("הוראה")
    bench.answers("כן", "כן")
    session = (await bench.ask(bench.word(), instructions=earlier)).session
    await bench.ask(bench.word(), session=session, instructions=later)
    got = bench.backend.received()[-1]
    expect_true(later in (got.instructions or ""), f"the instructions {later!r}", got.instructions)
    expect_true(earlier not in (got.instructions or ""), "nothing of earlier instructions", got.instructions)


@SESSION_RULES.rule("end", fix="let end_session ignore what it does not know")
async def session_ends_once_or_twice(bench: ProviderBench) -> None:
    """Ending a session twice, or an unknown one, is no error."""
    ending = _ending(bench)
    bench.answers("כן")
    session = through_json((await bench.ask(bench.word())).session)
    for one in (session, session, *FOREIGN_SESSIONS):
        await expect_no_error(ending.end_session(one), f"end_session({one!r})")


@SESSION_RULES.rule("end-others", fix="delete only what belongs to the session that ends")
async def other_sessions_continue(bench: ProviderBench) -> None:
    """When a session ends, the others continue."""
    ending = _ending(bench)
    words = bench.word(), bench.word()
    bench.answers("כן", "כן")
    sessions = [through_json((await bench.ask(word)).session) for word in words]
    await expect_no_error(ending.end_session(sessions[0]), "end_session()")
    if not bench.is_scripted:
        await bench.ask(bench.word(), session=sessions[1])
        return
    got = await bench.received_with(bench.word(), session=sessions[1])
    expect_true(got.knows(words[1]) or sessions[1] is None, f"{words[1]!r} before the prompt", got)


async def _continued(bench: ProviderBench, session: JSON) -> Received:
    return await bench.received_with(bench.word(), session=session)


def _expect_memory(session: JSON) -> None:
    """Raise ``NotApplicable`` for a provider without sessions: it gets the history with every question."""
    if session is None:
        raise NotApplicable("the provider returns no session, so each question comes with the history")


def _ending(bench: ProviderBench) -> SupportsEndSession:
    if isinstance(bench.provider, SupportsEndSession):
        return bench.provider
    raise NotApplicable("the provider has no end_session()")
