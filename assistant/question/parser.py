"""A question's text, parsed: its terms, its requirements, its options and the kind of answer wanted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from assistant.question import intent
from assistant.question.clauses import only_asks, requirements, sentences, without_exclusions
from assistant.question.patterns import PUT_ASIDE, WRAPPED
from assistant.question.query import Query
from assistant.text.stop_words import content

READ = 8_000
"""Characters of a question that are read; the rest is named in a warning."""
_REST = 20
"""Characters that must be left behind "ignore all that" for it to put aside what came before."""
_OPTION = re.compile(r"(?:^|[\s(])\(?([A-H])[).:]\s+", re.MULTILINE)
_BLANKED = ("Cc", "Cf", "Cs", "Co", "Cn")
"""Unicode categories that become blanks: controls, formats, surrogates, private and unassigned characters."""


def tidy(text: str) -> str:
    """The text with control and format characters as blanks, single-spaced; lines are kept apart."""
    kept = "".join(c if c == "\n" or unicodedata.category(c) not in _BLANKED else " " for c in text)
    return "\n".join(" ".join(line.split()) for line in kept.split("\n")).strip()


def parse(text: str, options: Mapping[str, str] | None = None, *, code: bool = False, language: str = "") -> Query:
    """A question's parts; never fails, an empty text gives a Query without terms. `code` and `language` ask for a
    snippet whatever the text says."""
    clean = tidy(text[:READ])
    choices = tuple((options or {}).items())
    if not choices:
        clean, choices = _split_options(clean)
    clean = WRAPPED.sub(" ", clean)
    aside = PUT_ASIDE.search(clean)
    kept = clean[aside.end() :] if aside and len(clean) - aside.end() > _REST else clean
    spoken = sentences(kept)
    telling = [s for s in spoken if not only_asks(s)]
    core = without_exclusions(telling) if telling else kept
    terms = content(core)
    tells_need = intent.tells_need(clean)
    wants_code = code or bool(language) or intent.asks_for_code(clean)
    return Query(
        text=clean,
        core=core,
        requirements=requirements(telling or spoken),
        intent=intent.intent(clean, wants_code=wants_code, tells_need=tells_need),
        terms=terms,
        wants_code=wants_code,
        language=language or (intent.language(clean) if wants_code else ""),
        nouns=intent.asked_nouns(clean),
        tells_need=tells_need or len(terms) >= intent.STORY_TERMS,
        options=choices,
    )


def _split_options(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """`A) … B) …` at the end of a question, as its options; only where the labels run from A without a gap."""
    marks = list(_OPTION.finditer(text))
    labels = [m[1] for m in marks]
    if len(labels) < 2 or labels != [chr(ord("A") + i) for i in range(len(labels))]:
        return text, ()
    ends = [m.start() for m in marks[1:]] + [len(text)]
    return text[: marks[0].start()].strip(), tuple(
        (m[1], text[m.end() : end].strip(" ,;\n")) for m, end in zip(marks, ends, strict=True)
    )
