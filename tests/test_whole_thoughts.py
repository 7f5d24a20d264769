"""Lines that say nothing by themselves are quoted with what they lead to, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from assistant.answering.citations import CitationBuilder
from assistant.indexing import build
from assistant.records import Passage
from assistant.retrieval.index_reader import IndexReader
from assistant.storage import Store
from tests.asking import ENCODER

NOTE = """# Oven

Before you bake:

- Heat the stone
- Fill the tray

The rest is easy.

Then run:

```bash
bake --now
```

- [The stone](stone.md)
- [The stone](stone.md) takes an hour to heat
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("oven")
    (folder / "notes").mkdir()
    (folder / "notes" / "oven.md").write_text(NOTE, "utf-8")
    build.refresh(folder / "notes", folder / "index", lambda: ENCODER)
    with Store.open(folder / "index") as opened:
        yield opened


@pytest.fixture
def find(store: Store) -> Callable[[str], Passage]:
    passages = store.passages(store.passage_ids()).values()
    return lambda text: next(p for p in passages if p.text.startswith(text))


def test_a_line_that_leads_to_a_list_is_quoted_with_it(store: Store, find: Callable[[str], Passage]) -> None:
    excerpt = CitationBuilder(IndexReader(store), {}, limit=4).whole_thought(find("Before you bake"))
    assert excerpt is not None
    assert (excerpt.start, excerpt.end) == (3, 6)
    assert excerpt.text == "Before you bake: - Heat the stone - Fill the tray"


def test_a_line_that_leads_to_code_says_nothing_by_itself(store: Store, find: Callable[[str], Passage]) -> None:
    builder = CitationBuilder(IndexReader(store), {}, limit=4)
    assert builder.whole_thought(find("Then run")) is None
    assert builder.whole_drawing(find("Then run")) is None


def test_any_other_line_is_quoted_as_it_is(store: Store, find: Callable[[str], Passage]) -> None:
    excerpt = CitationBuilder(IndexReader(store), {}, limit=4).whole_thought(find("The rest"))
    assert excerpt is not None
    assert excerpt.text == "The rest is easy."


def test_only_a_link_that_stands_alone_is_a_pointer(store: Store) -> None:
    kinds = {p.text: p.kind for p in store.passages(store.passage_ids()).values()}
    assert kinds["The stone"] == "pointer"
    assert kinds["The stone takes an hour to heat"] == "item"
