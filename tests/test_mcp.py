"""MCP on stdin and stdout: the SDK's client and the program as its child process, with the real model."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
import pytest
from jsonschema import Draft202012Validator
from mcp import MCPError, types

from assistant.errors import ModelUnusable
from assistant.exit_codes import Exit
from assistant.server import mcp_resources
from assistant.server.mcp_calls import Progress
from assistant.server.notes_follower import IndexStep
from assistant.server.service import Service
from assistant.server.starting import Starting
from tests.asking import APPLE, FRUIT, NOTE, real_engine
from tests.command import PROGRAM, Command, run
from tests.mcp_serving import Raw, Session, is_running, over_stdio, text
from tests.waiting import PATIENCE, until

ODD = "orchard/Äpfel & Birnen #1 100%? (new).md"
SECRET = "What is the combination of the wall safe behind the painting?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, corpus_index: Path, surroundings: dict[str, str]) -> Path:
    """Notes with a finished index, and what is not to be read beside them."""
    made = tmp_path_factory.mktemp("mcp")
    (made / "notes" / "orchard").mkdir(parents=True)
    (made / "notes" / "fruit.md").write_text(FRUIT, "utf-8")
    (made / "notes" / "release.md").write_text(NOTE, "utf-8")
    (made / "notes" / "long.md").write_text("# Long\n\n" + "A line.\n" * 900, "utf-8")
    (made / "notes" / "empty.md").write_text("", "utf-8")
    (made / "notes" / ODD).write_text("# Orchard\n\nA quince tree bears after five years.\n", "utf-8")
    (made / "notes" / ".hidden.md").write_text("# Hidden\n", "utf-8")
    (made / "notes" / "plain.txt").write_text("text\n", "utf-8")
    (made / "secret.md").write_text("# Secret\n", "utf-8")
    shutil.copytree(corpus_index, made / "index")
    assert Command(made, surroundings).run("index", "--quiet").returncode == 0
    return made


@pytest.fixture(scope="module", params=["legacy", "auto"])
def session(folder: Path, surroundings: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Session]:
    """By the handshake of 2025, and by the protocol of 2026."""
    words = Command(folder, surroundings).words("mcp")
    with over_stdio(words, surroundings, folder / f"{request.param}.log", request.param) as made:
        yield made


def test_what_the_server_says_of_itself(session: Session) -> None:
    info = session.client.server_info
    assert info is not None
    assert info.name == "notes-assistant"
    assert "path:line" in (session.client.instructions or "")
    resources = session.client.server_capabilities.resources
    assert resources is not None
    assert resources.list_changed
    assert resources.subscribe


def test_tools_are_described_typed_and_harmless(session: Session) -> None:
    tools = {tool.name: tool for tool in session.run(session.client.list_tools).tools}
    assert list(tools) == ["ask", "search", "read", "topics", "changes"]
    for tool in tools.values():
        assert tool.description
        assert tool.output_schema is not None
        Draft202012Validator.check_schema(tool.input_schema)
        Draft202012Validator.check_schema(tool.output_schema)
        assert tool.input_schema["type"] == tool.output_schema["type"] == "object"
        assert all(one.get("description") for one in tool.input_schema["properties"].values())
        hints = tool.annotations
        assert hints is not None
        assert (hints.read_only_hint, hints.idempotent_hint, hints.open_world_hint) == (True, True, False)
    assert set(tools["ask"].input_schema["properties"]) >= {"question", "conversation", "options", "under", "tag"}


def test_an_answer_is_that_of_the_command_as_record_and_as_text(
    session: Session, folder: Path, surroundings: dict[str, str], schema: Draft202012Validator
) -> None:
    result = session.call("ask", question=APPLE)
    record: dict[str, Any] = dict(result.structured_content)
    schema.validate(record)
    command = Command(folder, surroundings)
    printed = json.loads(command.run("ask", "--json", APPLE).stdout)
    changing = {"elapsed_ms", "index", "warnings"}
    assert {name: one for name, one in record.items() if name not in changing} == {
        name: one for name, one in printed.items() if name not in changing
    }
    shown = [" ".join(one.split()) for one in (text(result), command.run("ask", APPLE).stdout)]
    assert shown[0] == shown[1]  # but for the width
    assert "fruit.md:5" in text(result)


def test_a_dialogue_and_the_other_arguments(session: Session) -> None:
    session.call("ask", question="What is the Apple?", conversation="one")
    record = session.record("ask", question="How long does it keep?", conversation="one")
    assert "Apple" in record["standalone_question"]
    choice = session.record(
        "ask", question="What is best within a week?", options={"A": "An apple", "B": "A pear"}, under="Fruit", limit=2
    )
    assert [one["label"] for one in choice["options"]] == ["A", "B"]
    assert len(choice["citations"]) <= 2
    snippet = session.record("ask", question="a rollout", language="yaml")
    assert [one["code"] for one in snippet["snippets"]] == ["kind: Rollout"]
    assert "no heading" in text(session.call("ask", question=APPLE, under="Nowhere at all")).lower()


def test_passages_are_ranked_with_their_places(session: Session) -> None:
    result = session.call("search", query=APPLE, limit=2)
    record = dict(result.structured_content)
    assert len(record["passages"]) == 2
    assert (record["passages"][0]["path"], record["passages"][0]["start_line"]) == ("fruit.md", 5)
    assert "fruit.md:5" in text(result)


def test_lines_are_read_by_citation_and_by_range(session: Session) -> None:
    assert session.record("read", citation="fruit.md:5")["lines"] == [FRUIT.splitlines()[4]]
    assert text(session.call("read", citation="fruit.md:5")).startswith("fruit.md, line 5 of 9\n")
    result = session.call("read", citation="fruit.md:3-5")
    assert result.structured_content["lines"] == FRUIT.splitlines()[2:5]
    assert text(result).startswith("fruit.md, lines 3-5 of 9\n")
    assert session.record("read", path=ODD)["lines"][0] == "# Orchard"
    whole = session.record("read", path="fruit.md", start=8, end=1000)
    assert (whole["start"], whole["end"], whole["total"], whole["next_start"]) == (8, 9, 9, None)
    part = session.record("read", path="long.md", start=2)
    assert (len(part["lines"]), part["end"], part["next_start"], part["total"]) == (400, 401, 402, 902)
    assert session.record("read", path="empty.md")["lines"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"path": "../secret.md"}, "There is no note"),
        ({"path": ".hidden.md"}, "There is no note"),
        ({"path": "plain.txt"}, "There is no note"),
        ({"citation": "/etc/passwd:1"}, "There is no note"),
        ({"citation": "fruit.md"}, "Citations are `path:line`"),
        ({"citation": "fruit.md:0"}, "Citations are `path:line`"),
        ({"citation": "fruit.md:99"}, "fruit.md has 9 lines"),
        ({"path": "fruit.md", "start": 5, "end": 3}, "Exchange start and end."),
        ({"citation": "fruit.md:1", "start": 2}, "Leave out start and end"),
        ({"citation": "fruit.md:1", "path": "fruit.md"}, "Give one of them"),
        ({}, "Give one of them"),
    ],
)
def test_what_cannot_be_read_ends_with_the_next_step(session: Session, arguments: dict[str, Any], said: str) -> None:
    result = session.call("read", **arguments)
    assert result.is_error
    assert said in text(result)


def test_topics_and_changes(session: Session) -> None:
    record = session.record("topics", contains="RELEASE")
    assert {"Release strategies"} <= {topic["name"] for topic in record["topics"]}
    assert session.record("topics", limit=1)["total"] > 1
    state = session.record("changes")
    assert state["notes"] == 5
    assert state["trouble"] is None


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("ask", {}, "question: Field required."),
        ("ask", {"question": 5}, "question: Input should be a valid string."),
        ("ask", {"question": "x", "limit": 9}, "limit: Input should be less than or equal to 8."),
        ("ask", {"question": "x", "queston": "y"}, "queston: Extra inputs are not permitted."),
        ("ask", {"question": " \n"}, "Nothing was asked."),
        ("search", {"query": "x", "limit": 0}, "limit: Input should be greater than or equal to 1."),
    ],
)
def test_a_bad_argument_is_named(session: Session, tool: str, arguments: dict[str, Any], said: str) -> None:
    result = session.call(tool, **arguments)
    assert result.is_error
    assert said in text(result)


def test_an_unknown_tool_prompt_resource_or_cursor_is_an_error_of_the_protocol(session: Session) -> None:
    client = session.client
    for make, said in (
        (lambda: client.call_tool("write", {}), "The tools are ask"),
        (lambda: client.get_prompt("nothing", {}), "The prompt is answer_from_notes."),
        (lambda: client.get_prompt("answer_from_notes", {"question": " "}), "Give the argument `question`."),
        (lambda: client.read_resource("notes://../secret.md"), "There is no note"),
        (lambda: client.read_resource("notes://%ff.md"), "is not UTF-8"),
        (lambda: client.read_resource("file:///etc/passwd"), "is no address of a note"),
        (lambda: client.list_resources(cursor="%"), "is no cursor"),
    ):
        with pytest.raises(MCPError) as caught:
            session.run(make)
        assert said in caught.value.error.message


def test_every_note_is_a_resource_that_reads_back(session: Session, folder: Path) -> None:
    listed = session.run(session.client.list_resources).resources
    assert [one.name for one in listed] == sorted(["empty.md", "fruit.md", "long.md", ODD, "release.md"])
    for one in listed:
        assert one.uri.isascii()
        assert unquote(one.uri) == f"notes://{one.name}"
        (contents,) = session.run(partial(session.client.read_resource, one.uri)).contents
        assert isinstance(contents, types.TextResourceContents)
        assert contents.text == (folder / "notes" / one.name).read_text("utf-8")
        assert contents.mime_type == "text/markdown"
    (template,) = session.run(session.client.list_resource_templates).resource_templates
    assert template.uri_template == "notes://{+path}"


def test_the_prompt_tells_a_model_to_quote_and_cite(session: Session) -> None:
    (prompt,) = session.run(session.client.list_prompts).prompts
    filled = session.run(lambda: session.client.get_prompt(prompt.name, {"question": APPLE}))
    content = filled.messages[0].content
    assert isinstance(content, types.TextContent)
    assert APPLE in content.text
    assert "word for word" in content.text
    assert "path:line" in content.text


def test_several_calls_at_once_are_answered_each_by_its_own(session: Session) -> None:
    async def together() -> dict[str, types.CallToolResult]:
        results: dict[str, types.CallToolResult] = {}

        async def ask(question: str) -> None:
            results[question] = await session.client.call_tool("ask", {"question": question})

        async with anyio.create_task_group() as group:
            for question in (APPLE, "Which service is point to point?", "How is a release rolled back?"):
                group.start_soon(ask, question)
        return results

    assert all(one.structured_content["question"] == asked for asked, one in session.run(together).items())


def test_the_list_follows_the_notes_and_the_log_holds_no_question(session: Session, folder: Path) -> None:
    session.call("ask", question=SECRET)
    new = folder / "notes" / "new.md"
    try:
        if session.client.protocol_version < "2026":
            new.write_text("# New\n\nA medlar is eaten soft.\n", "utf-8")
            until(lambda: any(isinstance(one, types.ResourceListChangedNotification) for one in session.told))
        else:
            session.run(lambda: _listen_for_change(session, new))
        assert "new.md" in [one.name for one in session.run(session.client.list_resources).resources]
        assert session.record("changes")["added"] == ["new.md"]
        assert session.record("ask", question="How is a medlar eaten?")["citations"][0]["path"] == "new.md"
    finally:
        new.unlink(missing_ok=True)
    assert SECRET not in session.log.read_text("utf-8")
    assert "safe" not in session.log.read_text("utf-8")


async def _listen_for_change(session: Session, new: Path) -> None:
    async with session.client.listen(resources_list_changed=True) as stream:
        new.write_text("# New\n\nA medlar is eaten soft.\n", "utf-8")
        with anyio.fail_after(PATIENCE):
            async for _ in stream:
                return


def test_a_folder_that_disappears_and_comes_back(session: Session, folder: Path) -> None:
    (folder / "notes").rename(folder / "away")
    try:
        result = session.call("ask", question=APPLE)
        assert result.is_error
        assert "--notes" in text(result)
        with pytest.raises(MCPError):
            session.run(session.client.list_resources)
    finally:
        (folder / "away").rename(folder / "notes")
    assert session.record("ask", question=APPLE)["citations"]


def test_a_server_without_its_folder_starts_and_works_once_it_is_there(
    tmp_path: Path, folder: Path, surroundings: dict[str, str]
) -> None:
    shutil.copytree(folder / "index", tmp_path / "index")
    with over_stdio(Command(tmp_path, surroundings).words("mcp"), surroundings, tmp_path / "log") as session:
        result = session.call("ask", question=APPLE)
        assert result.is_error
        assert "--notes" in text(result)
        shutil.copytree(folder / "notes", tmp_path / "notes")
        assert session.record("ask", question=APPLE)["citations"]
    assert "is no folder" in (tmp_path / "log").read_text("utf-8")


def test_no_notes_named_is_said_on_stderr(tmp_path: Path, surroundings: dict[str, str]) -> None:
    done = run([*PROGRAM, "mcp"], surroundings, folder=tmp_path)
    assert done.returncode == Exit.CANNOT
    assert done.stdout == ""
    assert "Point --notes at a folder" in done.stderr


def test_a_client_that_stops_reading_is_an_end_too(folder: Path, surroundings: dict[str, str]) -> None:
    raw = Raw(folder / "notes", folder / "index", surroundings)
    raw.greet()
    assert raw.process.stdin is not None
    assert raw.process.stdout is not None
    raw.process.stdout.close()
    raw.send("tools/list", 2)
    _, stderr = raw.process.communicate(timeout=PATIENCE)
    assert (raw.process.returncode, stderr) == (0, b"")


def test_without_pipes_it_says_what_it_is_for(folder: Path, surroundings: dict[str, str]) -> None:
    words = shlex.join(Command(folder, surroundings).words("mcp"))
    done = run(["sh", "-c", f"{words} <&-"], surroundings)
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert "Let a client start this command" in done.stderr


def test_a_first_index_is_reported_can_be_taken_back_and_ends_with_stdin(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    """Nothing but messages of the protocol on stdout, and no process left."""
    (tmp_path / "notes").mkdir()
    for number in range(150):
        rows = "\n".join(f"- Item {n} of shelf {number} holds {n * number * 7919 % 10007} jars." for n in range(60))
        (tmp_path / "notes" / f"shelf-{number}.md").write_text(f"# Shelf {number}\n\n{rows}\n", "utf-8")
    raw = Raw(tmp_path / "notes", tmp_path / "index", surroundings)
    raw.greet()
    asked = {"name": "ask", "arguments": {"question": "How many jars does shelf 7 hold?"}}
    raw.send("tools/call", 2, **asked, _meta={"progressToken": "first"})
    raw.send("tools/call", 3, **asked, _meta={"progressToken": "second"})
    steps: dict[str, list[float]] = {"first": [], "second": []}
    replies: dict[int, dict[str, Any]] = {}
    cancelled = False
    while 2 not in replies:  # that of the call that is taken back may come before it, or not at all
        message = raw.receive()
        if message.get("method") == "notifications/progress":
            steps[message["params"]["progressToken"]].append(message["params"]["progress"])
            assert message["params"]["message"]
        elif "id" in message:
            replies[message["id"]] = message
        if steps["second"] and not cancelled:
            raw.send("notifications/cancelled", requestId=3)
            cancelled = True
    assert replies[2]["result"]["isError"] is False
    assert steps["first"] == sorted(set(steps["first"]))
    children = raw.children()
    assert children  # the vectors are still being computed
    raw.send("tools/call", 4, **asked)
    code, stderr = raw.end()
    assert (code, stderr) == (0, "")
    until(lambda: not any(map(is_running, children)))


def test_a_start_that_failed_is_tried_again_by_the_next_call(tmp_path: Path, prepared: Path) -> None:
    missing = str(tmp_path / "no-model")
    (tmp_path / "notes").mkdir()
    service = Service(
        lambda models: real_engine(tmp_path / "notes", tmp_path / "index", prepared, model=missing), None, engines=1
    )
    starting = Starting(service)
    with pytest.raises(ModelUnusable):
        starting.wait(lambda: False)
    before = starting._done
    with pytest.raises(ModelUnusable):
        starting.wait(lambda: False)
    assert starting._done is not before


def test_progress_only_rises() -> None:
    progress = Progress()
    steps = [("Reading", 0, 0), ("Reading", 3, 9), ("Reading", 3, 9), ("Reading", 9, 9), ("Embedding", 0, 50),
             ("Embedding", 20, 50), ("Reading", 1, 0)]  # fmt: skip
    sent = [numbers for step in steps if (numbers := progress.after(IndexStep(*step))) is not None]
    assert [numbers[:2] for numbers in sent] == [(0, None), (3, 9), (9, 9), (29, 59), (30, None)]


def test_pages_of_resources_survive_a_change_between_them() -> None:
    paths = [f"note-{n:04}.md" for n in range(mcp_resources.PAGE * 2 + 10)]
    first = mcp_resources.page(paths, None)
    paths.remove(f"note-{mcp_resources.PAGE - 1:04}.md")
    second = mcp_resources.page(paths, first.next_cursor)
    third = mcp_resources.page(paths, second.next_cursor)
    names = [one.name for page in (first, second, third) for one in page.resources]
    assert len(names) == len(set(names)) == mcp_resources.PAGE * 2 + 10
    assert third.next_cursor is None


def test_configurations_are_printed_that_start_this_program(folder: Path, surroundings: dict[str, str]) -> None:
    before = sorted(folder.rglob("*"))
    done = Command(folder, surroundings).run("mcp", "--install")
    assert done.returncode == 0
    parts = dict(part.split("\n", 1) for part in done.stdout.removeprefix("# ").split("\n# "))
    assert [title.partition(":")[0] for title in parts] == [
        *("Claude Desktop", "Claude Code", "VS Code", "Cursor", "Any other client")
    ]
    blocks = [json.loads(body) for body in parts.values() if body.startswith("{")]
    servers = [next(iter(block.values()))["notes"] for block in blocks]
    assert len(servers) == 3
    for server in servers:
        assert Path(server["command"]).is_absolute()
        assert server["args"][-5:] == ["--notes", str(folder / "notes"), "--index", str(folder / "index"), "mcp"]
    assert sorted(folder.rglob("*")) == before
    words = [servers[0]["command"], *servers[0]["args"]]
    with over_stdio(words, surroundings, folder / "installed.log") as session:
        assert session.record("ask", question=APPLE)["citations"]
