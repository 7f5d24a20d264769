"""The index → the answer to what the notes are about: the first line of a readme, and the headings of the largest
notes, or of the largest sections where there are few notes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import islice, zip_longest

from assistant.answering.citations import CitationBuilder
from assistant.records import NAMING_KINDS, Answer, Passage, PassageId, Statement
from assistant.retrieval.index_reader import IndexReader
from assistant.storage import Store, StoredSection
from assistant.text.structuring import is_structuring
from assistant.text.tokenizer import key

_FEW = 3
"""Notes up to which their sections are told instead."""
_BELOW_TITLE = 2
"""Headings in the path of a section right below a note's title."""
_WORDS = 6
"""Of a line that says something, at least."""
_STATEMENTS = 8
"""At most."""
_README = re.compile(r"(?i)(?:readme|index|about|home)\.\w+")


def overview(question: str, reader: IndexReader, limit: int, scope: Collection[PassageId] | None) -> Answer:
    """What the notes, or those of the scope, are about; the parts with most passages first, those of other folders
    before others of the same. Declined where there is no heading."""
    builder = CitationBuilder(reader, {}, min(limit, _STATEMENTS))
    statements: list[Statement] = []
    for passage in _told(reader.store, scope):
        excerpt = builder.excerpt(passage)
        number = builder.cite(excerpt) if excerpt is not None else None
        if builder.full and number is None:
            break
        if excerpt is not None and number is not None:
            statements.append(Statement(excerpt.text, (number,)))
    if not statements:
        return Answer(question, "not_in_notes", hint="The notes have no headings to list. Ask about a subject.")
    return Answer(question, "answered", statements=tuple(statements), citations=tuple(builder.citations))


def _told(store: Store, scope: Collection[PassageId] | None) -> Iterator[Passage]:
    sections = store.sections()
    readme = next((section for section in sections if _README.fullmatch(section.path)), None)
    if readme is not None:
        yield from islice(filter(_tells, _in_section(store, readme, scope)), 1)
    for section in _by_size(sections, store.notes_count):
        if not is_structuring(key(section.heading_path[-1])):
            inside = _in_section(store, section, scope)
            yield from islice((p for p in inside if p.kind == "heading" and p.start == section.line), 1)


def _in_section(store: Store, section: StoredSection, scope: Collection[PassageId] | None) -> Iterator[Passage]:
    """Its passages, by line."""
    ids = [i for i in store.section_passages(section.path, section.anchor) if scope is None or i in scope]
    yield from sorted(store.passages(ids).values(), key=lambda p: p.start)


def _tells(passage: Passage) -> bool:
    prose = passage.kind not in NAMING_KINDS and passage.kind != "fence" and passage.fence is None
    return prose and len(passage.text.split()) >= _WORDS and not passage.text.rstrip().endswith(":")


def _by_size(sections: Sequence[StoredSection], notes: int) -> Iterator[StoredSection]:
    """The parts by the passages in and below them, one of each group in turn; a part is a note, and a group a folder,
    or, where there are few notes, a section right below the title, and a group a note."""
    few = notes <= _FEW
    size, first = Counter[str | tuple[str, ...]](), dict[str | tuple[str, ...], StoredSection]()
    for section in sections:
        if few and len(section.heading_path) < _BELOW_TITLE:
            continue
        part = (section.path, *section.heading_path[:_BELOW_TITLE]) if few else section.path
        first.setdefault(part, section)
        size[part] += section.passages
    groups: dict[str, list[StoredSection]] = {}
    for part in sorted(first, key=lambda part: (-size[part], first[part].path, first[part].line)):
        path = first[part].path
        groups.setdefault(path if few else path.rpartition("/")[0], []).append(first[part])
    for row in zip_longest(*groups.values()):
        yield from (section for section in row if section is not None)
