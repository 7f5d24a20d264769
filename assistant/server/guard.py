"""What every request passes: host, origin, token and size are checked before a route sees it, and every response gets
the headers that keep browsers from doing more than the page needs."""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.server import login
from assistant.server.config import AllowedHosts, ServerConfig, own_origin
from assistant.server.credentials import Credentials
from assistant.server.responses import internal, of_error, refusal

BODY = 64 * 1024
"""Bytes of a request's body at the most."""
HEAD = 32 * 1024
"""Bytes of a request's headers at the most."""
TARGET = 4096
"""Bytes of a request's path and query at the most."""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not no-referrer, under which a browser sends a form with `Origin: null`.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_READING = ("GET", "HEAD")
_CORS = {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": (
        "Accept, Authorization, Content-Type, Last-Event-ID, Mcp-Protocol-Version, Mcp-Session-Id"
    ),
    "access-control-max-age": "600",
}
_LOGGED = 200
"""Characters of a path in the log."""
_DISCARDED = 1024 * 1024
"""Bytes of a refused body that are read all the same, so that its sender gets to read the response."""
_log = logging.getLogger("assistant.server")


class Guard:
    """ASGI middleware around all routes."""

    def __init__(self, app: ASGIApp, config: ServerConfig, credentials: Credentials) -> None:
        self._app = app
        self._config = config
        self._credentials = credentials
        self._hosts = AllowedHosts(config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a refused request itself; logs every one by method, path, status and milliseconds."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            began = time.monotonic()
            sender = _Sender(send, self._named_origin(Headers(scope=scope)))
            try:
                await self._handle(scope, receive, sender)
            finally:
                path = scope["raw_path"].decode("ascii", "replace")[:_LOGGED]
                elapsed = (time.monotonic() - began) * 1000
                _log.info("%s %s %d %.0f ms", scope["method"], path, sender.status, elapsed)

    async def _handle(self, scope: Scope, receive: Receive, send: _Sender) -> None:
        headers = Headers(scope=scope)
        has_body = "content-length" in headers or "transfer-encoding" in headers
        passed: Receive | Response = self._refused(scope, headers) or receive
        if has_body and isinstance(passed, Response):
            await _discard(receive)
        elif has_body:
            passed = await self._body(headers, receive)
        if isinstance(passed, Response):
            if has_body:
                passed.headers["connection"] = "close"
            await passed(scope, receive, send)
            return
        try:
            await self._app(scope, passed, send)
        except Exception as error:
            known = internal(error)
            if send.status:
                raise  # half a response has been sent: the connection has to be cut
            await of_error(known)(scope, receive, send)

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        """The response of a request that no route may see; None where one may."""
        if len(scope["raw_path"]) + len(scope["query_string"]) > TARGET:
            return refusal("uri_too_long", f"The address has more than {TARGET} bytes.", "Send long texts in a body.")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD:
            return refusal("headers_too_large", f"The headers have more than {HEAD:,} bytes.", "Send fewer cookies.")
        if not scope["raw_path"].startswith(b"/") or "\0" in scope["path"]:
            return refusal("bad_request", "The path cannot be meant.", "A path starts with / and has no NUL.")
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.allow(hosts[0]):
            return refusal(
                "wrong_host",
                "This server is not known by that name.",
                "Call it by its address, or start it with --allow-host.",
            )
        if self._is_foreign(scope, headers):
            return refusal(
                "forbidden", "Pages of another origin may not call this server.", "Name the origin with --allow-origin."
            )
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            return Response(status_code=204 if self._named_origin(headers) else 403)
        return self._unauthorized(scope, headers)

    def _is_foreign(self, scope: Scope, headers: Headers) -> bool:
        """Whether a page of another site sends it, other than by a link that a reader follows."""
        origins = headers.getlist("origin")
        if origins:
            return not (len(origins) == 1 and (own_origin(origins[0], headers["host"]) or self._named_origin(headers)))
        if headers.get("sec-fetch-site") not in ("cross-site", "same-site"):
            return False
        link = headers.get("sec-fetch-mode") == "navigate" and scope["method"] in _READING
        return not link or scope["path"].startswith(("/api/v1/", "/mcp"))

    def _unauthorized(self, scope: Scope, headers: Headers) -> Response | None:
        if not self._credentials.demanded:
            return None
        method, path = scope["method"], scope["path"]
        if (method, path) == ("POST", login.PATH):
            if "origin" in headers:
                return None
            return refusal("forbidden", "A form is sent with its origin.", "Use the form that / shows.")
        shown = self._credentials.shown(headers)
        if shown == "header":
            return None
        if shown == "cookie":
            if method in _READING or own_origin(headers.get("origin", ""), headers["host"]):
                return None
            return refusal(
                "forbidden", "A cookie is not enough without the page's origin.", "Send the token in a header."
            )
        if method in _READING and login.is_shown_at(path, headers.get("accept", "")):
            return login.form(401)
        return refusal(
            "unauthorized",
            "The token is missing or wrong.",
            "Send the header `Authorization: Bearer TOKEN`.",
            www_authenticate="Bearer",
        )

    def _named_origin(self, headers: Headers) -> str:
        """The request's origin if it was named at the start, else ""."""
        origin = headers.get("origin", "")
        return origin if origin.lower() in self._config.origins else ""

    async def _body(self, headers: Headers, receive: Receive) -> Receive | Response:
        """What hands the whole body to a route; a refusal of one that is too long or too slow."""
        too_large = refusal("too_large", f"The body has more than {BODY:,} bytes.", "Send a shorter question.")
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:12]) > BODY:
            await _discard(receive)
            return too_large
        body = b""
        try:
            async with asyncio.timeout(self._config.body_seconds):
                while True:
                    message = await receive()
                    body += message.get("body", b"")
                    ended = message["type"] != "http.request" or not message.get("more_body")
                    if len(body) > BODY:
                        break
                    if ended:
                        return _replay(body, receive)
        except TimeoutError:
            return refusal("request_timeout", "The body did not arrive in time.", "Send the request again.")
        if not ended:
            await _discard(receive)
        return too_large


class _Sender:
    """Sends with the headers that every response has, and remembers the status."""

    def __init__(self, send: Send, origin: str) -> None:
        """`origin`: the named one whose page may read the response, else ""."""
        self._send = send
        self._origin = origin
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """As the server's own."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers.setdefault("cache-control", "no-store")
            headers.add_vary_header("Origin")
            if self._origin:
                headers.update({"access-control-allow-origin": self._origin, **_CORS})
                headers["access-control-expose-headers"] = "Mcp-Session-Id, Retry-After"
        await self._send(message)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body at once, and afterwards what the server says: that the client is gone."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _discard(receive: Receive) -> None:
    """Reads on for at most a second."""
    count = 0
    try:
        async with asyncio.timeout(1.0):
            while count < _DISCARDED:
                message = await receive()
                count += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
