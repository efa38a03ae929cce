"""Rows about texts, files, other messages and the targets of a transfer."""

from __future__ import annotations

from typing import Any

from tests.yemot_flow.difference import AnyCall, FlowFactory, answers, dial_in, difference


def play(make: FlowFactory, *messages: tuple[str, str], **options: Any) -> str:  # noqa: ANN401 - arguments of play_message
    def handler(call: AnyCall) -> None:
        call.play_message(list(messages), **options)

    return answers(dial_in(make(), handler))


@difference(
    2,
    "play_message ends the handler, so a hang-up after it never comes",
    "`id_list_message` may be followed by another action",
    "[OFF]",
    "it is queued, and sent with the next action of the handler",
    fault=r"^id_list_message=t-שלום$",
    fixed=r"^id_list_message=t-שלום&go_to_folder=hangup$",
)
def play_then_hang_up(make: FlowFactory) -> str:
    def handler(call: AnyCall) -> None:
        call.play_message([("text", "שלום")])
        call.hangup()

    return answers(dial_in(make(), handler))


@difference(
    10,
    "forbidden characters pass and a dot in a file name becomes a comma",
    "`-` and `.` must not occur in a text, `=` ends the messages of a read; a file has no extension",
    "[OFF]",
    "a text is made speakable; the extension is dropped",
    fault=r"t-10-12 = x ⇒ M1607; file: id_list_message=f-welcome,wav",
    fixed=r"^id_list_message=t-[^-=]+; file: id_list_message=f-welcome$",
)
def forbidden_characters(make: FlowFactory) -> str:
    text = play(make, ("text", "10-12 = x"))
    return f"{text}; file: {play(make, ('file', 'welcome.wav'))}"


@difference(
    11,
    "times and system messages are sent with wrong types",
    "their types are `z` and `m`",
    "[OFF]",
    "the types of the line; other types are an error",
    fault=r"system_message-M1005 ⇒ M1607; .*zmanim-T ⇒ M1607",
    fixed=r"=m-1005; id_list_message=z-T;",
)
def message_types(make: FlowFactory) -> str:
    day = play(make, ("dateH", "01/01/2026"))
    return f"{play(make, ('system_message', 'M1005'))}; {play(make, ('zmanim', 'T'))}; {day}"


@difference(
    12,
    "goto makes relative targets absolute",
    "`3` is a child, `..` the parent, `/5` absolute",
    "[OFF]",
    "as written",
    fault=r"go_to_folder=/3; \.\.: go_to_folder=/\.\.",
    fixed=r"go_to_folder=3; \.\.: go_to_folder=\.\.; .*=/5$",
)
def relative_targets(make: FlowFactory) -> str:
    def go_to(target: str) -> str:
        return answers(dial_in(make(), lambda call: call.goto(target), extension="1/2"))

    return "; ".join(f"{target}: {go_to(target)}" for target in ("3", "..", "/5"))


@difference(
    24,
    "url_encode puts percent signs into the text",
    "no source says that a response is decoded",
    "[?]",
    "without effect",
    fault=r"t-%D7",
    fixed=r"t-שלום לכם$",
)
def percent_signs(make: FlowFactory) -> str:
    return play(make, ("text", "שלום לכם"), url_encode=True)
