r"""The parameters of a request to the platform's API, in each form that it takes.

>>> read_parameters("path=ivr2:/1", b"", "").values
{'path': 'ivr2:/1'}
>>> read_parameters("", b'{"path": "ivr2:/1", "digits": 2}', "application/json").values
{'path': 'ivr2:/1', 'digits': '2'}

Sources: GET, POST with JSON, and ``multipart/form-data`` for ``UploadFile`` [OFF]; POST with a form [LIB].
"""

from __future__ import annotations

import email.parser
import email.policy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

__all__ = ["Parameters", "read_parameters"]

MULTIPART: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request.

    Attributes:
        values: by their names; the last of repeated ones.
        files: the contents of the files of a ``multipart`` body.
    """

    values: Mapping[str, str]
    files: tuple[bytes, ...] = ()


def read_parameters(query: str, body: bytes, content_type: str) -> Parameters:
    """Return the parameters of a query and a body; a body that cannot be read has none.

    Args:
        query: what follows the ``?``.
        body: the body of a POST.
        content_type: its ``Content-Type``.
    """
    values = dict(parse_qsl(query, keep_blank_values=True))
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == MULTIPART:
        return _read_multipart(values, body, content_type)
    if media_type == "application/json":
        return Parameters(values | _read_json(body))
    return Parameters(values | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))


def _read_json(body: bytes) -> dict[str, str]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in content.items()}


def _read_multipart(values: Mapping[str, str], body: bytes, content_type: str) -> Parameters:
    head = f"content-type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields, files = dict(values), []
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)  # noqa: S101 - of a part that has no parts
        if part.get_filename() is None:
            fields[str(part.get_param("name", header="content-disposition"))] = content.decode()
        else:
            files.append(content)
    return Parameters(fields, tuple(files))
