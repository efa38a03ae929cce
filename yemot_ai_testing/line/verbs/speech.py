"""Speech, silence and what nobody understands, at a question that listens.

Source: [OFF] ``Digits-…``, ``api_say_tts``, ``api_voice_ask_ok``, M1611 and M1613; [LIB] silence is an empty
value that is there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from yemot_ai.protocol import Read, Tap, Voice
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.line.states import Asking, Confirming
from yemot_ai_testing.line.transcript import SECONDS_PER_CHARACTER
from yemot_ai_testing.line.verbs.keypad import DEFAULT_SECONDS
from yemot_ai_testing.line.verbs.verb import Verb, wrong_verb_error

if TYPE_CHECKING:
    from yemot_ai_testing.line.call import Call

__all__ = ["mumbles", "retry_or_submit_empty", "says", "silence_limit"]

SPEECH_SILENCE_SECONDS = 5.0
"""[?] Seconds of silence after which speech recognition gives up; no source says."""


def says(call: Call, text: str) -> Verb:
    """Return what comes of speaking.

    Args:
        call: the call.
        text: what the line's speech recognition understands.

    Raises:
        WrongVerbError: the line does not listen to speech now.
    """
    asking = _speech_question(call, "says")
    if not text:
        raise WrongVerbError("says nothing", waits_for=call.state.waits_for, hint="use silent()")
    mode = asking.read.mode
    most = mode.max_seconds if isinstance(mode, Voice) and mode.record_engine else None
    understood, seconds = _truncate_speech(text, most)
    return Verb(seconds, lambda: _accept_speech(call, asking, understood))


def mumbles(call: Call) -> Verb:
    """Return what comes of speech that nobody understands.

    Raises:
        WrongVerbError: the line does not listen to speech now.
    """
    asking = _speech_question(call, "mumbles")
    return Verb(1.0, lambda: retry_or_submit_empty(call, asking, "M1611", call.settings.speech_retries))


def silence_limit(asking: Asking) -> float:
    """Return how many seconds of silence the line bears before it takes the question for unanswered."""
    mode = asking.read.mode
    if isinstance(mode, Tap):
        return (mode.seconds or DEFAULT_SECONDS) * (mode.attempts or 1)
    if isinstance(mode, Voice) and mode.record_engine and mode.silence_seconds:
        return float(mode.silence_seconds)
    return SPEECH_SILENCE_SECONDS


def retry_or_submit_empty(call: Call, asking: Asking, code: str, retries: int) -> None:
    """Ask again as often as this line does [?], then send an empty value [LIB]."""
    if asking.retries < retries:
        call.playback.play_system_message(code)
        call.ask(replace(asking, retries=asking.retries + 1))
    else:
        call.submit_value("")


def _speech_question(call: Call, verb: str) -> Asking:
    match call.state:
        case Asking(read=Read(mode=Voice())) as asking:
            return asking
        case state:
            raise wrong_verb_error(verb, state)


def _truncate_speech(text: str, max_seconds: int | None) -> tuple[str, float]:
    """Return the words that fit into ``max_seconds`` seconds, and how long they take; one word always does."""
    seconds = len(text) * SECONDS_PER_CHARACTER
    if max_seconds is None or seconds <= max_seconds:
        return text, seconds
    heard = text[: int(max_seconds / SECONDS_PER_CHARACTER)]
    whole = heard.rpartition(" ")[0] if text[len(heard) :][:1].strip() else heard
    return (whole or heard).strip(), float(max_seconds)


def _accept_speech(call: Call, asking: Asking, text: str) -> None:
    place = call.extension_settings
    if place is not None and (place.say_tts or place.voice_ask_ok):
        call.playback.speak(text)
    if place is not None and place.voice_ask_ok:
        call.playback.play_system_message("M1353")
        call.set_state(Confirming(asking, text))
    else:
        call.submit_value(text)
