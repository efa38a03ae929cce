"""With random responses and random verbs, the line raises only its documented errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yemot_ai.protocol import (
    Action,
    CreditCard,
    Digits,
    File,
    GoTo,
    GoToFolder,
    GoToFolderAndPlay,
    Message,
    MusicOnHold,
    Noop,
    Number,
    Play,
    Read,
    Record,
    Response,
    RoutingYemot,
    SimpleAnswer,
    Tap,
    Text,
    Voice,
)
from yemot_ai_testing import Caller
from yemot_ai_testing.errors import EndlessLineError, LineError, WrongVerbError
from yemot_ai_testing.line.states import Over

Verb: TypeAlias = Callable[[Caller], str]

TARGETS = st.sampled_from(["/", "/1", "/1/2", "3", ".", "..", "../..", "../1", "hangup"])
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Text, st.sampled_from(["שלום", "מה שלומך היום", "hello"])),
    st.builds(File, st.sampled_from(["000", "/8/error", "YM_LOCAL/x"])),
    st.builds(Digits, st.sampled_from(["1", "0501234567"])),
    st.builds(Number, st.integers(0, 999)),
)
MESSAGE_LISTS = st.lists(MESSAGES, min_size=1, max_size=3)
OPTIONAL_COUNTS = st.one_of(st.none(), st.integers(1, 4))
KEYBOARDS = st.sampled_from(
    ["No", "Number", "Price", "Time", "Date", "Phone", "TeudatZehut", "HebrewKeyboard"]
)
MODES = st.one_of(
    st.builds(
        Tap,
        max_digits=st.sampled_from([None, 1, 4]),
        seconds=st.sampled_from([1, 7]),
        keyboard=KEYBOARDS,
        block_star=st.booleans(),
        block_zero=st.booleans(),
        replace=st.sampled_from(["", "*/"]),
        allowed=st.sampled_from([(), ("1", "2"), ("11", "12"), ("from_folder",)]),
        attempts=OPTIONAL_COUNTS,
        accept_empty=st.booleans(),
        lock_keyboard=st.booleans(),
        confirm=st.booleans(),
    ),
    st.builds(
        Voice,
        block_keys=st.booleans(),
        max_digits=OPTIONAL_COUNTS,
        record_engine=st.booleans(),
        max_seconds=OPTIONAL_COUNTS,
    ),
    st.builds(
        Record,
        folder=st.sampled_from(["", "/5/6"]),
        file=st.sampled_from(["", "name"]),
        confirm=st.booleans(),
        keep_on_hangup=st.booleans(),
        append=st.booleans(),
        min_seconds=st.sampled_from([None, 3]),
        max_seconds=st.sampled_from([None, 4, 60]),
    ),
)
LAST: st.SearchStrategy[Action] = st.one_of(
    st.builds(Read, MESSAGE_LISTS, st.sampled_from(["a", "b", "c"]), MODES, st.booleans()),
    st.builds(Read, MESSAGE_LISTS, st.sampled_from(["a", "b", "c"]), MODES),
    st.builds(GoToFolder, TARGETS),
    st.builds(GoToFolderAndPlay, st.just("/1/5"), st.just("005"), OPTIONAL_COUNTS),
    st.builds(
        CreditCard, st.just("pelecard"), st.just("100"), return_all=st.booleans(), go_back=st.booleans()
    ),
    st.builds(RoutingYemot, st.just("0773137770")),
    st.builds(
        Play,
        st.builds(
            lambda messages, target: [*messages, GoTo(target)],
            MESSAGE_LISTS,
            st.sampled_from(["/1", "3", "hangup"]),
        ),
    ),
    st.builds(Noop, st.just("nothing")),
)
CHAINED: st.SearchStrategy[Action] = st.one_of(
    st.builds(Play, MESSAGE_LISTS),
    st.builds(MusicOnHold, st.just("ztomao"), st.sampled_from([None, 5]), st.booleans()),
)
RESPONSES = st.one_of(
    st.builds(lambda chain, last: Response([*chain, last]), st.lists(CHAINED, max_size=2), LAST),
    st.builds(lambda word: Response([SimpleAnswer(word)]), st.sampled_from(["OK", "ERROR"])),
)
BODIES = st.one_of(st.builds(str, RESPONSES), st.sampled_from(["", "hangup=yes", "{}", "read=t-א-ב=x"]))
KEYS = st.sampled_from(["1", "2", "*", "12#", "#", "0501234567", "דוד#"])
VERBS: st.SearchStrategy[Verb] = st.one_of(
    st.builds(lambda text: lambda caller: caller.says(text), st.sampled_from(["שלום", "כן לא"])),
    st.builds(lambda keys: lambda caller: caller.presses(keys), KEYS),
    st.builds(lambda long: lambda caller: caller.records(seconds=long), st.sampled_from([1.0, 5.0, 90.0])),
    st.just(lambda caller: caller.silent()),
    st.just(lambda caller: caller.mumbles()),
    st.just(lambda caller: caller.pays()),
    st.just(lambda caller: caller.changes_keyboard()),
    st.just(lambda caller: caller.goes_to("/1")),
    st.just(lambda caller: caller.repeats()),
    st.just(lambda caller: caller.hangs_up()),
)  # fmt: skip

_REQUIRED_NAMES = ("ApiCallId", "ApiYFCallId", "ApiDID", "ApiRealDID", "ApiPhone", "ApiExtension", "ApiTime")


class FakeClock:
    """A clock that does not wait."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds

    advance = sleep


@pytest.mark.slow
@settings(deadline=None)
@given(
    bodies=st.lists(BODIES, min_size=1, max_size=4),
    verbs=st.lists(VERBS, max_size=12),
    retains=st.booleans(),
    strict=st.booleans(),
)
def test_random_responses_and_verbs_raise_only_documented_errors(
    *, bodies: list[str], verbs: list[Verb], retains: bool, strict: bool
) -> None:
    sent: list[Sequence[tuple[str, str]]] = []

    def app(pairs: Sequence[tuple[str, str]]) -> str:
        sent.append(pairs)
        return bodies[len(sent) % len(bodies)]

    caller = Caller(app, clock=FakeClock(), strict=strict, retain_values=retains)
    for verb in [lambda caller: caller.dial(), *verbs]:
        try:
            verb(caller)
        except (WrongVerbError, LineError, EndlessLineError):
            assert caller.waits_for
    for pairs in sent:
        _check_request(pairs)
    assert isinstance(caller.state, Over) or not caller.exchanges[-1].hangup
    assert str(caller.transcript)


def _check_request(pairs: Sequence[tuple[str, str]]) -> None:
    names = [name for name, _ in pairs]
    assert tuple(names[: len(_REQUIRED_NAMES)]) == _REQUIRED_NAMES
    assert re.fullmatch(r"[0-9a-f]{40}", dict(pairs)["ApiCallId"])
    assert not dict(pairs)["ApiExtension"].startswith("/")
    rest = names[len(_REQUIRED_NAMES) :]
    if "hangup" in rest:
        assert rest[-2:] == ["hangup", "ApiHangupExtension"]
        assert dict(pairs)["ApiHangupExtension"].startswith("/")
        rest = rest[:-2]
    assert set(rest) <= {"a", "b", "c", "CreditCard_CODE", "CreditCard_All"}
