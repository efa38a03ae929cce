"""A first server, as people write it from an example and before reading on: Python's own, nothing else."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MISTAKES = {
    "/sentences": "id_list_message=t-שלום. מה שלומך?",
    "/quotes": 'id_list_message=t-חיפשת "עוגה"&go_to_folder=hangup',
    "/hangup": "id_list_message=t-להתראות&hangup=yes",
    "/two-questions": "read=t-גיל=age,no,2,1&read=t-שם=name,no,voice",
    "/json": '{"action": "hangup"}',
    "/nothing": "",
}


class Line(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def answer(self, form: str) -> None:
        path = urlsplit(self.path).path
        body = MISTAKES[path] if path in MISTAKES else self.conversation(parse_qs(form))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def conversation(self, values: dict[str, list[str]]) -> str:
        if "age" not in values:
            return "read=t-בן כמה אתה=age,no,3,1,7,No"
        if "name" not in values:
            return "read=t-מה שמך=name,no,voice"
        name, age = values["name"][-1], values["age"][-1]
        return f"id_list_message=t-שלום {name} בן {age}&go_to_folder=hangup"

    def log_message(self, *arguments: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Line)
    print(f"listening on {server.server_port}", flush=True)  # noqa: T201 - this is how it says where it is
    server.serve_forever()
