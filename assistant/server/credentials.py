"""Who may ask: the token in a header, or a cookie derived from it."""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Literal

from starlette.datastructures import Headers

COOKIE = "assistant_session"


class Credentials:
    """Compares in constant time. The cookie's value is an HMAC of the token under a key of this process: it tells
    nothing of the token, and ends with the process."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._value = hmac.new(secrets.token_bytes(32), self._token, "sha256").hexdigest()

    @property
    def demanded(self) -> bool:
        """Whether there is a token at all."""
        return bool(self._token)

    @property
    def cookie(self) -> str:
        """The value of the cookie that stands for the token."""
        return self._value

    def is_token(self, text: str) -> bool:
        """Whether this is the token."""
        return self.demanded and hmac.compare_digest(text.encode("utf-8", "replace"), self._token)

    def shown(self, headers: Headers) -> Literal["header", "cookie", ""]:
        """Where the right credential stands; "" where there is none. A wrong header is not mended by a cookie."""
        authorizations = headers.getlist("authorization")
        if authorizations:
            scheme, _, token = authorizations[0].partition(" ")
            right = self.is_token(token.strip()) and scheme.lower() == "bearer"
            return "header" if right and len(authorizations) == 1 else ""
        for value in _cookies(headers):
            if hmac.compare_digest(value.encode("utf-8", "replace"), self._value.encode()):
                return "cookie"
        return ""


def _cookies(headers: Headers) -> list[str]:
    found = []
    for header in headers.getlist("cookie"):
        try:
            cookies = SimpleCookie(header)
        except CookieError:
            continue
        if COOKIE in cookies:
            found.append(cookies[COOKIE].value)
    return found
