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

## Fill

1. Open the door with
   both hands.
2. Put the tray in.
3. Close the door.

The stone is hot. It needs a cloth, as follows:

```bash
cloth --now
```

A list that is too long for one statement:

"""
NESTED = """
## Clean

- Weekly:
  1. Wipe the floor.
  2. Wash the racks
in hot water.
- Yearly:
  1. Take the door off.
     - with two hands
  2. Scrape the glass.

1. Mix.
2. Turn on:

   ```
   mixer on
   ```

## Turn

""" + "\n".join(f"{n}. Turn knob {n}." for n in range(1, 41))
LONG = f"- {'a word, ' * 30}\n" * 4


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("oven")
    (folder / "notes").mkdir()
    (folder / "notes" / "oven.md").write_text(NOTE + LONG + NESTED, "utf-8")
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


def test_a_line_is_quoted_without_the_sentence_that_leads_to_code(find: Callable[[str], Passage], store: Store) -> None:
    builder = CitationBuilder(IndexReader(store), {"cloth": 1.0}, limit=4)
    excerpt = builder.whole_thought(find("The stone is hot"))
    assert excerpt is not None
    assert excerpt.text == "The stone is hot."


def test_a_line_that_leads_to_the_code_that_is_shown_is_quoted(find: Callable[[str], Passage], store: Store) -> None:
    builder = CitationBuilder(IndexReader(store), {}, limit=4)
    excerpt = builder.whole_thought(find("Then run"), shown=find("bake --now"))
    assert excerpt is not None
    assert excerpt.text == "Then run:"


def test_a_long_list_is_quoted_as_far_as_there_is_room(find: Callable[[str], Passage], store: Store) -> None:
    excerpt = CitationBuilder(IndexReader(store), {}, limit=4).whole_thought(find("A list that is too long"))
    assert excerpt is not None
    assert excerpt.quote.count("\n- ") == 2


def test_a_numbered_step_is_quoted_with_its_list(find: Callable[[str], Passage], store: Store) -> None:
    builder = CitationBuilder(IndexReader(store), {}, limit=4)
    excerpt = builder.steps(find("Put the tray in"))
    assert excerpt is not None
    assert excerpt.text == "1. Open the door with both hands. 2. Put the tray in. 3. Close the door."
    assert builder.steps(find("The rest is easy")) is None


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("Wash the racks", "1. Wipe the floor. 2. Wash the racks in hot water."),
        ("Scrape the glass", "1. Take the door off. - with two hands 2. Scrape the glass."),
    ],
)
def test_steps_are_of_one_list(find: Callable[[str], Passage], store: Store, item: str, text: str) -> None:
    excerpt = CitationBuilder(IndexReader(store), {}, limit=4).steps(find(item))
    assert excerpt is not None
    assert excerpt.text == text


def test_an_item_leads_to_what_stands_under_it(find: Callable[[str], Passage], store: Store) -> None:
    excerpt = CitationBuilder(IndexReader(store), {}, limit=4).whole_thought(find("Weekly"))
    assert excerpt is not None
    assert excerpt.text.endswith("in hot water.")


def test_steps_up_to_the_first_with_code(find: Callable[[str], Passage], store: Store) -> None:
    builder = CitationBuilder(IndexReader(store), {}, limit=4)
    assert builder.steps(find("Mix.")) is None
    assert builder.steps(find("Turn on")) is None


def test_of_many_steps_no_more_are_quoted_than_a_quote_may_hold(find: Callable[[str], Passage], store: Store) -> None:
    excerpt = CitationBuilder(IndexReader(store), {}, limit=4).steps(find("Turn knob 20."))
    assert excerpt is not None
    assert excerpt.text.startswith("1. Turn knob 1.")
    assert excerpt.quote.count("\n") < 20
    later = CitationBuilder(IndexReader(store), {}, limit=4).steps(find("Turn knob 30."))
    assert later is not None
    assert later.text.startswith("30. Turn knob 30.")


def test_what_stands_below_a_line_is_of_its_section(find: Callable[[str], Passage], store: Store) -> None:
    reader = IndexReader(store)
    assert reader.following(find("Close the door"))[0].text == "The stone is hot. It needs a cloth, as follows:"
    assert reader.following(find("bake --now"))[0].text == "The stone"
    assert all(p.heading_path[-1] == "Oven" for p in reader.following(find("The rest is easy")))


def test_any_other_line_is_quoted_as_it_is(store: Store, find: Callable[[str], Passage]) -> None:
    excerpt = CitationBuilder(IndexReader(store), {}, limit=4).whole_thought(find("The rest"))
    assert excerpt is not None
    assert excerpt.text == "The rest is easy."


def test_only_a_link_that_stands_alone_is_a_pointer(store: Store) -> None:
    kinds = {p.text: p.kind for p in store.passages(store.passage_ids()).values()}
    assert kinds["The stone"] == "pointer"
    assert kinds["The stone takes an hour to heat"] == "item"
