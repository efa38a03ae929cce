from __future__ import annotations

from dataclasses import dataclass, field

from yemot_ai import AIFlow
from yemot_ai.protocol import lint


@dataclass
class Line:
    """The line, request by request, for tests that a ``Caller`` cannot express."""

    flow: AIFlow
    call_id: str = "c1"
    extension: str = ""
    time: int = 1000
    values: list[tuple[str, str]] = field(default_factory=list)

    def enter(self, extension: str, *, keep: bool = False) -> str:
        self.extension = extension
        if not keep:
            self.values.clear()
        return self.send()

    def send(self, *values: tuple[str, str]) -> str:
        self.values += values
        self.time += 5
        return self.again()

    def again(self) -> str:
        answer = self.flow.handle_request(self.request())
        assert not [problem for problem in lint(answer) if problem.level == "error"], answer
        return answer

    def request(self) -> list[tuple[str, str]]:
        api_params = [
            ("ApiCallId", self.call_id),
            ("ApiPhone", "0501234567"),
            ("ApiExtension", self.extension),
            ("ApiTime", str(self.time)),
        ]
        return [*api_params, *self.values]

    def hang_up(self) -> str:
        return self.flow.handle_request([*self.request(), ("hangup", "yes"), ("ApiHangupExtension", "/")])
