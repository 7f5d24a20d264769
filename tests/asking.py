"""What tests of a damaged, crowded or killed index share: the real program with an encoder that costs nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assistant.engine import Engine
from assistant.indexing import build
from assistant.indexing.report import BuildReport
from assistant.records import Answer, IndexState
from tests.hashing_encoder import HashingEncoder

ENCODER = HashingEncoder()
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


class Asking(Engine):
    """The program with hashed words for vectors."""

    def _load_ahead(self) -> None:
        pass

    def _encoder(self) -> HashingEncoder:  # type: ignore[override]  # all that is needed of the real one
        return ENCODER


def asking(notes: Path, index: Path, fallback_index: Path | None = None) -> Asking:
    return Asking(notes, index, index.with_name("cache"), fallback_index=fallback_index, background=False)


def refresh(notes: Path, index: Path, encoder: HashingEncoder = ENCODER) -> BuildReport:
    made: Callable[[], HashingEncoder] = lambda: encoder  # noqa: E731
    return build.refresh(notes, index, made)


def said(answer: Answer) -> Answer:
    """An answer without what may differ between two runs over the same notes."""
    return replace(answer, index=IndexState(0, False, 0), warnings=(), elapsed_ms=0.0, notes="")
