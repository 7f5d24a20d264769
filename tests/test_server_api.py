"""The HTTP API over real sockets: its records, its errors, its stream of stages, and its document."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from assistant.records import Answer, Request, Stage
from assistant.rendering.answer_json import answer_json
from assistant.rendering.search_json import search_json
from assistant.server import events as events_module
from assistant.server.config import ServerConfig
from assistant.server.note_path import NOTE as NOTE_PATH
from assistant.server.notes_follower import IndexStep
from assistant.server.openapi import document
from assistant.server.service import Service
from assistant.server.web_app import create_app
from tests.asking import APPLE, FRUIT, NOTE, asking, write_notes
from tests.serving import JSON, Serving, serving
from tests.test_render import ANSWERS
from tests.waiting import PATIENCE, until

EVENTS = {**JSON, "Accept": "text/event-stream"}
WITHOUT = ("elapsed_ms", "index")
"""Fields that may differ between two answers."""


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api") / "notes"
    (folder / "more").mkdir(parents=True)
    (folder / "fruit.md").write_text(FRUIT, "utf-8")
    (folder / "more" / "release notes.md").write_text(NOTE, "utf-8")
    (folder / "empty.md").write_text("", "utf-8")
    return folder


@pytest.fixture(scope="module")
def service(notes: Path, prepared: Path) -> Iterator[Service]:
    made = Service(lambda models: asking(notes, notes.parent / "index"), None, engines=2, waiting=2)
    made.start()
    made.ask(Request(APPLE))
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(service: Service) -> Iterator[Serving]:
    with serving(service) as made:
        yield made


def same(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in WITHOUT}


def events(body: bytes) -> list[tuple[str, Any]]:
    """(event, data) of a stream; comments are left out."""
    found = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_ask_gives_the_record_of_the_command(
    server: Serving, service: Service, valid: Callable[[str], dict[str, Any]]
) -> None:
    reply = server.ask("POST", "/api/v1/ask", {"question": APPLE, "id": "a", "limit": 1})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    record = valid(reply.body.decode())
    assert same(record) == same(json.loads(answer_json(service.ask(Request(APPLE, id="a", limit=1)))))
    assert record["citations"][0]["path"] == "fruit.md"


def test_every_field_of_a_request_reaches_the_engine(server: Serving) -> None:
    options = {"A": "a cool cellar", "B": "a warm oven"}
    reply = server.ask("POST", "/api/v1/ask", {"question": "Where does an apple keep?", "options": options})
    assert [one["label"] for one in reply.record["options"]] == ["A", "B"]
    first = {"question": "What is the Apple?", "conversation": "one", "under": "Fruit", "explain": True}
    assert server.ask("POST", "/api/v1/ask", first).record["explain"]
    then = server.ask("POST", "/api/v1/ask", {"question": "How long does it keep?", "conversation": "one"}).record
    assert "Apple" in then["standalone_question"]
    code = server.ask("POST", "/api/v1/ask", {"question": "rollout", "code": True, "language": "yaml"}).record
    assert [one["language"] for one in code["snippets"]] == ["yaml"]


def test_search_gives_the_record_of_the_command(server: Serving, service: Service) -> None:
    reply = server.ask("POST", "/api/v1/search", {"query": "rolled back", "limit": 2, "under": "Going back"})
    wanted = service.search(Request("rolled back", under="Going back"), 2)
    assert same(reply.record) == same(json.loads(search_json(wanted)))
    assert len(reply.record["passages"]) == 2


def test_notes_are_listed_and_read(server: Serving) -> None:
    assert server.ask("GET", "/api/v1/notes").record == {"notes": ["empty.md", "fruit.md", "more/release notes.md"]}
    whole = server.ask("GET", "/api/v1/notes/fruit.md").record
    assert whole["lines"] == FRUIT.splitlines()
    assert (whole["path"], whole["start"], whole["end"], len(whole["digest"])) == ("fruit.md", 1, 9, 64)
    part = server.ask("GET", "/api/v1/notes/more/release%20notes.md?start=3&end=5").record
    assert (part["start"], part["end"], part["lines"]) == (3, 5, NOTE.splitlines()[2:5])
    assert server.ask("GET", "/api/v1/notes/fruit.md?start=9&end=999").record["end"] == 9
    assert server.ask("GET", "/api/v1/notes/empty.md").record["lines"] == []


@pytest.mark.parametrize("query", ["start=0", "start=10", "start=5&end=4", "start=x", "end=-1", "start=1&start=2"])
def test_a_range_without_lines_is_refused(server: Serving, query: str) -> None:
    reply = server.ask("GET", f"/api/v1/notes/fruit.md?{query}")
    assert (reply.status, reply.error) == (400, "bad_request")


def test_topics_and_health(server: Serving, service: Service) -> None:
    topics = server.ask("GET", "/api/v1/topics").record["topics"]
    assert [one["name"] for one in topics] == [topic.name for topic in service.topics()]
    assert {"name", "path", "line", "heading_path", "kind"} == set(topics[0])
    assert server.ask("GET", "/api/v1/health").record["status"] == "ok"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "JSON"),
        (b"[1]", "object"),
        (b'{"question": "\xff"}', "UTF-8"),
        (b"[" * 60000, "JSON"),
        ({}, "question"),
        ({"question": 1}, "question"),
        ({"question": None}, "question"),
        ({"question": "a", "limit": 9}, "limit"),
        ({"question": "a", "limit": True}, "limit"),
        ({"question": "a", "limit": 1.5}, "limit"),
        ({"question": "a", "code": "yes"}, "code"),
        ({"question": "a", "options": ["x"]}, "options"),
        ({"question": "a", "options": {"A": 1}}, "options"),
        ({"question": "a", "conversation": 1}, "conversation"),
        ({"question": "a", "conversation": "a" * 201}, "conversation"),
        ({"question": "a", "colour": "red"}, "colour"),
        ({"question": "apple", "under": "Nowhere"}, "Nowhere"),
    ],
)
def test_a_bad_body_is_told_which_field_is_wrong(server: Serving, body: object, named: str) -> None:
    reply = server.ask("POST", "/api/v1/ask", body)
    assert (reply.status, reply.error) == (400, "bad_request")
    assert named in reply.record["error"]["message"]
    assert reply.record["error"]["hint"]


def test_nothing_asked_is_an_empty_question(server: Serving) -> None:
    for path, body in (("ask", {"question": " \n"}), ("search", {"query": "\u0007"})):
        reply = server.ask("POST", f"/api/v1/{path}", body)
        assert (reply.status, reply.error) == (400, "empty_question")


def test_the_stages_come_as_events(server: Serving) -> None:
    reply = server.ask("POST", "/api/v1/ask", {"question": APPLE}, EVENTS)
    assert reply.headers["content-type"].startswith("text/event-stream")
    told = events(reply.body)
    assert [event for event, _ in told] == ["found", "read", "answered"]
    assert told[-1][1]["citations"][0]["path"] == "fruit.md"


class Indexing(Service):
    """Tells of an index that is being built, as the first one's child process would."""

    def ask(self, request: Request, **how: Any) -> Answer:
        for done in (1, 1, 2):
            how["indexing"](IndexStep("Embedding passages", done, 2))
        return super().ask(request, **how)


def test_an_index_that_is_being_built_is_told_of_once_a_step(notes: Path, service: Service) -> None:
    indexing = Indexing(lambda models: asking(notes, notes.parent / "index"), None, engines=1)
    with serving(indexing) as server:
        told = events(server.ask("POST", "/api/v1/ask", {"question": APPLE}, EVENTS).body)
    indexing.close()
    assert [event for event, _ in told] == ["indexing", "indexing", "found", "read", "answered"]
    assert [data for event, data in told if event == "indexing"] == [
        {"action": "Embedding passages", "done": done, "total": 2} for done in (1, 2)
    ]


def test_what_goes_wrong_at_once_has_its_own_status(server: Serving) -> None:
    reply = server.ask("POST", "/api/v1/ask", {"question": " "}, EVENTS)
    assert (reply.status, reply.error) == (400, "empty_question")


def test_missing_notes_are_the_servers_to_mend(tmp_path: Path, prepared: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "fruit.md").write_text(FRUIT, "utf-8")
    service = Service(lambda models: asking(folder, tmp_path / "index"), None, engines=1)
    try:
        with serving(service) as server:
            assert server.ask("POST", "/api/v1/ask", {"question": APPLE}).status == 200
            (folder / "fruit.md").rename(tmp_path / "fruit.md")
            folder.rmdir()
            reply = server.ask("POST", "/api/v1/ask", {"question": APPLE})
            assert (reply.status, reply.error) == (503, "no_notes")
            assert server.ask("GET", "/api/v1/health").record["status"] == "failing"
            assert server.ask("GET", "/api/v1/notes/fruit.md").error == "no_notes"
            folder.mkdir()
            (tmp_path / "fruit.md").rename(folder / "fruit.md")
            assert server.ask("POST", "/api/v1/ask", {"question": APPLE}).status == 200
    finally:
        service.close()


class Holding(Service):
    """Holds each question where it has found something, until it may go on."""

    def __init__(self, notes: Path) -> None:
        super().__init__(lambda models: asking(notes, notes.parent / "index"), None, engines=1, waiting=1)
        self.go, self.held, self.stops = Event(), Event(), 0

    def ask(self, request: Request, **how: Any) -> Answer:
        told, stopped = how.pop("reached", lambda stage: None), how["stopped"]

        def reached(stage: Stage) -> None:
            told(stage)
            self.held.set()
            while not self.go.wait(0.02):
                if stopped():
                    self.stops += 1
                    return

        return super().ask(request, reached=reached, **how)


@pytest.fixture
def holding(notes: Path, service: Service) -> Iterator[Holding]:
    made = Holding(notes)
    yield made
    made.go.set()
    made.close()


def test_one_too_many_is_told_when_to_ask_again(holding: Holding) -> None:
    with serving(holding) as server, ThreadPoolExecutor(2) as pool:
        kinds = (JSON, EVENTS)
        held = [pool.submit(server.ask, "POST", "/api/v1/ask", {"question": APPLE}, kind) for kind in kinds]
        until(lambda: holding._room._value == 0)
        for kind in kinds:
            reply = server.ask("POST", "/api/v1/ask", {"question": APPLE}, kind)
            assert (reply.status, reply.error, reply.headers["retry-after"]) == (503, "overloaded", "1")
        assert server.ask("GET", "/api/v1/health").status == 200
        holding.go.set()
        assert [one.result(PATIENCE).status for one in held] == [200, 200]
        assert server.ask("POST", "/api/v1/ask", {"question": APPLE}).status == 200


def test_a_stream_without_news_shows_that_it_lives(holding: Holding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "HEARTBEAT_SECONDS", 0.05)
    with serving(holding) as server, ThreadPoolExecutor(1) as pool:
        held = pool.submit(server.ask, "POST", "/api/v1/ask", {"question": APPLE}, EVENTS)
        assert holding.held.wait(PATIENCE)
        time.sleep(0.5)
        holding.go.set()
        reply = held.result(PATIENCE)
    assert b"\n\n: still here\n\n" in reply.body
    assert [event for event, _ in events(reply.body)] == ["found", "read", "answered"]


@pytest.mark.parametrize("kind", [JSON, EVENTS])
def test_a_client_that_goes_takes_its_question_back(holding: Holding, kind: dict[str, str]) -> None:
    with serving(holding) as server:
        body = json.dumps({"question": APPLE}).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in kind.items())
        raw = f"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(raw + body)
            assert holding.held.wait(PATIENCE)
        until(lambda: holding.stops == 1)
        holding.go.set()
        assert server.ask("POST", "/api/v1/ask", {"question": APPLE}).status == 200


class Breaking(Service):
    """Fails as a mistake in the program would."""

    def ask(self, request: Request, **how: Any) -> Answer:
        raise RuntimeError(request.question)


@pytest.mark.parametrize("kind", [JSON, EVENTS])
def test_a_mistake_in_the_program_tells_nothing_of_it(
    notes: Path, service: Service, kind: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    breaking = Breaking(lambda models: asking(notes, notes.parent / "index"), None, engines=1)
    with serving(breaking) as server, caplog.at_level(logging.INFO):
        reply = server.ask("POST", "/api/v1/ask", {"question": "a secret"}, kind)
    breaking.close()
    assert (reply.status, reply.error) == (500, "internal")
    assert b"Traceback" not in reply.body
    assert b"secret" not in reply.body
    assert "secret" not in caplog.text
    assert "RuntimeError" in caplog.text


def test_questions_are_logged_only_when_asked_to(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    question = {"question": "How long does an apple keep?"}
    with caplog.at_level(logging.INFO, "assistant.server"):
        with serving(service) as server:
            server.ask("POST", "/api/v1/ask?question=apple", question)
            server.ask("POST", "/api/v1/search", {"query": "apple"})
        assert "POST /api/v1/ask 200" in caplog.text
        assert "apple" not in caplog.text
        with serving(service, ServerConfig(log_questions=True)) as server:
            server.ask("POST", "/api/v1/ask", question)
        assert "How long does an apple keep?" in caplog.text


def test_the_document_names_every_route_and_every_record_fits(server: Serving, service: Service) -> None:
    told = server.ask("GET", "/api/v1/openapi.json").record
    app = create_app(service, ServerConfig())
    routes = {
        (route.path.replace(NOTE_PATH, "{path}"), method.lower())
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith("/api/v1/")
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert {(path, method) for path, operations in told["paths"].items() for method in operations} == routes
    got = {
        "Answer": server.ask("POST", "/api/v1/ask", {"question": APPLE, "explain": True}),
        "SearchResult": server.ask("POST", "/api/v1/search", {"query": "apple"}),
        "NoteList": server.ask("GET", "/api/v1/notes"),
        "NoteLines": server.ask("GET", "/api/v1/notes/fruit.md"),
        "TopicList": server.ask("GET", "/api/v1/topics"),
        "Health": server.ask("GET", "/api/v1/health"),
        "Error": server.ask("POST", "/api/v1/ask", {"question": ""}),
    }
    for name, reply in got.items():
        validator(told, name).validate(reply.record)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_document_accepts_what_the_answers_schema_accepts(name: str, schema: Draft202012Validator) -> None:
    record = json.loads(answer_json(ANSWERS[name]))
    schema.validate(record)
    validator(document(), "Answer").validate(record)


def test_the_document_has_the_fields_of_the_answers_schema(schema: Draft202012Validator) -> None:
    assert isinstance(schema.schema, dict)
    wanted = schema.schema["$defs"]["answer"]
    made = document()["components"]["schemas"]["Answer"]
    assert set(made["properties"]) == set(wanted["properties"])
    assert set(made["required"]) == set(wanted["required"])
    assert validator(document(), "Answer").is_valid({"question": "a"}) is False


def validator(told: dict[str, Any], name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": told["components"]})


def test_the_page_of_the_api_shows_paths_and_fields(server: Serving) -> None:
    reply = server.ask("GET", "/api")
    assert reply.headers["content-type"].startswith("text/html")
    text = reply.body.decode()
    for path in document()["paths"]:
        assert f" {path}</code>" in text
    for name in document()["components"]["schemas"]:
        assert f'id="{name}"' in text
        assert f"Fields of {name}<" in text
    assert "<script" not in text
    assert server.ask("GET", "/api.css").headers["content-type"].startswith("text/css")


def test_the_command_is_listed_without_loading_the_server() -> None:
    program = (
        "import sys, assistant.cli.app, assistant.cli.serve, assistant.server.service;"
        "print([name for name in ('starlette', 'uvicorn', 'mcp', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_note_whose_name_has_a_line_break_is_read(prepared: Path, tmp_path: Path) -> None:
    notes = write_notes(tmp_path / "notes")
    (notes / "new\nline.md").write_text("# Broken\n", "utf-8")
    service = Service(lambda models: asking(notes, tmp_path / "index"), None, engines=1)
    service.start()
    try:
        with serving(service, ServerConfig()) as server:
            assert server.ask("GET", "/api/v1/notes/new%0Aline.md").record["lines"] == ["# Broken"]
            assert server.ask("GET", "/notes/new%0Aline.md").status == 200
    finally:
        service.close()
