"""Speech, silence and unclear speech, at a question with speech recognition.

Source: [OFF] ``Digits-…``, ``api_say_tts``, ``api_voice_ask_ok``, M1611 and M1613; [LIB] silence is an empty
value, not a missing one.
"""

from __future__ import annotations

from dataclasses import replace

from yemot_ai.protocol import Read, Tap, Voice
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.line.call import Call
from yemot_ai_testing.line.states import Asking, Confirming
from yemot_ai_testing.line.transcript import SECONDS_PER_CHARACTER
from yemot_ai_testing.line.verbs.keypad import DEFAULT_SECONDS
from yemot_ai_testing.line.verbs.verb import Verb, wrong_verb_error

__all__ = ["mumbles", "retry_or_submit_empty", "says", "silence_limit"]

SPEECH_SILENCE_SECONDS = 5.0
"""Seconds of silence after which speech recognition ends; no source has a value [?]."""


def says(call: Call, text: str) -> Verb:
    """Return the verb of speaking.

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
    limit = mode.max_seconds if isinstance(mode, Voice) and mode.record_engine else None
    recognised, seconds = _truncate_speech(text, limit)
    return Verb(seconds, lambda: _accept_speech(call, asking, recognised))


def mumbles(call: Call) -> Verb:
    """Return the verb of unclear speech.

    Raises:
        WrongVerbError: the line does not listen to speech now.
    """
    asking = _speech_question(call, "mumbles")
    return Verb(1.0, lambda: retry_or_submit_empty(call, asking, "M1611", call.settings.speech_retries))


def silence_limit(asking: Asking) -> float:
    """Return the seconds of silence after which the question counts as unanswered."""
    mode = asking.read.mode
    if isinstance(mode, Tap):
        return (mode.seconds or DEFAULT_SECONDS) * (mode.attempts or 1)
    if isinstance(mode, Voice) and mode.record_engine and mode.silence_seconds:
        return float(mode.silence_seconds)
    return SPEECH_SILENCE_SECONDS


def retry_or_submit_empty(call: Call, asking: Asking, code: str, retries: int) -> None:
    """Ask again up to ``retries`` times [?], then submit an empty value [LIB]."""
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
    """Return the words that fit into ``max_seconds``, at least one, and their duration."""
    seconds = len(text) * SECONDS_PER_CHARACTER
    if max_seconds is None or seconds <= max_seconds:
        return text, seconds
    cut = text[: int(max_seconds / SECONDS_PER_CHARACTER)]
    whole_words = cut.rpartition(" ")[0] if text[len(cut) :][:1].strip() else cut
    return (whole_words or cut).strip(), float(max_seconds)


def _accept_speech(call: Call, asking: Asking, text: str) -> None:
    settings = call.extension_settings
    if settings is not None and (settings.say_tts or settings.voice_ask_ok):
        call.playback.speak(text)
    if settings is not None and settings.voice_ask_ok:
        call.playback.play_system_message("M1353")
        call.set_state(Confirming(asking, text))
    else:
        call.submit_value(text)
