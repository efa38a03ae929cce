"""Hunt an application in this process: every machine, from every start point."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.hunt.app_loader import AppLoader
from yemot_ai_testing.hunt.caller_path import CallerPath
from yemot_ai_testing.hunt.machine import Judgement, make_machine
from yemot_ai_testing.hunt.progress import OnProgress, no_progress
from yemot_ai_testing.hunt.quiet import quiet
from yemot_ai_testing.hunt.report import HuntReport, SearchReport
from yemot_ai_testing.hunt.search import Bounds, Search
from yemot_ai_testing.hunt.start_points import NoAgent, StartPoint, extensions_of, find_start_point, open_app

__all__ = ["Hunt", "NoAgentError"]


WAY_OUT: Final = (
    "name the way of the callers: --extension NAME where they dial, --path 1,2 for the keys that they press "
    "(and the words that they say) until the agent listens, --phone NUMBER for who calls"
)

WITHOUT_MODEL: Final = (
    "a YemotAI was not asked what the caller said: what the model was asked and has answered is not judged"
)

ASKS_UNSAID: Final = "the model is asked what no caller says, too: asked_unsaid is not judged"


class NoAgentError(ToolkitError):
    """No caller reaches an agent.

    Attributes:
        dead_ends: the extensions that were tried.
    """

    def __init__(self, dead_ends: Sequence[NoAgent]) -> None:
        self.dead_ends = tuple(dead_ends)
        super().__init__("\n".join([*map(str, dead_ends), WAY_OUT]))


@dataclass(frozen=True, slots=True)
class Hunt:
    """What is hunted, and how.

    Attributes:
        target: ``module:attr``.
        bounds: the seconds of all searches together, or the examples of each.
        judgement: what counts as a violation.
        extensions: the extensions that callers dial; () for all of a flow.
        path: what callers do until the agent listens; None tries keys and words.
        into: the folder of the scenarios.
        on_progress: shows what is done.
    """

    target: str
    bounds: Bounds
    judgement: Judgement = field(default_factory=Judgement)
    extensions: Sequence[str] = ()
    path: CallerPath | None = None
    into: Path = Path("found-calls")
    on_progress: OnProgress = no_progress

    def run(self, report: HuntReport) -> None:
        """Search, and add what was done and found to ``report``, also if it is interrupted.

        Raises:
            AppError: there is no such application, or it cannot be loaded.
            NoAgentError: no caller reaches an agent.
            OSError: the folder of the scenarios cannot be written.
        """
        with quiet() as errors, AppLoader(self.target) as loader:
            points = self._start_points(loader, report)
            report.notes += [
                f"without a failure of the model, the application logged {text}" for text in errors.texts
            ]
            errors.stop()
            pairs = [(start, streams) for start in points for streams in _machines(start)]
            started_at = time.monotonic()
            for number, (start, streams) in enumerate(pairs):
                left = self.bounds.seconds - (time.monotonic() - started_at)
                bounds = replace(self.bounds, seconds=max(left, 0.0) / (len(pairs) - number))
                self._search(loader, start, bounds, report, streams=streams)

    def _start_points(self, loader: AppLoader, report: HuntReport) -> list[StartPoint]:
        open_ = functools.partial(open_app, loader, self.judgement.methods[0])
        extensions = self.extensions or extensions_of(open_().loaded.app)
        tried = [find_start_point(open_, one, self.judgement.phones[0], self.path) for one in extensions]
        points = [one for one in tried if isinstance(one, StartPoint)]
        dead_ends = [one for one in tried if isinstance(one, NoAgent)]
        if not points:
            raise NoAgentError(dead_ends)
        report.notes += map(str, dead_ends)
        for one in points:
            if not one.asks_model:
                report.notes.append(f"/{one.extension}: {WITHOUT_MODEL}")
            elif one.asks_unsaid:
                report.notes.append(f"/{one.extension}: {ASKS_UNSAID}")
        return points

    def _search(
        self, loader: AppLoader, start: StartPoint, bounds: Bounds, report: HuntReport, *, streams: bool
    ) -> None:
        name = "StreamingMachine" if streams else "CallMachine"
        search = Search(bounds, lambda one: self.on_progress(f"{name} /{start.extension}", one.share))
        try:
            search.run(make_machine(loader, start, self.judgement, search, streams=streams))
        finally:
            self._report(search, name, start, report)

    def _report(self, search: Search, name: str, start: StartPoint, report: HuntReport) -> None:
        found, file = search.found, None
        if found is not None:
            slug = "-".join(
                [self.target.partition(":")[0].replace(".", "-"), start.extension or "root", name]
            )
            file = found.write(self.into, slug)
        report.searches.append(
            SearchReport(
                machine=name,
                extension=start.extension,
                path=start.path,
                examples=search.examples,
                calls=search.calls,
                seconds=search.seconds,
                violation=None if found is None else found.violation,
                file=file,
                stopped=search.stopped,
            )
        )


def _machines(start: StartPoint) -> Sequence[bool]:
    """Return whether each machine of a start point streams."""
    return [streams for streams, runs in ((False, start.answers_whole), (True, start.streams)) if runs]
