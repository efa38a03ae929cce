"""Answers with one word, which the ``ext.ini`` of the extension turns into actions; takes a payment too."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

MEMBERS = {"1111": "user_1", "2222": "user_2", "3333": "OK", "4444": "api_answer_OK"}


class Line(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        values = dict(parse_qsl(url.query, keep_blank_values=True))
        body = self.payment(values) if url.path == "/pay" else self.member(values)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def member(self, values: dict[str, str]) -> str:
        if "code" not in values:
            return "read=t-הקישו קוד=code,no,4,4,7,No"
        return MEMBERS.get(values["code"], "ERROR")

    def payment(self, values: dict[str, str]) -> str:
        if "CreditCard_CODE" not in values:
            return "credit_card=icredit,100,999,3,1,,,,,no"
        paid = values["CreditCard_CODE"] == "000"
        return f"id_list_message=t-{'התשלום התקבל' if paid else 'התשלום נדחה'}&go_to_folder=hangup"

    def log_message(self, *arguments: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Line)
    print(f"listening on {server.server_port}", flush=True)  # noqa: T201 - this is how it says where it is
    server.serve_forever()
