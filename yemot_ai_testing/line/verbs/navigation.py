"""What needs no question: finding one's way about the line, and waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.protocol import Read, Record
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.line.platform.folders import resolve
from yemot_ai_testing.line.states import Asking, Confirming, Outside, RecordingMenu
from yemot_ai_testing.line.verbs.dtmf import unanswered
from yemot_ai_testing.line.verbs.keypad import DEFAULT_SECONDS
from yemot_ai_testing.line.verbs.speech import patience
from yemot_ai_testing.line.verbs.verb import Deed, refused

if TYPE_CHECKING:
    from yemot_ai_testing.line.call import Call

__all__ = ["goes_to", "silent"]


def silent(call: Call) -> Deed:
    """Return what comes of doing nothing.

    Raises:
        WrongVerbError: nothing ever comes of it in this state.
    """
    match call.state:
        case Asking(read=Read(mode=Record())) as state:
            raise refused("keeps silent", state)
        case Asking() as asking:
            return Deed(patience(asking), lambda: unanswered(call, asking))
        case Confirming():
            return Deed(DEFAULT_SECONDS, lambda: call.playing.system("M1353"))
        case RecordingMenu():
            return Deed(DEFAULT_SECONDS, lambda: call.playing.system("M3345"))
        case state:
            raise refused("keeps silent", state)


def goes_to(call: Call, target: str) -> Deed:
    """Return what comes of finding the way to ``target``.

    Raises:
        WrongVerbError: the caller is not free to go, or there is no such place.
    """
    state = call.state
    if not isinstance(state, Outside):
        raise refused(f"goes to {target}", state)
    extension = resolve(state.extension, target)
    if extension is None or (call.line.is_tree and call.line.at(extension) is None):
        raise WrongVerbError(
            f"goes to {target}", waits_for=state.waits_for, hint=f"there are {call.line.named()}"
        )
    return Deed(0.0, lambda: call.enter(extension))
