"""Verbs that need no question: going to an extension, and silence."""

from __future__ import annotations

from yemot_ai.flow.targets import resolve_target
from yemot_ai.protocol import Read, Record
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.line.call import Call
from yemot_ai_testing.line.states import Asking, Confirming, Outside, RecordingMenu
from yemot_ai_testing.line.verbs.dtmf import handle_no_keys
from yemot_ai_testing.line.verbs.keypad import DEFAULT_SECONDS
from yemot_ai_testing.line.verbs.speech import silence_limit
from yemot_ai_testing.line.verbs.verb import Verb, wrong_verb_error

__all__ = ["goes_to", "silent"]


def silent(call: Call) -> Verb:
    """Return the verb of silence.

    Raises:
        WrongVerbError: silence has no effect in this state.
    """
    match call.state:
        case Asking(read=Read(mode=Record())) as state:
            raise wrong_verb_error("keeps silent", state)
        case Asking() as asking:
            return Verb(silence_limit(asking), lambda: handle_no_keys(call, asking))
        case Confirming():
            return Verb(DEFAULT_SECONDS, lambda: call.playback.play_system_message("M1353"))
        case RecordingMenu():
            return Verb(DEFAULT_SECONDS, lambda: call.playback.play_system_message("M3345"))
        case state:
            raise wrong_verb_error("keeps silent", state)


def goes_to(call: Call, target: str) -> Verb:
    """Return the verb of going to ``target``.

    Raises:
        WrongVerbError: a server decides here, or there is no such extension.
    """
    state = call.state
    if not isinstance(state, Outside):
        raise wrong_verb_error(f"goes to {target}", state)
    extension = resolve_target(state.extension, target)
    if extension is None or (call.line.knows_all_extensions and call.line.get_extension(extension) is None):
        raise WrongVerbError(
            f"goes to {target}", waits_for=state.waits_for, hint=f"there are {call.line.extension_names()}"
        )
    return Verb(0.0, lambda: call.enter_extension(extension))
