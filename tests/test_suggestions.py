"""Questions that notes suggest: what they ask themselves, what they name, what they set side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.indexing import build
from assistant.indexing.suggestions import suggestions
from assistant.storage import Store

from .hashing_encoder import HashingEncoder


@pytest.fixture
def suggested(tmp_path: Path) -> Callable[[str], tuple[str, ...]]:
    """The suggestions of one note."""

    def read(note: str) -> tuple[str, ...]:
        notes = tmp_path / "notes"
        notes.mkdir()
        (notes / "note.md").write_text(note, "utf-8")
        build.refresh(notes, tmp_path / "index", HashingEncoder)
        with Store.open(tmp_path / "index") as store:
            return suggestions(store)

    return read


def test_questions_of_pairs_and_headings_come_with_names_and_comparisons(
    suggested: Callable[[str], tuple[str, ...]],
) -> None:
    note = """# Messaging

## Brokers

### RabbitMQ

RabbitMQ: a broker that keeps a queue for each worker.

### Redpanda

Redpanda: a log that each reader reads at its own pace.

## How do I drain a consumer?

Stop its subscription first.

**Q: Which broker keeps order for each key?**
A: Redpanda.
"""
    found = suggested(note)
    assert {"Which broker keeps order for each key?", "How do I drain a consumer?", "RabbitMQ vs Redpanda"} < set(found)
    assert {"What is RabbitMQ?", "What is Redpanda?"} < set(found)


def test_comments_admonitions_and_what_structures_suggest_nothing(suggested: Callable[[str], tuple[str, ...]]) -> None:
    note = """# Shell

## Overview

!!! note "Is ~/.bashrc)"
    Read at the start.

## EKS

```bash
# Show the logs of EKS
kubectl logs pod
```

## not EKS

Everything else.

## See also

Other notes.
"""
    found = suggested(note)
    assert not [one for one in found if "not EKS" in one or "bashrc" in one or "Overview" in one or "See also" in one]
    assert not [one for one in found if one.startswith("Show")]


def test_a_question_is_suggested_once(suggested: Callable[[str], tuple[str, ...]]) -> None:
    found = suggested(
        "# Notes\n\n## What is Redpanda?\n\nA log.\n\n# Other\n\n## What is Redpanda?\n\nRedpanda: a log.\n"
    )
    assert found == ("What is Redpanda?",)
