"""Rows about the arguments of ``call.read``: keys, speech and recordings."""

from __future__ import annotations

from tests.yemot_flow.difference import FlowFactory, answers, ask_once, difference


@difference(
    1,
    "read renders only the first message",
    "a question has any number of messages, joined by `.`",
    "[OFF]",
    "all of them are asked",
    fault=r"read=t-אחת=x,",
    fixed=r"read=t-אחת\.t-שתיים\.t-שלוש=x,",
)
def three_messages(make: FlowFactory) -> str:
    return answers(ask_once(make, ("text", "אחת"), ("text", "שתיים"), ("text", "שלוש"), max_digits=1)[0])


@difference(
    3,
    "keys: every star becomes a slash, and field 15 cannot be set",
    "nothing is replaced unless field 9 says so; field 15 is the confirmation",
    "[OFF]",
    "the defaults of the line; `confirm=` sets field 15",
    fault=r"x,no,\*,1,7,NO,no,no,\*/,,3,no,None,no; .* '12/4'",
    fixed=r"x,no,,1,7,[^;]*; .* '12\*4'",
)
def typed_star(make: FlowFactory) -> str:
    caller, values = ask_once(make, confirm=True)
    question = answers(caller)
    caller.presses("12*4#")
    if not caller.ended:
        caller.presses("1")  # approves
    return f"{question}; 12*4# is {values[0]!r}"


@difference(
    4,
    "allow_empty sends yes",
    "field 12 is `Ok`; nothing else lets silence pass",
    "[OFF]",
    "`Ok`",
    fault=r",yes,None,[^;]*$",
    fixed=r",Ok,None,.*; silence is 'None'$",
)
def silence_at_keys(make: FlowFactory) -> str:
    caller, values = ask_once(make, max_digits=1, allow_empty=True, amount_attempts=1)
    question = answers(caller)
    if caller.question:
        caller.silent()
    return f"{question}; silence is {values[0]!r}" if values else question


@difference(
    5,
    "block_change_keyboard sends yes",
    "field 14 is `InsertLettersTypeChangeNo`",
    "[OFF]",
    "`InsertLettersTypeChangeNo`",
    fault=r"None,yes\b",
    fixed=r"None,InsertLettersTypeChangeNo\b",
)
def locked_keyboard(make: FlowFactory) -> str:
    return answers(ask_once(make, max_digits=9, block_change_keyboard=True)[0])


@difference(
    6,
    "a list of allowed digits is sent as Python prints it",
    "single keys stand side by side, numbers are joined by `.`; a comma begins the next field",
    "[OFF]",
    "keys as the line reads them",
    fault=r"\[1, 2\]",
    fixed=r",12,.*; 2 is '2'$",
)
def list_of_keys(make: FlowFactory) -> str:
    caller, values = ask_once(make, max_digits=1, digits_allowed=[1, 2])
    question = answers(caller)
    if caller.question:
        caller.presses("2")
    return f"{question}; 2 is {values[0]!r}" if values else question


@difference(
    7,
    "speech blocks keys by default",
    "field 5 is `no` to block keys, and empty to allow them",
    "[OFF]",
    "keys are allowed; `block_typing=True` sends `no`",
    fault=r"^read=t-מה=x,no,voice,[^,]*,no,.*block_typing=True: read=t-מה=x,no,voice,[^,]*,yes,",
    fixed=r"^read=t-מה=x,no,voice; block_typing=True: read=t-מה=x,no,voice,,no$",
)
def keys_while_speaking(make: FlowFactory) -> str:
    free, blocked = (answers(ask_once(make, mode="stt", block_typing=choice)[0]) for choice in (False, True))
    return f"{free}; block_typing=True: {blocked}"


@difference(
    8,
    "speech gets a star for its digits and yes for its engine",
    "field 6 is a number, field 7 is `record` or empty",
    "[OFF]",
    "a number or nothing; `record` with its times",
    fault=r"voice,he-IL,no,\*,no,,.*; long: .*,yes,3,20",
    fixed=r"^read=t-מה=x,no,voice; long: read=t-מה=x,no,voice,,,,record,3,20$",
)
def speech_fields(make: FlowFactory) -> str:
    short = answers(ask_once(make, mode="stt")[0])
    long = ask_once(make, mode="stt", use_records_recognition_engine=True, quiet_max=3, length_max=20)[0]
    return f"{short}; long: {answers(long)}"


@difference(
    9,
    "a recording gets no menu, and no_confirm_menu sends yes",
    "field 6 is `no` to accept at once; the menu M3345 is the default",
    "[OFF]",
    "the menu by default; `no_confirm_menu=True` sends `no`",
    fault=r"record,,,no,.*: no menu; no_confirm_menu=True: .*record,,,yes,",
    fixed=r": M3345; no_confirm_menu=True: .*record,,,no",
)
def recording_menu(make: FlowFactory) -> str:
    caller, values = ask_once(make, mode="record")
    question = answers(caller)
    menu = "M3345" if caller.records("/7/000.wav") and not values else "no menu"
    without = answers(ask_once(make, mode="record", no_confirm_menu=True)[0])
    return f"{question}: {menu}; no_confirm_menu=True: {without}"
