"""Links to notes at a web address, and what an answer says of the generation it is of."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from assistant.answering.web_links import web_link
from assistant.engine import Engine
from assistant.records import Answer, SearchResult
from assistant.rendering import terminal
from assistant.rendering.answer_json import answer_json
from assistant.rendering.search_json import search_json
from assistant.rendering.search_text import search_text
from assistant.server.json_schema import Schemas
from assistant.server.mcp_schemas import search_schema
from assistant.server.page.answer_html import answer_html
from assistant.tui.answer_text import answer_text
from assistant.tui.cards.answer_rows import answer_rows
from assistant.tui.cards.card_view import View
from assistant.tui.cards.rows import plain
from assistant.tui.export import markdown
from assistant.tui.history.turn import Turn
from assistant.tui.history.turn_json import DamagedTurn, decode, encode
from tests.asking import APPLE, ENCODER, READER, reading, refresh, write_notes

BASE = "https://host/blob/main/"
LINK = "https://host/blob/main/fruit.md#apple"
COMMITTED = "2026-11-28T14:02:31+00:00"
AS_OF = "as of generation 1, 2026-11-28 14:02 UTC"


@pytest.fixture
def engine(tmp_path: Path, prepared: Path) -> Iterator[Engine]:
    """Over an index without files."""
    refresh(write_notes(tmp_path / "elsewhere"), tmp_path / "index")
    with closing(reading(tmp_path / "index")) as without:
        made = Engine(None, encoder=ENCODER, reader=READER, index=without._index, refresh="never", links_base=BASE)
        with closing(made):
            yield made


@pytest.fixture
def answer(engine: Engine) -> Answer:
    made = engine.ask(APPLE)
    return replace(made, index=replace(made.index, committed=COMMITTED))


def found(engine: Engine) -> SearchResult:
    return engine.search(APPLE)


@pytest.mark.parametrize(
    ("path", "anchor", "link"),
    [
        ("a/b.md", "one", f"{BASE}a/b.md#one"),
        ("a b/ü(1).md", "é-1", f"{BASE}a%20b/%C3%BC%281%29.md#%C3%A9-1"),
        ("#?.md", "", f"{BASE}%23%3F.md"),
    ],
)
def test_paths_and_anchors_are_percent_encoded(path: str, anchor: str, link: str) -> None:
    assert web_link(BASE, path, anchor) == link


def test_every_form_of_an_answer_leads_there(answer: Answer, engine: Engine, tmp_path: Path) -> None:
    assert LINK in {cited.url for cited in answer.citations}
    shown = terminal.text(answer, colour=True)
    assert LINK in shown
    assert "file://" not in shown
    assert f'href="{LINK}"' in answer_html(answer).markup
    assert f"({LINK})" in markdown([Turn(1, APPLE, (), "answered", answer, {})], tmp_path, "Title")
    assert LINK in answer_text(answer)
    result = found(engine)
    assert LINK in search_text(result, colour=True)
    assert LINK in {one["url"] for one in json.loads(search_json(result))["passages"]}


def test_without_an_address_and_files_there_is_no_link(answer: Answer, tmp_path: Path) -> None:
    bare = replace(answer, citations=tuple(replace(cited, url=None) for cited in answer.citations))
    assert "\x1b]8;" not in terminal.text(bare, colour=True)
    assert "original" not in answer_html(bare).markup
    assert "](" not in markdown([Turn(1, APPLE, (), "answered", bare, {})], tmp_path, "Title")
    assert "://" not in answer_text(bare)


def test_json_has_what_is_known_and_the_schemas_describe_it(
    answer: Answer, engine: Engine, schema: Draft202012Validator
) -> None:
    record = json.loads(answer_json(answer))
    schema.validate(record)
    assert record["index"]["committed"] == COMMITTED
    assert record["notes"] == ""
    bare = replace(
        answer,
        citations=tuple(replace(cited, url=None) for cited in answer.citations),
        index=replace(answer.index, committed=None),
    )
    record = json.loads(answer_json(bare))
    schema.validate(record)
    assert "committed" not in record["index"]
    assert all("url" not in cited for cited in record["citations"])
    assert not schema.is_valid({**record, "index": {**record["index"], "committed": 3}})
    Draft202012Validator(search_schema()).validate(json.loads(search_json(found(engine))))
    schemas = Schemas()
    schemas.record(Answer)
    assert schemas.named["IndexState"]["required"] == ["generation", "stale", "pending"]
    assert "url" in str(schemas.named["Citation"]["properties"])
    assert "url" not in str(schemas.named["Citation"]["required"])


def test_every_form_of_an_answer_says_which_generation_it_is_of(answer: Answer) -> None:
    assert f"\n\n{AS_OF}\n" in terminal.text(answer)
    assert f">{AS_OF}<" in answer_html(answer).markup
    rows = answer_rows(Turn(1, APPLE, (), "answered", answer, {}), View(), 80, {}, 8)
    assert AS_OF in [plain(row) for row in rows]
    folder = replace(answer, index=replace(answer.index, committed=None))
    assert "as of" not in terminal.text(folder)


def test_a_session_keeps_both(answer: Answer) -> None:
    line = encode(Turn(1, APPLE, (), "answered", answer, {}))
    kept = decode(line, 1).answer
    assert kept is not None
    assert kept.index == answer.index
    assert kept.citations == answer.citations
    with pytest.raises(DamagedTurn):
        decode(line.replace(COMMITTED, "yesterday"), 1)
