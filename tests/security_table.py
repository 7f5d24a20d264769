"""Ways to break into the server, each with the status that it has to get: what `tests/test_server_security.py` runs and
`scripts/security_table` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from assistant.records import Request
from assistant.server.config import ServerConfig
from assistant.server.service import Service
from tests.asking import APPLE, FRUIT, asking
from tests.serving import Serving, serving

SECRET = "the-secret-outside-the-notes"
TOKEN = "correct-horse-battery-staple-0123456789"
LIMIT = 64 * 1024
QUESTION = json.dumps({"question": APPLE, "limit": 1}).encode()
JSON = {"Content-Type": "application/json"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
OWN = {"Origin": "http://localhost:{port}"}
NAMED = {"Origin": "https://app.example"}
COOKIE = {"Cookie": "assistant_session={cookie}"}
BROWSER = {"Accept": "text/html,*/*"}
CROSS = {"Sec-Fetch-Site": "cross-site"}
EVIL = {"Origin": "https://evil.example"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Try:
    """One request; `{port}` and `{cookie}` in its headers are filled in."""

    name: str
    status: int
    """The one it has to get; 0 where the connection has to be closed without a response."""
    method: str = "GET"
    path: str = "/api/v1/notes"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    server: str = "open"
    """open: no token; token: with one; named: with one, another origin and another host name allowed."""
    host: str = "localhost:{port}"
    raw: bytes = b""
    """The whole request where it is none that a library would send."""
    absent: tuple[str, ...] = (SECRET, "Traceback", TOKEN, "root:")
    """What the response must not have, head and body."""
    present: tuple[str, ...] = ()
    """What it must have."""

    def bytes(self, port: int, cookie: str) -> bytes:
        """As it goes over the wire; asks for the connection to be closed."""
        if self.raw:
            return self.raw.replace(b"{port}", str(port).encode())
        headers = {"Host": self.host, **self.headers, "Connection": "close"}
        if self.body and not {"Content-Length", "Transfer-Encoding"} & set(headers):
            headers["Content-Length"] = str(len(self.body))
        lines = [f"{name}: {value}".format(port=port, cookie=cookie) for name, value in headers.items()]
        return "\r\n".join([f"{self.method} {self.path} HTTP/1.1", *lines, "", ""]).encode("latin-1") + self.body


def _note(name: str, path: str, status: int = 404) -> Try:
    return Try(f"note: {name}", status, path=f"/api/v1/notes/{path}")


def _post(name: str, status: int, body: bytes = QUESTION, **more: str) -> Try:
    headers = {**JSON, **{key.replace("_", "-"): value for key, value in more.items()}}
    return Try(name, status, "POST", "/api/v1/ask", headers, body)


def _raw(name: str, status: int, raw: bytes) -> Try:
    return Try(name, status, raw=raw)


_FOREIGN_CORS = ("access-control-allow-origin",)
TRIES: tuple[Try, ...] = (
    # Paths that lead out of the notes folder.
    _note("the folder above", "../secret.md"),
    _note("two folders above", "../../etc/passwd"),
    _note("the folder above, dots encoded", "%2e%2e/secret.md"),
    _note("the folder above, all encoded", "%2e%2e%2fsecret.md"),
    _note("the folder above, encoded twice", "%252e%252e%252fsecret.md"),
    _note("the folder above, encoded thrice", "%25252e%25252e%25252fsecret.md"),
    _note("the folder above, backslashes", "..\\secret.md"),
    _note("the folder above, encoded backslashes", "..%5csecret.md"),
    _note("the folder above, overlong UTF-8", "%c0%ae%c0%ae%c0%afsecret.md"),
    _note("the folder above, a slash of full width", "..%ef%bc%8fsecret.md"),
    _note("the folder above, from a note's folder", "more/../../secret.md"),
    _note("the folder above, dots and semicolon", "..;/secret.md"),
    _note("the folder above, four dots", "....//secret.md"),
    _note("an absolute path", "/etc/passwd"),
    _note("an absolute path, encoded", "%2fetc%2fpasswd"),
    _note("a path of Windows", "C:%5cWindows%5cwin.ini"),
    _note("a path of the network", "%5c%5chost%5cshare"),
    _note("an address", "file:%2f%2f%2fetc%2fpasswd"),
    _note("a link that leads out", "link.md"),
    _note("a folder that is a link that leads out", "linked/secret.md"),
    _note("a note by a roundabout path", "more/../fruit.md"),
    _note("a note with a dot before it", "./fruit.md"),
    _note("a note with a slash after it", "fruit.md/"),
    _note("a file that is no note", "plain.txt"),
    _note("a hidden file", ".hidden.md"),
    _note("the index", "../index/index.sqlite"),
    _note("no path", ""),
    _note("a NUL", "fruit.md%00", 400),
    _note("a NUL before another ending", "fruit.md%00.txt", 400),
    _note("a percent sign alone", "%"),
    _note("a path as long as is let in", "a" * 4000),
    _note("a path that is longer", "a" * 5000, 414),
    Try("a long query", 414, path="/api/v1/notes?" + "a" * 5000),
    Try("note: a link that leads out is not listed", 200, absent=("link.md", "linked")),
    Try("ask: what a link leads out to", 200, "POST", "/api/v1/ask", JSON, b'{"question": "What is Secret?"}'),
    Try("search: what a link leads out to", 200, "POST", "/api/v1/search", JSON, b'{"query": "the secret outside"}'),
    Try("topics: what a link leads out to", 200, path="/api/v1/topics", absent=("Secret", SECRET)),
    Try("a file beside the page", 404, path="/../../../../etc/passwd"),
    Try("a file beside the page, encoded", 404, path="/%2e%2e/%2e%2e/etc/passwd"),
    # Another host: DNS rebinding.
    Try("host: another name", 421, host="evil.example"),
    Try("host: another name with our port", 421, host="evil.example:{port}"),
    Try("host: ours as the start of another", 421, host="localhost.evil.example"),
    Try("host: another address", 421, host="192.0.2.7"),
    Try("host: with a user", 421, host="localhost@evil.example"),
    Try("host: two names in one", 421, host="localhost, evil.example"),
    Try("host: empty", 421, host=""),
    Try("host: a proxy's header does not count", 421, host="evil.example", headers={"X-Forwarded-Host": "localhost"}),
    _raw("host: none", 421, b"GET /api/v1/notes HTTP/1.0\r\n\r\n"),
    _raw("host: none in HTTP/1.1", 400, b"GET /api/v1/notes HTTP/1.1\r\nConnection: close\r\n\r\n"),
    _raw("host: two", 400, b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
    _raw(
        "a whole address as target", 400,
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ),
    Try("host: a name allowed for another server", 421, host="notes.example"),
    Try("host: the allowed name, no token", 401, server="named", host="notes.example"),
    Try("host: the allowed name and the token", 200, server="named", host="notes.example", headers=BEARER, absent=()),
    # Another origin.
    _post("origin: another site", 403, Origin="https://evil.example"),
    _post("origin: null, as a file or a sandboxed frame sends", 403, Origin="null"),
    _post("origin: another port of this machine", 403, Origin="http://localhost:1"),
    _post("origin: ours as the start of another", 403, Origin="http://localhost:{port}.evil.example"),
    _post("origin: a scheme of an extension", 403, Origin="chrome-extension://localhost:{port}"),
    _post("origin: empty", 403, Origin=""),
    _post("origin: ours", 200, Origin="http://localhost:{port}"),
    Try("origin: a read by another site", 403, headers=EVIL, absent=_FOREIGN_CORS),
    Try("fetch metadata: an image of another site", 403, headers={**CROSS, "Sec-Fetch-Mode": "no-cors"}),
    Try("fetch metadata: a frame of another site", 403, headers={**CROSS, "Sec-Fetch-Mode": "navigate"}),
    Try(
        "preflight: another site", 403, "OPTIONS", "/api/v1/ask",
        {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}, absent=_FOREIGN_CORS,
    ),
    Try(
        "preflight: a named origin", 204, "OPTIONS", "/api/v1/ask",
        {**NAMED, "Access-Control-Request-Method": "POST"}, server="named",
        present=("access-control-allow-origin: https://app.example",), absent=("allow-credentials", "origin: *"),
    ),
    Try("a named origin without the token", 401, headers=NAMED, server="named"),
    Try("a named origin with the token", 200, headers={**NAMED, **BEARER}, server="named", absent=("credentials",)),
    Try("a named origin with the cookie", 403, "POST", "/api/v1/ask", {**NAMED, **COOKIE, **JSON}, QUESTION, "named"),
    # Forms that another site could send without asking first.
    Try("a form instead of JSON", 415, "POST", "/api/v1/ask", FORM, b"question=apple"),
    Try("JSON that is said to be text", 415, "POST", "/api/v1/ask", {"Content-Type": "text/plain"}, QUESTION),
    Try("JSON without a type", 415, "POST", "/api/v1/ask", {}, QUESTION),
    # The token.
    Try("token: none", 401, server="token"),
    Try("token: none, for the document", 401, path="/api/v1/openapi.json", server="token"),
    Try("token: none, for MCP", 401, "POST", "/mcp", JSON, b"{}", "token"),
    Try("token: none, for the page", 401, path="/", server="token", present=("<form",)),
    Try("token: none, for a page below", 401, path="/notes", headers=BROWSER, server="token", present=("<form",)),
    Try("token: none, for the API in a browser", 401, headers=BROWSER, server="token", present=("unauthorized",)),
    Try("token: none, for a path that is not there", 401, path="/nowhere", server="token"),
    Try("token: wrong", 401, headers={"Authorization": "Bearer wrong"}, server="token"),
    Try("token: its beginning", 401, headers={"Authorization": f"Bearer {TOKEN[:-1]}"}, server="token"),
    Try("token: more than it", 401, headers={"Authorization": f"Bearer {TOKEN}x"}, server="token"),
    Try("token: another scheme", 401, headers={"Authorization": f"Basic {TOKEN}"}, server="token"),
    Try("token: in the address", 401, path=f"/api/v1/notes?token={TOKEN}", server="token"),
    Try("token: as the cookie", 401, headers={"Cookie": f"assistant_session={TOKEN}"}, server="token"),
    Try("token: letters that are no ASCII", 401, headers={"Authorization": "Bearer \xe9"}, server="token"),
    Try("token: wrong, beside the right cookie", 401, headers={**COOKIE, "Authorization": "Bearer x"}, server="token"),
    Try("token: right", 200, headers=BEARER, server="token", absent=(TOKEN,)),
    Try("cookie: right", 200, headers=COOKIE, server="token"),
    Try("cookie: another value", 401, headers={"Cookie": "assistant_session=" + "0" * 64}, server="token"),
    Try("cookie: broken", 401, headers={"Cookie": 'assistant_session="; ;=,'}, server="token"),
    Try("cookie: a question without an origin", 403, "POST", "/api/v1/ask", {**COOKIE, **JSON}, QUESTION, "token"),
    Try(
        "cookie: a question of another site", 403, "POST", "/api/v1/ask",
        {**COOKIE, **JSON, **EVIL}, QUESTION, "token",
    ),
    Try("cookie: a question of our page", 200, "POST", "/api/v1/ask", {**COOKIE, **JSON, **OWN}, QUESTION, "token"),
    Try("login: wrong token", 401, "POST", "/login", {**FORM, **OWN}, b"token=wrong", "token"),
    Try("login: from another site", 403, "POST", "/login", {**FORM, **EVIL}, b"token=x", "token"),
    Try("login: without an origin", 403, "POST", "/login", FORM, f"token={TOKEN}".encode(), "token"),
    Try(
        "login: a script for a token", 401, "POST", "/login", {**FORM, **OWN}, b"token=%3Cscript%3E", "token",
        absent=("<script",),
    ),
    Try(
        "login: right token", 303, "POST", "/login", {**FORM, **OWN}, f"token={TOKEN}".encode(), "token",
        present=("httponly", "samesite=strict"), absent=(TOKEN,),
    ),
    # Sizes.
    _post("a body over the limit", 413, b" " * (LIMIT + 1)),
    Try("a body over the limit in chunks", 413, "POST", "/api/v1/ask", {**JSON, "Transfer-Encoding": "chunked"},
        b"10001\r\n" + b" " * 0x10001 + b"\r\n0\r\n\r\n"),
    Try("a body that is announced as endless", 413, "POST", "/api/v1/ask", {**JSON, "Content-Length": "9" * 18}, b"{"),
    Try("a body that does not come", 408, "POST", "/api/v1/ask", {**JSON, "Content-Length": "100"}, b"{"),
    Try("a body with a read", 413, "GET", "/api/v1/notes", {}, b" " * (LIMIT + 1)),
    Try("headers over the limit", 431, headers={"X-Long": "a" * 100_000}),
    _post("a body that is nested deeply", 400, b"[" * 60_000),
    _post("a number of many digits", 400, b'{"question": "a", "limit": ' + b"9" * 5000 + b"}"),
    _post("a body that is not UTF-8", 400, b'{"question": "\xff\xfe"}'),
    # Requests that are none.
    _raw("no HTTP", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    _raw("a NUL in a header", 400, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\nConnection: close\r\n\r\n"),
    _raw(
        "smuggling: a length and chunks", 400,
        b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ),
    _raw("smuggling: a negative length", 400, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"),
    _raw(
        "an encoding that is not known", 400,
        b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\n",
    ),
    # Methods.
    Try("TRACE", 405, "TRACE"),
    Try("PUT on a note", 405, "PUT", "/api/v1/notes/fruit.md", JSON, b"{}"),
    Try("DELETE on a note", 405, "DELETE", "/api/v1/notes/fruit.md"),
    Try("another method by a header", 405, "POST", "/api/v1/notes/fruit.md", {"X-HTTP-Method-Override": "GET"}),
    Try("CONNECT", 400, "CONNECT", "evil.example:443"),
    Try(
        "an upgrade to a socket", 404, path="/ws",
        headers={"Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x" * 22 + "=="},
    ),
    # What is reflected.
    Try("a script in the path", 404, path="/%3Cscript%3Ealert(1)%3C/script%3E", absent=("<script",)),
    Try("a script in a note's path", 404, path="/api/v1/notes/%3Cscript%3E", present=("/json", "nosniff")),
    Try("a line break in the path", 404, path="/%0d%0aSet-Cookie:%20a=b", absent=("set-cookie",)),
    Try("a line break in a query", 400, path="/api/v1/notes/fruit.md?start=%0d%0aSet-Cookie:a", absent=("set-cookie",)),
)  # fmt: skip


@contextmanager
def targets(folder: Path) -> Iterator[dict[str, Serving]]:
    """The three servers over the same notes in a new folder, by name."""
    notes = folder / "notes"
    (notes / "more").mkdir(parents=True)
    (folder / "outside").mkdir()
    for secret in (folder / "secret.md", folder / "outside" / "secret.md"):
        secret.write_text(f"# Secret\n\n{SECRET}\n", "utf-8")
    (notes / "fruit.md").write_text(FRUIT, "utf-8")
    (notes / "more" / "pear.md").write_text("# Pear\n\nA pear is green.\n", "utf-8")
    (notes / "plain.txt").write_text(SECRET, "utf-8")
    (notes / ".hidden.md").write_text(f"# Hidden\n\n{SECRET}\n", "utf-8")
    (notes / "link.md").symlink_to(folder / "secret.md")
    (notes / "linked").symlink_to(folder / "outside")
    service = Service(lambda models: asking(notes, folder / "index"), None, engines=1)
    service.start()
    service.ask(Request(APPLE))
    configs = {
        "open": ServerConfig(body_seconds=0.5),
        "token": ServerConfig(token=TOKEN, body_seconds=0.5),
        "named": ServerConfig(token=TOKEN, origins=("https://app.example",), hosts=("notes.example",)),
    }
    try:
        with ExitStack() as stack:
            yield {name: stack.enter_context(serving(service, config)) for name, config in configs.items()}
    finally:
        service.close()


def logged_in(server: Serving) -> str:
    """The cookie's value that the form gives for the token."""
    origin = {"Origin": f"http://127.0.0.1:{server.port}"}
    reply = server.ask("POST", "/login", f"token={TOKEN}".encode(), {**FORM, **origin})
    return reply.headers["set-cookie"].partition("=")[2].partition(";")[0]


def status_of(response: bytes) -> int:
    """Of the first response; 0 for none."""
    words = response.split(b" ", 2)
    return int(words[1]) if len(words) == 3 and words[0].startswith(b"HTTP/") else 0


def table(got: Mapping[str, int]) -> str:
    """The statuses by name, one row each, with what was wanted where it differs."""
    wanted = {one.name: one.status for one in TRIES}
    rows = [
        f"{status}  {name}" + ("" if status == wanted[name] else f"  WANTED {wanted[name]}")
        for name, status in got.items()
    ]
    return "\n".join([*rows, "", f"{len(rows)} ways, {sum('WANTED' in row for row in rows)} not as wanted", ""])
