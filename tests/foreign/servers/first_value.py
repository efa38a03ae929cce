"""A menu on Flask that reads the first of repeated values, in the rows of a C# library's defaults."""

from __future__ import annotations

import os

from flask import Flask, request

app = Flask(__name__)

MENU = "read=t-אמרו או הקישו 1 או 2=val,,voice,,,2147483647"
KEYS = "read=t-הקישו קוד=val,,,1,7,Digits,,,,,1"
RECORDING = "read=t-הקליטו=val,,record,,,,,,0,2147483647"


def answer(value: str | None, question: str) -> str:
    if value is None:
        return question
    if value in {"1", "2", "Digits-1", "Digits-2"}:
        return f"id_list_message=t-בחרתם.d-{value[-1]}&go_to_folder=hangup"
    return question


@app.route("/first", methods=["GET", "POST"])
def first() -> str:
    return answer(request.values.to_dict().get("val"), MENU)


@app.route("/newest", methods=["GET", "POST"])
def newest() -> str:
    values = request.values.getlist("val")
    return answer(values[-1] if values else None, MENU)


@app.route("/keys", methods=["GET", "POST"])
def keys() -> str:
    values = request.values.getlist("val")
    return answer(values[-1] if values else None, KEYS)


@app.route("/recording", methods=["GET", "POST"])
def recording() -> str:
    return "go_to_folder=hangup" if "val" in request.values else RECORDING


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "0")))
