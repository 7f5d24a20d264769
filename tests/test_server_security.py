"""No request gets more than it may: every way of `tests/security_table.py`, and what it leaves in the log."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import BadRequest
from assistant.server import run
from assistant.server.config import AllowedHosts, ServerConfig, checked
from assistant.server.guard import HEADERS
from tests.security_table import TOKEN, TRIES, Try, logged_in, status_of, table, targets
from tests.serving import Serving
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[dict[str, Serving]]:
    with targets(tmp_path_factory.mktemp("security")) as found:
        yield found


@pytest.fixture(scope="module")
def cookies(servers: dict[str, Serving]) -> dict[str, str]:
    return {name: "" if name == "open" else logged_in(server) for name, server in servers.items()}


@pytest.mark.parametrize("one", TRIES, ids=lambda one: one.name)
def test_a_try_gets_its_status_and_nothing_else(
    one: Try, servers: dict[str, Serving], cookies: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    server = servers[one.server]
    with caplog.at_level(logging.DEBUG):
        response = server.send(one.bytes(server.port, cookies[one.server]))
    assert status_of(response) == one.status, response
    text = response.decode("utf-8", "replace").lower()
    assert [word for word in one.absent if word.lower() in text] == []
    assert [word for word in one.present if word.lower() not in text] == []
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("assistant"))
    assert TOKEN not in logged
    assert cookies["token"] not in logged
    assert "\nSet-Cookie" not in logged


def test_there_are_enough_ways_and_each_has_a_name_of_its_own() -> None:
    assert len({one.name for one in TRIES}) == len(TRIES) >= 60


def test_the_committed_table_is_of_these_ways() -> None:
    text = (ROOT / "scripts" / "security_table.txt").read_text("utf-8")
    assert text.endswith(table({one.name: one.status for one in TRIES}))
    page = (ROOT / "assistant" / "docs" / "server.md").read_text("utf-8")
    assert f"has {len(TRIES)} ways to break in" in page


@pytest.mark.parametrize("path", ["/api", "/api/v1/notes", "/nowhere", "/api/v1/ask"])
def test_every_response_has_the_headers_that_hold_a_browser_back(servers: dict[str, Serving], path: str) -> None:
    reply = servers["open"].ask("GET", path)
    assert {name: reply.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["content-security-policy"]
    assert "server" not in reply.headers
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("before", "head"),
    [(b"", b""), (b"", b"GET / HTTP/1.1\r\nHost: local"), (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET")],
)
def test_a_head_that_does_not_come_ends_the_connection(
    before: bytes, head: bytes, servers: dict[str, Serving], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the second one of a connection."""
    monkeypatch.setattr(run, "HEAD_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", servers["open"].port), timeout=PATIENCE) as connection:
        connection.sendall(before)
        reply = b""
        while before and not reply.rstrip().endswith(b"}}"):  # it may come in parts
            reply += connection.recv(65536)
        assert not before or reply.startswith(b"HTTP/1.1 421")
        connection.sendall(head)
        assert connection.recv(65536) == b""


def test_the_cookie_ends_when_it_is_forgotten(servers: dict[str, Serving], cookies: dict[str, str]) -> None:
    server = servers["token"]
    headers = {"Cookie": f"assistant_session={cookies['token']}", "Origin": f"http://127.0.0.1:{server.port}"}
    reply = server.ask("POST", "/logout", None, headers)
    assert reply.status == 303
    assert "max-age=0" in reply.headers["set-cookie"].lower()


def test_two_servers_with_one_token_have_different_cookies(cookies: dict[str, str]) -> None:
    assert cookies["token"] != cookies["named"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "nowhere.invalid", ""])
def test_an_address_that_others_reach_demands_a_token(host: str) -> None:
    with pytest.raises(BadRequest, match="ASSISTANT_TOKEN"):
        checked(ServerConfig(host))
    assert checked(ServerConfig(host, token=TOKEN)).token == TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_demands_none_and_takes_one(host: str) -> None:
    assert checked(ServerConfig(host)).token == ""
    assert TOKEN not in repr(checked(ServerConfig(host, token=TOKEN)))


@pytest.mark.parametrize(
    "config",
    [
        ServerConfig(origins=("*",)),
        ServerConfig(origins=("null",)),
        ServerConfig(origins=("https://app.example/path",)),
        ServerConfig(hosts=("*",)),
        ServerConfig(hosts=("http://notes.example",)),
        ServerConfig(token="with a blank"),
    ],
)
def test_what_cannot_be_meant_is_refused(config: ServerConfig) -> None:
    with pytest.raises(BadRequest):
        checked(config)


def test_an_open_address_answers_to_addresses_and_to_no_other_name() -> None:
    hosts = AllowedHosts(ServerConfig("0.0.0.0", token=TOKEN, hosts=("notes.example",)))
    assert all(map(hosts.allow, ("192.0.2.7:8765", "[2001:db8::1]", "localhost", "Notes.Example:443")))
    assert not any(map(hosts.allow, ("evil.example", "", "notes.example.evil", "[::1", "a b", "localhost:123456")))
