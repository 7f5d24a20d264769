"""Which names the notes use, and what stands for them."""

from __future__ import annotations

import pytest

from assistant.notes import chunker, markdown
from assistant.notes.folder import decode
from assistant.records import Mention
from assistant.topics.concept_matcher import matcher
from assistant.topics.extraction import mentions
from assistant.topics.names import is_phrase, merged, names

NOTE = """# Tools

## Rotary hoe

**Cultivator**: loosens the soil; see the Dutch hoe

Q: What cuts weeds at the root?
A: Dutch hoe

- stony ground → Pickaxe

| task | tool |
| --- | --- |
| Edging | Half-Moon Cutter |

```python
class SeedDrill:
    pass
```
"""


@pytest.fixture(scope="module")
def mentioned() -> dict[tuple[str, str], Mention]:
    """By name and kind."""
    note = decode("tools.md", NOTE.encode())
    return {(m.name, m.kind): m for m in mentions(chunker.passages(markdown.outline(note), note), matcher(()))}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Rotary hoe", "heading"),
        ("Cultivator", "definition"),
        ("Dutch hoe", "target"),
        ("Pickaxe", "target"),
        ("Half-Moon Cutter", "target"),
        ("SeedDrill", "resource"),
    ],
)
def test_a_name_is_found_where_it_stands(mentioned: dict[tuple[str, str], Mention], name: str, kind: str) -> None:
    mention = mentioned[name, kind]
    lines = NOTE.split("\n")[mention.start - 1 : mention.end]
    assert name in "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "single"),
    [
        ("Queue or Streaming", ("Queue", "Streaming")),
        ("1. Canary release", ("Canary release",)),
        ("Use Blue-Green (BG)", ("Blue-Green", "BG")),
        ("What is a queue?", ()),
        ("a name of far too many words to be any", ()),
    ],
)
def test_a_naming_text_holds_single_names(text: str, single: tuple[str, ...]) -> None:
    assert names(text) == single


def test_a_type_word_at_the_end_does_not_make_another_topic() -> None:
    assert merged("queue servic") == merged("queue") == "queue"


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("Editors you may like", True),
        ("between 3 beds", True),
        ("even the iPhone", True),
        ("don't use", True),
        ("dig and rake", True),
        ("//example.org/tools", True),
        ("Have I Been Pwned", False),
        ("Istio on OKE", False),
        ("point to point", False),
        ("kubectl rollout undo", False),
        ("--and-then", False),
        ("hoe", False),
    ],
)
def test_a_piece_of_a_sentence_is_no_name(name: str, phrase: bool) -> None:
    assert is_phrase(name) == phrase
