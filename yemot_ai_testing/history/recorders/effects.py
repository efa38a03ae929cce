"""Record what an application does outside of a call, such as an order that it writes.

>>> from yemot_ai_testing.history.history import History
>>> history = History(now=lambda: 0.0)
>>> RecordedEffects(history).add("00c1", "order of 7001")
>>> history.events
(EffectRecorded(at=0.0, call='call c1', effect='order of 7001'),)
"""

from __future__ import annotations

from yemot_ai_testing.history.events import EffectRecorded
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import call_name

__all__ = ["RecordedEffects"]


class RecordedEffects:
    """Stands for what an application writes to: orders, messages, payments.

    Args:
        history: where the events are added.
    """

    def __init__(self, history: History) -> None:
        self._history = history

    def add(self, call_id: str, effect: str) -> None:
        """Record an effect.

        Args:
            call_id: the ID of the call.
            effect: what was done, with the text of the utterance that it was done for. The same effect may
                happen once in a call, and once for each time that its utterance was said.
        """
        self._history.add(EffectRecorded(self._history.now(), call_name(call_id), effect))
