"""An MCP server over standard input and output, for the tests of ``mcp_servers=``.

It writes a line of JSON for its start and for each call to the file in ``ORDERS_LOG``. The tool ``wait``
never returns.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

TOOLS = [
    {
        "name": name,
        "description": "The status of an order.",
        "inputSchema": {"type": "object", "properties": {"id": {"type": "integer"}}},
    }
    for name in ("order_status", "cancel_order", "wait")
]


def log(**event: object) -> None:
    with Path(os.environ["ORDERS_LOG"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    if method == "initialize":
        server = {"name": "orders", "version": "1"}
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": server,
        }
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        log(called=params["name"], arguments=params.get("arguments"))
        return None if params["name"] == "wait" else {"content": [{"type": "text", "text": "sent on Sunday"}]}
    return {}


def main() -> None:
    log(pid=os.getpid(), variables=sorted(os.environ), cwd=str(Path.cwd()))
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            result = answer(message["method"], message.get("params", {}))
            if result is not None:
                reply = {"jsonrpc": "2.0", "id": message["id"], "result": result}
                sys.stdout.write(json.dumps(reply) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
