"""A sent form → a request."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from string import ascii_uppercase
from urllib.parse import parse_qs

from assistant.errors import BadRequest
from assistant.records import Request
from assistant.server.page.document import Form

_FIELDS = 20
_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OPTION = re.compile(r"\s*(?P<label>[A-Za-z0-9]{1,3})[).:]\s+(?P<text>\S.*)")


def form_of(body: bytes) -> Form:
    """The fields of a form as a browser sends it; BadRequest. A conversation without a name gets a random one."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise BadRequest("The form cannot be read.", "Send its fields as the page does, in UTF-8.") from error
    texts: Mapping[str, str] = {name: values[-1].strip() for name, values in fields.items()}
    conversation = texts.get("conversation", "")
    return Form(
        texts.get("question", ""),
        conversation if _CONVERSATION.fullmatch(conversation) else secrets.token_urlsafe(12),
        texts.get("under", ""),
        texts.get("tag", ""),
        texts.get("language", ""),
        texts.get("options", ""),
        "code" in texts,
    )


def request_of(form: Form) -> Request:
    """The request that a form stands for."""
    return Request(
        form.question,
        conversation=form.conversation,
        options=_options(form.options) or None,
        code=form.code,
        language=form.language or None,
        under=form.under or None,
        tag=form.tag or None,
    )


def _options(text: str) -> dict[str, str]:
    """One a line; those without a label such as `A)` are lettered."""
    options = dict[str, str]()
    for line in filter(str.strip, text.splitlines()):
        match = _OPTION.match(line)
        free = next((letter for letter in ascii_uppercase if letter not in options), str(len(options) + 1))
        options[match["label"] if match else free] = match["text"].strip() if match else line.strip()
    return options


def encoded(name: str, data: Mapping[str, object]) -> bytes:
    """An event as it is sent."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
