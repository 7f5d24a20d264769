"""MCP over HTTP: the SDK's client against uvicorn, and a service with hashed words for vectors."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import anyio
import pytest
from mcp import MCPError, types

from assistant.records import Request, Stage
from assistant.server.service import Service
from tests.asking import APPLE, FRUIT, NOTE, asking, write_notes
from tests.mcp_serving import Session, over_http, text, uvicorn_server
from tests.waiting import PATIENCE, until


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write_notes(tmp_path / "notes")


@pytest.fixture
def service(notes: Path, tmp_path: Path, prepared: Path) -> Iterator[Service]:
    """One question is answered at once, and one waits."""
    made = Service(lambda models: asking(notes, tmp_path / "index"), None, engines=1, waiting=1)
    made.start()
    until(lambda: bool(made._indexed))  # news are told of what comes after the first look
    yield made
    made.close()


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    with uvicorn_server(service) as made:
        yield made


@pytest.fixture(params=["legacy", "auto"])
def session(address: str, request: pytest.FixtureRequest) -> Iterator[Session]:
    with over_http(address, request.param) as made:
        yield made


def test_all_that_is_served(session: Session) -> None:
    client = session.client
    assert session.record("ask", question=APPLE)["citations"][0]["start_line"] == 5
    assert session.record("search", query=APPLE)["passages"][0]["path"] == "fruit.md"
    assert session.record("read", citation="fruit.md:5")["total"] == 9
    assert session.record("topics")["total"] > 1
    assert session.record("changes")["notes"] == 2
    listed = session.run(client.list_resources).resources
    assert [one.uri for one in listed] == ["notes://fruit.md", "notes://release.md"]
    (contents,) = session.run(lambda: client.read_resource("notes://fruit.md")).contents
    assert isinstance(contents, types.TextResourceContents)
    assert contents.text == FRUIT
    assert session.run(client.list_prompts).prompts[0].name == "answer_from_notes"
    assert session.call("ask", question=5).is_error
    with pytest.raises(MCPError):
        session.call("write")
    resources = client.server_capabilities.resources
    assert resources is not None
    assert resources.list_changed


def test_two_clients_at_once(address: str) -> None:
    with over_http(address) as one, over_http(address, "legacy") as other, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda session: session.record("ask", question=APPLE), (one, other)))
    assert answers[0]["citations"] == answers[1]["citations"]


def test_a_cancelled_question_gives_its_place_back(session: Session, service: Service) -> None:
    go = Event()

    def hold(stage: Stage) -> None:
        go.wait(PATIENCE)

    async def ask_and_leave() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(session.client.call_tool, "ask", {"question": APPLE})
            while service._room._value:
                await anyio.sleep(0.02)
            group.cancel_scope.cancel()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(service.ask, Request(APPLE), reached=hold)
        until(lambda: service._room._value == 1)
        session.run(ask_and_leave)
        until(lambda: service._room._value == 1)
        go.set()
        assert held.result(PATIENCE).citations
    assert session.record("ask", question=APPLE)["citations"]


def test_one_question_too_many_is_told_to_come_again(session: Session, service: Service) -> None:
    go = Event()

    def hold(stage: Stage) -> None:
        go.wait(PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(service.ask, Request(APPLE), reached=hold) for _ in range(2)]
        until(lambda: service._room._value == 0)
        result = session.call("ask", question=APPLE)
        go.set()
        assert all(one.result(PATIENCE).citations for one in held)
    assert result.is_error
    assert "Ask again in a moment." in text(result)


@pytest.mark.filterwarnings("ignore:resources/.*subscribe is removed")  # by the protocol of 2026; this is that of 2025
def test_news_of_notes_reach_a_client_by_handshake(address: str, notes: Path) -> None:
    with over_http(address, "legacy") as session:
        client = session.client
        session.run(lambda: client.session.subscribe_resource("notes://fruit.md"))
        (notes / "quince.md").write_text("# Quince\n\nA quince keeps for three months.\n", "utf-8")
        until(lambda: any(isinstance(one, types.ResourceListChangedNotification) for one in session.told))
        (notes / "release.md").write_text(NOTE + "\nMore.\n", "utf-8")
        (notes / "fruit.md").write_text(FRUIT + "\nMore.\n", "utf-8")
        until(lambda: any(isinstance(one, types.ResourceUpdatedNotification) for one in session.told))
        updated = {one.params.uri for one in session.told if isinstance(one, types.ResourceUpdatedNotification)}
        assert updated == {"notes://fruit.md"}
        session.run(lambda: client.session.unsubscribe_resource("notes://fruit.md"))


def test_news_of_notes_reach_a_client_that_listens(address: str, notes: Path) -> None:
    async def heard(session: Session) -> set[str]:
        kinds: set[str] = set()
        watched = ["notes://fruit.md"]
        async with session.client.listen(resources_list_changed=True, resource_subscriptions=watched) as stream:
            (notes / "quince.md").write_text("# Quince\n\nA quince keeps for three months.\n", "utf-8")
            (notes / "fruit.md").write_text(FRUIT + "\nMore.\n", "utf-8")
            with anyio.fail_after(PATIENCE):
                async for event in stream:
                    kinds.add(type(event).__name__)
                    if len(kinds) == 2:
                        break
        return kinds

    with over_http(address) as session:
        assert session.run(lambda: heard(session)) == {"ResourcesListChanged", "ResourceUpdated"}


def test_a_folder_that_disappears(session: Session, notes: Path) -> None:
    notes.rename(notes.with_name("away"))
    try:
        result = session.call("search", query=APPLE)
        assert result.is_error
        assert "--notes" in text(result)
    finally:
        notes.with_name("away").rename(notes)
    assert session.record("ask", question=APPLE)["citations"]


def test_a_service_outlives_its_server(service: Service) -> None:
    """And hears no more of it."""
    with uvicorn_server(service) as address:
        assert len(service.on_change) == 1
        with over_http(address, "legacy") as session:
            session.record("ask", question=APPLE)
    assert service.on_change == []
    assert service.ask(Request(APPLE)).citations


def test_a_server_stops_while_a_client_listens(service: Service) -> None:
    listening, ended = Event(), Event()

    async def listen(session: Session) -> None:
        async with session.client.listen(resources_list_changed=True) as stream:
            listening.set()
            async for _ in stream:
                pass
            ended.set()

    with ThreadPoolExecutor(1) as pool, ExitStack() as clients:
        with uvicorn_server(service) as address:
            session = clients.enter_context(over_http(address))
            done = pool.submit(session.run, lambda: listen(session))
            assert listening.wait(PATIENCE)
        done.result(PATIENCE)
        assert ended.is_set()
