"""What there is to see of a call, as JSON: for the page, and for programs.

>>> exchange_json(LineExchange(0.0, 0.1, "", (("ApiCallId", "c1"),), "id_list_message=t-שלום", None))["body"]
'id_list_message=t-שלום'
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.phone.call import PhoneCall

__all__ = ["call_json", "exchange_json"]

JSONObject = dict[str, Any]


def call_json(number: int, call: PhoneCall, *, rows: int = 0, exchanges: int = 0) -> JSONObject:
    """Return what there is to see of a call.

    Args:
        number: its number.
        call: the call.
        rows: how many of its rows are known already, and are left out.
        exchanges: how many of its exchanges are known already, and are left out.
    """
    view, caller = call.view(), call.caller
    last = call.performed[-1] if call.performed else None
    return {
        "call": number,
        "phone": caller.phone,
        "dialled": call.dialled,
        "extension": caller.extension,
        "waits_for": view.waits_for,
        "possible": list(view.possible),
        "busy": view.busy,
        "waiting": view.waiting,
        "ended": view.ended,
        "notice": view.notice,
        "heard": "" if last is None else last.heard,
        "dead_air": 0.0 if last is None else round(last.dead_air, 3),
        "row_count": len(view.rows),
        "exchange_count": len(view.exchanges),
        "rows": [asdict(row) for row in view.rows[rows:]],
        "exchanges": [exchange_json(exchange) for exchange in view.exchanges[exchanges:]],
    }


def exchange_json(exchange: LineExchange) -> JSONObject:
    """Return a request and its response."""
    return {
        "at": round(exchange.at, 3),
        "seconds": round(exchange.seconds, 3),
        "extension": exchange.extension,
        "pairs": [list(pair) for pair in exchange.pairs],
        "body": exchange.body,
        "hangup": exchange.hangup,
        "problems": [
            {"level": one.level, "code": one.code, "message": one.message, "hint": one.hint}
            for one in exchange.problems
        ],
    }
