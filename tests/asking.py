"""Notes and questions that tests share, and the engine with an encoder that costs nothing."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from assistant.engine import Engine
from assistant.indexing import background as process
from assistant.indexing import build
from assistant.indexing.index_manager import IndexManager
from assistant.indexing.published_index import PublishedIndex
from assistant.indexing.report import BuildReport
from assistant.models.cross_encoder import ReadText
from assistant.models.lazy import LazyEncoder, LazyReader
from assistant.records import Answer, IndexState
from assistant.system.collection import IndexPlace
from assistant.system.settings_file import Refresh
from tests.hashing_encoder import HashingEncoder

FRUIT = """# Fruit

## Apple

An apple keeps for seven months in a cool cellar.

## Pear

A pear is best within a week.
"""
APPLE = "How long does an apple keep in a cellar?"
"""A note, and a question that it answers."""

ENCODER = HashingEncoder()
READER = LazyReader(Path(__file__).resolve().parents[1] / ".pytest_cache" / "d" / "models")
"""The reader that ships, prepared in the folder that the fixture `prepared` gives."""
QUESTIONS = (
    "Which strategy shows the new version to a few users?",
    "Which service is point to point?",
    "How is a release rolled back?",
)
NOTE = """# Release strategies

**Canary**: a few users see the new version first

## Going back

- `kubectl rollout undo` rolls a release back
- A blue-green deployment is rolled back at once

## Services

| need | service |
| --- | --- |
| point to point | Queue Service |
| many readers | Streaming |

```yaml
kind: Rollout
```
"""


class RememberingReader:
    """The reader that ships; the same text is read for the same question once, since that always gives the same bits
    (`tests/test_shipped.py`). For tests that ask the same again and again, from one thread."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], ReadText] = {}

    def read(self, question: str, texts: Sequence[str]) -> list[ReadText]:
        new = [text for text in dict.fromkeys(texts) if (question, text) not in self._found]
        self._found |= {(question, one.text): one for one in READER.read(question, new)}
        return [self._found[question, text] for text in texts]

    def ahead(self) -> None:
        READER.ahead()

    def load(self) -> object:
        return READER.load()


REMEMBERING = RememberingReader()


def write_notes(folder: Path) -> Path:
    """FRUIT and NOTE as a new folder of notes."""
    folder.mkdir()
    (folder / "fruit.md").write_text(FRUIT, "utf-8")
    (folder / "release.md").write_text(NOTE, "utf-8")
    return folder


def asking(notes: Path, index: Path, fallback_index: Path | None = None) -> Engine:
    """The program with hashed words for vectors."""
    manager = IndexManager(notes, index, fallback_index, lambda: ENCODER, None)
    return Engine(notes, encoder=ENCODER, reader=READER, index=lambda: manager)


def reading(index: Path, notes: Path | None = None) -> Engine:
    """The same over an index that somebody else writes, without the files of the notes where none are given."""
    manager = PublishedIndex(notes, index, None, lambda: ENCODER, None)
    return Engine(notes, encoder=ENCODER, reader=READER, index=lambda: manager, refresh="never")


def asking_again(notes: Path, index: Path, fallback_index: Path | None = None) -> Engine:
    """As `asking`, with the reader that remembers."""
    manager = IndexManager(notes, index, fallback_index, lambda: ENCODER, None)
    return Engine(notes, encoder=ENCODER, reader=REMEMBERING, index=lambda: manager)


def real_engine(
    notes: Path,
    index: Path,
    cache: Path,
    *,
    model: str = "",
    fallback_index: Path | None = None,
    refresh: Refresh = "look",
    background: bool = True,
    vocabulary: bool = True,
    complete: bool = False,
    monotonic: Callable[[], float] = time.monotonic,
) -> Engine:
    """The program with a real model, prepared in `cache`."""
    encoder = LazyEncoder(model, cache)
    manager = IndexManager(notes, index, fallback_index, lambda: encoder, None)
    return Engine(
        notes,
        encoder=encoder,
        reader=LazyReader(cache),
        index=lambda: manager,
        refresh=refresh,
        background=(lambda folder: process.start(notes, folder, model)) if background else None,
        vocabulary=vocabulary,
        complete=complete,
        monotonic=monotonic,
    )


def refresh(notes: Path, index: IndexPlace, encoder: HashingEncoder = ENCODER) -> BuildReport:
    made: Callable[[], HashingEncoder] = lambda: encoder  # noqa: E731
    return build.refresh(notes, index, made)


def said(answer: Answer) -> Answer:
    """An answer without what may differ between two runs over the same notes."""
    return replace(answer, index=IndexState(0, False, 0), warnings=(), elapsed_ms=0.0, notes="")
