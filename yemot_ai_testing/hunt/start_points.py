"""Find where callers meet an agent: by its extension, and through menus whose keys are tried."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import yemot_flow

from yemot_ai import AIFlow, KeyAction
from yemot_ai.protocol import Read, Record, Tap, Voice
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing.errors import EndlessLineError, WrongVerbError
from yemot_ai_testing.history import History, ModelWrote, RecordedApp
from yemot_ai_testing.hunt.app_loader import AppLoader, LoadedApp
from yemot_ai_testing.hunt.caller_path import CallerPath
from yemot_ai_testing.hunt.replacement import ReplacedStores
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.transports.transport import Method
from yemot_ai_testing.property import CallMachine, EchoProvider, MachineCall
from yemot_ai_testing.scenario.format.model import CallerAction
from yemot_ai_testing.scenario.play.runner import perform_action

__all__ = [
    "NoAgent",
    "OpenedApp",
    "Place",
    "StartPoint",
    "extensions_of",
    "find_start_point",
    "open_app",
    "place_of",
]

FIRST_UTTERANCE: Final = "7001"
MAX_PATHS: Final = 60
"""The most paths that are tried from one extension."""

MAX_STEPS: Final = 4
"""The most steps of a path that is tried."""

CONFIRMATION_KEY: Final = "1"
MENU_KEYS: Final = "1234567890"
TYPED_NUMBERS: Final = {"TeudatZehut": "000000018", "Phone": "0501234567"}
"""A number that each keyboard accepts which accepts only valid ones."""

_TURN_NUMBER: Final = re.compile(r"_?\d+(w\d+)?$")


@dataclass(frozen=True, slots=True)
class Place:
    """A question of an application.

    Attributes:
        extension: the extension in which it is asked.
        name: the name of its value, without the number of the turn.
        heard: what the caller heard; "" where that does not matter.
    """

    extension: str
    name: str
    heard: str = ""


@dataclass(frozen=True, slots=True)
class StartPoint:
    """Where the calls of a search begin.

    Attributes:
        extension: the extension that callers dial.
        path: what they do until the agent listens.
        listens_at: where it listens.
        asks_model: whether the model is asked; otherwise the application answers by itself, or by a model
            that is not replaced.
        asks_unsaid: whether the model is asked what no caller says, too.
        streams: whether the agent speaks while the model writes.
        answers_whole: whether the model may also write whole answers.
        reset_key: the key that starts a new conversation; "" for none.
        max_silences: silences in a row after which the call must have ended.
        confirmation_key: the key by which callers confirm what they have said; "" for none.
        survives_workers: whether its store outlives the process.
    """

    extension: str
    path: CallerPath = ()
    listens_at: Place = Place("", "")
    asks_model: bool = True
    asks_unsaid: bool = False
    streams: bool = False
    answers_whole: bool = True
    reset_key: str = ""
    max_silences: int = CallMachine.max_silences
    confirmation_key: str = ""
    survives_workers: bool = False


@dataclass(frozen=True, slots=True)
class NoAgent:
    """An extension from which no agent was reached.

    Attributes:
        extension: the extension.
        heard: what the caller heard last.
        waits_for: what the line waits for, in words.
    """

    extension: str
    heard: str
    waits_for: str

    def __str__(self) -> str:
        heard = f"the caller hears {self.heard!r}; " if self.heard else ""
        return f"/{self.extension}: no agent was reached: {heard}{self.waits_for}"


@dataclass(frozen=True, slots=True)
class OpenedApp:
    """An application for one call that looks for an agent.

    Attributes:
        app: the application.
        prompts: returns what the model was asked.
        streams: returns whether the model wrote an answer sentence by sentence.
        loaded: the application, if it is one of this process.
        survives_workers: whether it has a store that outlives it.
    """

    app: RecordedApp
    prompts: Callable[[], Sequence[str]]
    streams: Callable[[], bool] = bool
    loaded: LoadedApp = field(default_factory=lambda: LoadedApp(None))
    survives_workers: bool = False


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Where a path leads.

    Attributes:
        opened: the application.
        place: the question.
        waits_for: what the line waited for then, in words.
        choices: what the caller may do there.
        listens: whether the line listens to an utterance.
        records: whether it does so by a recording, and takes no keys.
        asks_model: whether the model was asked it.
        asks_unsaid: whether the model was asked something else.
        is_broken: whether the line met an error on the way.
        confirmation_key: the key without which the model was not asked.
    """

    opened: OpenedApp
    place: Place
    waits_for: str = ""
    choices: Sequence[CallerAction] = ()
    listens: bool = False
    records: bool = False
    asks_model: bool = False
    asks_unsaid: bool = False
    is_broken: bool = False
    confirmation_key: str = ""

    def start_point(self, extension: str, path: CallerPath) -> StartPoint:
        """Return the start point of those who dial ``extension``, and follow the path to here."""
        loaded, streams = self.opened.loaded, self.opened.streams()
        flow = loaded.flow
        agent = None if flow is None else flow.agents.get(self.place.extension.strip("/"))
        keys = {} if agent is None or self.records else agent.dialog.keys
        return StartPoint(
            extension,
            path,
            replace(self.place, heard=""),
            asks_model=self.asks_model or loaded.got_provider,
            asks_unsaid=self.asks_unsaid,
            streams=streams,
            answers_whole=bool(loaded.ais) or not streams,
            reset_key=next((key for key, action in keys.items() if action is KeyAction.RESTART), ""),
            max_silences=max(CallMachine.max_silences, 0 if agent is None else agent.dialog.max_silences),
            confirmation_key=self.confirmation_key,
            survives_workers=self.opened.survives_workers,
        )


def extensions_of(app: object) -> Sequence[str]:
    """Return the extensions of a flow, the root first; only the root of another application."""
    if not isinstance(app, yemot_flow.Flow):
        return ("",)
    agents = app.agents if isinstance(app, AIFlow) else ()
    return sorted({*agents, *app.routes}, key=lambda name: (name != "", name)) or ("",)


def open_app(loader: AppLoader, method: Method = "GET") -> OpenedApp:
    """Return a new application, whose model writes sentence by sentence where it may.

    Args:
        loader: loads it.
        method: how the line sends its requests.

    Raises:
        AppError: the application cannot be loaded.
    """
    provider = EchoProvider(sentences=3)
    stores = ReplacedStores(lambda: MemoryStore(now=provider.engine.time))
    loaded = loader.load(provider, stores)
    return OpenedApp(
        RecordedApp(
            loaded.app,
            History(now=provider.clock.now),
            clock=provider.clock,
            method=method,
            path=loaded.path,
        ),
        lambda: [request.prompt for request in provider.requests],
        lambda: any(isinstance(event, ModelWrote) for event in provider.history.events),
        loaded,
        stores.survives_workers,
    )


def find_start_point(
    open_: Callable[[], OpenedApp], extension: str, phone: str, path: CallerPath | None = None
) -> StartPoint | NoAgent:
    """Find a path from an extension to an agent, the shortest of those that are tried.

    Args:
        open_: returns the application for one call.
        extension: the extension that the caller dials.
        phone: the number of the caller.
        path: the only path to try; None tries keys and words.

    Raises:
        AppError: the application cannot be loaded.
    """
    listening: StartPoint | None = None
    nowhere: NoAgent | None = None
    for tried, arrival in _paths(open_, extension, phone, path):
        if arrival.asks_model:
            return arrival.start_point(extension, tried)
        nowhere = nowhere or NoAgent(extension, arrival.place.heard, arrival.waits_for)
        if arrival.listens or arrival.is_broken:
            listening = listening or arrival.start_point(extension, tried)
    return listening or nowhere or NoAgent(extension, "", "")


def _paths(
    open_: Callable[[], OpenedApp], extension: str, phone: str, only: CallerPath | None
) -> Iterator[tuple[CallerPath, _Arrival]]:
    """Iterate over paths and where they lead, the shortest first."""
    waiting: deque[CallerPath] = deque([only or ()])
    known: set[Place] = set()
    for _ in range(MAX_PATHS):
        if not waiting:
            return
        path = waiting.popleft()
        arrival = _follow(open_(), extension, phone, path)
        yield path, arrival
        if only is None and len(path) < MAX_STEPS and arrival.place not in known:
            known.add(arrival.place)
            waiting.extend((*path, action) for action in arrival.choices)


def _follow(opened: OpenedApp, extension: str, phone: str, path: CallerPath) -> _Arrival:
    """Call the application, follow a path, and speak where it leads if the line listens there."""
    caller = Caller(opened.app, phone, extension, clock=opened.app.clock, strict=False)
    arrival = _Arrival(opened, Place(extension, ""))
    with caller, suppress(WrongVerbError, EndlessLineError):  # then the path leads nowhere
        caller.dial()
        for action in path:
            perform_action(caller, action)
        machine_call = MachineCall(caller)
        place = replace(place_of(caller), heard=caller.heard)
        arrival = _Arrival(
            opened,
            place,
            caller.waits_for,
            _choices(caller.question),
            machine_call.awaits_speech,
            caller.question is not None and isinstance(caller.question.mode, Record),
        )
        if arrival.listens:
            perform_action(caller, machine_call.speech_action(FIRST_UTTERANCE))
            if not _was_asked(opened) and _is_menu(caller.question):
                arrival = replace(arrival, confirmation_key=CONFIRMATION_KEY)
                caller.presses(CONFIRMATION_KEY)
    return replace(
        arrival,
        asks_model=_was_asked(opened),
        asks_unsaid=any(FIRST_UTTERANCE not in prompt for prompt in opened.prompts()),
        is_broken=any(problem.level == "error" for problem in caller.problems),
    )


def place_of(caller: Caller) -> Place:
    """Return the question at which a caller is."""
    name = caller.question.name if caller.question else ""
    return Place(caller.extension, _TURN_NUMBER.sub("", name))


def _was_asked(opened: OpenedApp) -> bool:
    return any(FIRST_UTTERANCE in prompt for prompt in opened.prompts())


def _is_menu(question: Read | None) -> bool:
    return question is not None and isinstance(question.mode, Tap) and question.mode.max_digits == 1


def _choices(question: Read | None) -> Sequence[CallerAction]:
    """Return what a caller may do at a question that is not the agent's."""
    match question.mode if question else None:
        case Tap(allowed=allowed) if allowed and allowed != ("from_folder",):
            keys: Sequence[str] = allowed
        case Tap(max_digits=1):
            keys = tuple(MENU_KEYS)
        case Tap(max_digits=most, min_digits=fewest, keyboard=keyboard):
            length = min(most or len(MENU_KEYS), max(fewest, len(MENU_KEYS) - 1))
            keys = (TYPED_NUMBERS.get(keyboard, MENU_KEYS[:length]),)
        case Voice(block_keys=False):
            return (CallerAction("says", "שלום"), *(CallerAction("presses", key) for key in "123"))
        case Voice():
            return (CallerAction("says", "שלום"),)
        case _:
            return ()
    return tuple(CallerAction("presses", key) for key in keys)
