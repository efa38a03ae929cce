"""Two extensions of one call: the first asks for a name, the second uses it; the key of the state differs."""

from __future__ import annotations

import os

from flask import Flask, request

app = Flask(__name__)
names: dict[str, str] = {}


@app.route("/<key>")
def line(key: str) -> str:
    call = request.args.get(key, "")
    if request.args.get("hangup") == "yes":
        names.pop(call, None)
        return ""
    if request.args["ApiExtension"] == "1":
        return f"id_list_message=t-שלום {names.get(call)}&go_to_folder=hangup"
    said = request.args.getlist("name")
    if not said:
        return "read=t-מה שמך=name,no,voice"
    names[call] = said[-1]
    return "go_to_folder=/1"


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "0")))
