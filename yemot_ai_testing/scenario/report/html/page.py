"""Render the calls of a run as one self-contained HTML page that makes no requests."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Self

import jinja2

from yemot_ai_testing.scenario.report.call_record import CallRecord, RecordState
from yemot_ai_testing.scenario.report.dead_air import dead_air_figures, slow_turns
from yemot_ai_testing.scenario.report.html import words
from yemot_ai_testing.scenario.report.html.messages import in_hebrew
from yemot_ai_testing.scenario.report.html.rows import polls, rows
from yemot_ai_testing.scenario.report.html.strip import TimelineStrip
from yemot_ai_testing.scenario.report.reached import reached_targets

__all__ = ["render"]

MAX_EXPANDED = 3
"""Up to this many calls are all expanded; of more only the unsuccessful ones."""

UNSUCCESSFUL: frozenset[RecordState] = frozenset({"failed", "error"})
SLOW_TURNS = 5
HERE = files(__package__)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of the page.

    Attributes:
        anchor: its id in the page.
        record: its record.
        strip: its timeline, drawn to scale.
        opened: whether it is expanded at first.
    """

    anchor: str
    record: CallRecord
    strip: TimelineStrip
    opened: bool

    @classmethod
    def from_record(cls, number: int, record: CallRecord, *, opened: bool) -> Self:
        strip = TimelineStrip.from_timeline(record.timeline, chain.from_iterable(map(polls, record.turns)))
        return cls(f"call-{number}", record, strip, opened or record.state in UNSUCCESSFUL)

    @property
    def dead_air(self) -> float:
        """The longest silence of its turns."""
        return max((turn.dead_air for turn in self.record.played), default=0.0)

    @property
    def grade(self) -> str:
        """The worst grade of its silences."""
        grades = {event.grade for event in self.record.timeline}
        return next((grade for grade in ("too_long", "long") if grade in grades), "")


def render(records: Sequence[CallRecord], *, written: datetime) -> str:
    """Return the page of a run.

    Args:
        records: its calls; the unsuccessful ones come first.
        written: the end of the run; the only difference between two pages of the same calls.
    """
    calls = [
        _Call.from_record(number, record, opened=len(records) <= MAX_EXPANDED)
        for number, record in enumerate(sorted(records, key=_is_successful), start=1)
    ]
    style, script = _asset("page.css"), _asset("page.js")
    anchors = {id(call.record): call.anchor for call in calls}
    page = (
        _environment()
        .get_template("page.html")
        .render(
            calls=calls,
            counts=Counter(record.state for record in records),
            silences=dead_air_figures(records),
            slow=[
                (anchors[id(record)], record, turn) for record, turn in slow_turns(records, limit=SLOW_TURNS)
            ],
            reached=reached_targets(records),
            written=written,
            words=words,
            in_hebrew=in_hebrew,
            rows=rows,
            style=style,
            script=script,
            policy=_policy(style, script),
        )
    )
    return page.encode("utf-8", "backslashreplace").decode("utf-8")  # any text may contain lone surrogates


def _is_successful(record: CallRecord) -> bool:
    return record.state not in UNSUCCESSFUL


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )


def _template(name: str) -> str:
    """Return a template without indentation, which would add a megabyte to a page of 500 calls."""
    text = HERE.joinpath(name).read_text(encoding="utf-8")
    return "\n".join(line.strip() for line in text.splitlines())


def _asset(name: str) -> str:
    return "\n" + HERE.joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return a content security policy that allows only this style and this script, by hash."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_csp_hash(style)}'",
            f"script-src '{_csp_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
