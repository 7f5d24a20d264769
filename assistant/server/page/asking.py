"""A sent form → a request; an asked service → the events of its answer."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from string import ascii_uppercase
from threading import Event as Flag
from typing import Literal
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool

from assistant.engine import Cancelled
from assistant.errors import AssistantError, BadRequest
from assistant.records import Answer, Request, Stage
from assistant.server.notes_follower import IndexStep
from assistant.server.page.document import Form, progress
from assistant.server.service import Service

_FIELDS = 20
_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OPTION = re.compile(r"\s*(?P<label>[A-Za-z0-9]{1,3})[).:]\s+(?P<text>\S.*)")


@dataclass(frozen=True, slots=True)
class Event:
    """Something of an answer that is under way."""

    name: Literal["indexing", "found", "read", "answered", "error"]
    progress: str = ""
    """What is done to the index, in words."""
    answer: Answer | None = None
    error: AssistantError | None = None


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


async def events(service: Service, request: Request) -> AsyncIterator[Event]:
    """What happens until the answer or the error, which comes last. Closed early, the question is taken back."""
    loop, queue, stop = asyncio.get_running_loop(), asyncio.Queue[Event | None](), Flag()

    def put(event: Event | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(queue.put_nowait, event)

    def reached(stage: Stage) -> None:
        put(Event(stage))

    def indexing(step: IndexStep) -> None:
        put(Event("indexing", progress=progress(step)))

    def ask() -> None:
        try:
            put(Event("answered", answer=service.ask(request, stopped=stop.is_set, reached=reached, indexing=indexing)))
        except AssistantError as error:
            put(Event("error", error=error))
        except Cancelled:
            pass
        finally:
            put(None)

    asking = asyncio.ensure_future(run_in_threadpool(ask))
    try:
        while (event := await queue.get()) is not None:
            yield event
        await asking
    finally:
        stop.set()


def encoded(name: str, data: Mapping[str, object]) -> bytes:
    """An event as it is sent."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
