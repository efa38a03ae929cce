"""Faults in which answer a caller hears: an old one, another caller's, none."""

from __future__ import annotations

from yemot_ai.protocol import GoToFolder, Text
from yemot_ai_testing.line.transports.in_process import timed_out
from yemot_ai_testing.line.transports.transport import TransportFault, TransportResponse
from yemot_ai_testing.mutation.mutation import application
from yemot_ai_testing.mutation.responses import HANGUP, respond, say, with_messages
from yemot_ai_testing.mutation.turn import Answered, Send, Turn

LATE_SECONDS = 10.0


@application("answers")
def previous_answer_again(turn: Turn, send: Send) -> TransportResponse:
    """A caller hears the answer before, not the one to the last words."""
    response = send(turn.pairs)
    return _with_words_of(response, *turn.answers[-1:]) if turn.said else response


@application("answers")
def first_answer_again(turn: Turn, send: Send) -> TransportResponse:
    """From the third question on a caller hears the first answer."""
    response = send(turn.pairs)
    return _with_words_of(response, *(turn.answers[1:] and turn.answers[:1])) if turn.said else response


@application("answers")
def same_words_same_answer(turn: Turn, send: Send) -> TransportResponse:
    """A caller who says the same twice in a call hears the first answer twice."""
    response = send(turn.pairs)
    if turn.said not in turn.said_before:
        return response
    number = turn.said_before.index(turn.said)
    return _with_words_of(response, *turn.answers[number : number + 1])


@application("answers")
def one_answer_late(turn: Turn, send: Send) -> TransportResponse:
    """A caller hears "one moment", and the answer only after the next words."""
    response = send(turn.pairs)
    if not turn.is_speech:
        return response
    if not turn.answers:
        return with_messages(response, lambda _: (Text("רגע"),))
    return _with_words_of(response, *turn.answers[-1:])


@application("answers")
def not_understood(turn: Turn, send: Send) -> TransportResponse:
    """From the second words on the line says that it does not understand."""
    is_second = bool(turn.is_speech and turn.said_before)
    return say("סליחה, לא הבנתי", turn.last_question) if is_second else send(turn.pairs)


@application("answers")
def greets_twice(turn: Turn, send: Send) -> TransportResponse:
    """The greeting is heard again before the first answer."""
    response = send(turn.pairs)
    if not turn.has_first_words:
        return response
    greeting = turn.earlier[-1].messages
    return with_messages(response, lambda messages: (*greeting, *messages))


@application("answers")
def repeat_answered_differently(turn: Turn, send: Send) -> TransportResponse:
    """A request that the line repeats gets another response than the first time."""
    response = send(turn.pairs)
    return with_messages(response, lambda messages: (Text("שוב"), *messages)) if turn.is_repeat else response


@application("answers")
def previous_callers_answer(turn: Turn, send: Send) -> TransportResponse:
    """The first answer of a call is the last one that another caller heard."""
    response = send(turn.pairs)
    return _with_words_of(response, turn.other_words) if turn.has_first_words else response


@application("answers")
def answers_exchanged(turn: Turn, send: Send) -> TransportResponse:
    """Two callers who are answered at the same moment hear each other's answer."""
    response = send(turn.pairs)
    return _with_words_of(response, turn.other_words) if turn.is_overlapping else response


@application("answers")
def previous_callers_number(turn: Turn, send: Send) -> TransportResponse:
    """The greeting contains the number of the caller before."""
    response = send(turn.pairs)
    if turn.earlier or turn.other_words is None:
        return response
    number = dict(turn.other_words.pairs).get("ApiPhone") or "חסוי"
    return with_messages(response, lambda messages: (Text(f"שלום {number}"), *messages))


@application("failures")
def slow_answer_given_up(turn: Turn, send: Send) -> TransportResponse:
    """A caller who waits for an answer hears an apology, and the call is over."""
    return say("סליחה, יש תקלה", None) if turn.is_waiting else send(turn.pairs)


@application("failures")
def second_answer_raises(turn: Turn, send: Send) -> TransportResponse:
    """The application fails at the second words of a caller, and the line drops the call."""
    if not (turn.said and turn.said_before):
        return send(turn.pairs)
    return TransportResponse(fault=TransportFault("status", "the server answered with HTTP status 500"))


@application("failures")
def second_answer_too_late(turn: Turn, send: Send) -> TransportResponse:
    """The second response comes after the line has stopped waiting."""
    return timed_out(LATE_SECONDS) if turn.said and turn.said_before else send(turn.pairs)


@application("questions")
def silence_asks_for_ever(turn: Turn, send: Send) -> TransportResponse:
    """A silent caller is asked the same question without an end."""
    is_silent = turn.said == "" and turn.earlier
    return turn.earlier[-1].response if is_silent else send(turn.pairs)


@application("questions")
def silence_hangs_up(turn: Turn, send: Send) -> TransportResponse:
    """A caller who is silent once is hung up on."""
    return respond(GoToFolder(HANGUP)) if turn.said == "" else send(turn.pairs)


def _with_words_of(response: TransportResponse, *answers: Answered | None) -> TransportResponse:
    """Return ``response`` with the words of an earlier answer, if there is one."""
    words = answers[0].messages if answers and answers[0] is not None else ()
    return with_messages(response, lambda _: words) if words else response
