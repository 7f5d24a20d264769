"""The form in which a browser, which sends no bearer token by itself, is given the token once."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from assistant.server.credentials import COOKIE, Credentials

PATH = "/login"
_PROGRAMS = ("/api/v1/", "/mcp")
"""Paths that programs call: they get an error object instead of the form."""
_FORM = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Log in – notes-assistant</title>
</head>
<body>
<main>
<h1>Log in</h1>
{trouble}<form method="post" action="/login">
<p><label for="token">Token of the server</label></p>
<p><input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p>
<p><button type="submit">Log in</button></p>
</form>
</main>
</body>
</html>
"""
_WRONG = '<p role="alert">That is not the token with which the server was started.</p>\n'


def is_shown_at(path: str, accept: str) -> bool:
    """Whether the form stands in the place of what a GET of this path asks for; `accept` is its Accept header."""
    return path in ("/", "/api") or ("text/html" in accept and not path.startswith(_PROGRAMS))


def form(status: int, *, wrong: bool = False) -> Response:
    """The form, with a line on top where a wrong token was sent."""
    response = HTMLResponse(_FORM.format(trouble=_WRONG if wrong else ""), status)
    response.headers["www-authenticate"] = "Bearer"
    return response


def login_routes(credentials: Credentials) -> list[BaseRoute]:
    """What takes the form, and what forgets the cookie."""

    async def log_in(request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        tokens = parse_qs(body, max_num_fields=4).get("token", [""])
        if credentials.demanded and not credentials.is_token(tokens[0].strip()):
            return form(401, wrong=True)
        response = RedirectResponse("/", 303)
        if credentials.demanded:
            secure = request.headers.get("origin", "").startswith("https:")
            response.set_cookie(COOKIE, credentials.cookie, path="/", httponly=True, samesite="strict", secure=secure)
        return response

    async def log_out(request: Request) -> Response:
        response = RedirectResponse("/", 303)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response

    return [Route(PATH, log_in, methods=["POST"]), Route("/logout", log_out, methods=["POST"])]
