"""Rules about prompts: what the caller said reaches the model, exactly, and is never a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yemot_ai.errors import ProviderError
from yemot_ai.providers import Exchange
from yemot_ai_testing.conformance.providers.bench import ProviderBench
from yemot_ai_testing.conformance.rule import RuleGroup, expect_equal, expect_true

__all__ = ["PROMPT_RULES"]

PROMPT_RULES: Final = RuleGroup[ProviderBench]("prompt")
INPUT_FIX: Final = "pass the prompt as data: in a field of the request, or by standard input"

SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    "hebrew": ("מה שלומכם? שָׁלוֹם עֲלֵיכֶם, ץףןםך", 'מנכ"ל, צה״ל, ג׳ירפה ו-5 ש"ח'),
    "emoji": ("👩\u200d👩\u200d👧 👍🏽 🇮🇱 ✓", "\u200fימין\u200e שמאל\u2028שורה\ufeffסוף e\u0301"),
    "long": ("מילה " * 1_999 + "סוף", "x" * 10_000),
    "lines": ("שורה\nועוד אחת\n\n\tוטאב", "שורה\r\nועוד\rאחת"),
    "option": ("--help", "-1", "-", "--", "-c model=x", "--version"),
    "word": ("help", "resume", "review", "exit", "null", "{}", "[1]", "0"),
    "sign": ("@/etc/hostname", "@file", "/new", "/quit", "!ls", "#1", "$HOME", "~"),
    "quotes": ("אמר: \"כן\" ו'לא' `ls` \\ \\n %s %d {0} {prompt} ${HOME} $(id) ; | & > <", "</s><|im_end|>"),
    "control": ("לפני\x00אחרי", "צליל\x07 מחיקה\x08 בריחה\x1b[31m קצה\x1a\x7f"),
}
"""Prompts by what is special in them; the library removes white space at both ends."""

TITLES: Final[Mapping[str, str]] = {
    "hebrew": "Hebrew with points, final letters and quotes reaches the model unchanged",
    "emoji": "Emoji, direction marks and combining marks reach the model unchanged",
    "long": "A prompt of 10,000 characters reaches the model whole",
    "lines": "Line ends and tabs of a prompt are kept",
    "option": "A prompt that looks like an option is a prompt",
    "word": "A prompt that is the name of a command or looks like JSON is a prompt",
    "sign": "A prompt that begins with @, /, !, #, $ or ~ is a prompt",
    "quotes": "Quotes, back slashes, placeholders and the syntax of a shell are kept",
    "control": "Control characters, also NUL, are kept",
}


def _add_shape(shape: str) -> None:
    @PROMPT_RULES.rule(shape, TITLES[shape], fix=INPUT_FIX)
    async def prompt_arrives(bench: ProviderBench) -> None:
        for prompt in SHAPES[shape]:
            expect_equal("the prompt of the model", (await bench.received_with(prompt)).prompt, prompt)


for _shape in SHAPES:
    _add_shape(_shape)


@PROMPT_RULES.rule("later", fix=INPUT_FIX)
async def later_prompts_arrive(bench: ProviderBench) -> None:
    """The prompt of a later turn reaches the model in the same way."""
    for prompt in ("--help", 'אמר: "כן"\nושורה'):
        bench.backend.answers("כן")
        session = (await bench.ask("שלום")).session
        got = await bench.received_with(prompt, session=session)
        expect_equal("the prompt of the model", got.prompt, prompt)


@PROMPT_RULES.rule("argument", fix="write the prompt to standard input: all users of a machine see arguments")
async def prompt_is_no_argument(bench: ProviderBench) -> None:
    """No word of a caller is in the arguments of a program."""
    first, second = bench.word(), bench.word()
    bench.backend.answers("כן")
    session = (await bench.ask(first)).session
    await bench.received_with(second, session=session)
    arguments = [argument for got in bench.backend.received() for argument in got.arguments]
    expect_true(not any(first in one or second in one for one in arguments), "no prompt", arguments)


@PROMPT_RULES.rule("surrogate", fix="encode with errors='replace', or replace lone surrogates")
async def surrogate_is_replaced(bench: ProviderBench) -> None:
    """A lone surrogate, which no encoding can write, is replaced; the rest reaches the model."""
    got = await bench.received_with("לפני \ud83d אחרי")
    ends = got.prompt.startswith("לפני ") and got.prompt.endswith(" אחרי")
    expect_true(ends, "the words around the surrogate", got.prompt)


@PROMPT_RULES.rule("empty", fix="raise a ProviderError if the model needs a text")
async def empty_prompt_is_no_crash(bench: ProviderBench) -> None:
    """An empty or blank prompt is answered, or refused with a ProviderError."""
    for prompt in ("", " ", "\n"):
        bench.answers("כן")
        try:
            await bench.ask(prompt)
        except ProviderError:
            continue


@PROMPT_RULES.rule("once", fix="put the prompt into the request once, after the history")
async def prompt_is_sent_once(bench: ProviderBench) -> None:
    """The prompt is in what the model gets once, also in a later turn and with a history."""
    prompts = [bench.word() for _ in range(3)]
    bench.answers("כן", "כן", "כן")
    session = (await bench.ask(prompts[0])).session
    await bench.ask(prompts[1], session=session)
    await bench.ask(prompts[2], history=[Exchange(bench.word(), bench.word())])
    for prompt, got in zip(prompts, bench.backend.received(), strict=False):
        expect_equal(f"how often {prompt!r} is sent", got.context.count(prompt), 1)
