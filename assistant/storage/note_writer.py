"""What a build puts into the index about notes: their lines, sections, chunks, passages, full text and mentions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from assistant.records import Chunk, Mention, Note, NoteFile, Outline, Passage
from assistant.storage import codec
from assistant.storage.backend import Contents
from assistant.storage.stored import StoredNote
from assistant.storage.text_writer import TextWriter
from assistant.storage.transaction import Transaction
from assistant.text import line_spans, tokenizer

_LONGEST_KEY = 500
"""Letters of a topic's key: what is longer is no name, and more than an index of a database takes."""


@dataclass(frozen=True, slots=True)
class IndexedNote:
    """A note and everything that was found in it."""

    file: NoteFile
    looked: int
    """When `file` was taken, in nanoseconds since the epoch."""
    note: Note
    outline: Outline
    passages: tuple[Passage, ...]
    embedded: tuple[str, ...]
    """For each passage the text its vector stands for."""
    mentions: tuple[Mention, ...]
    chunks: tuple[Chunk, ...]
    """By line; every passage stands in one."""
    embedded_chunks: tuple[str, ...]
    """For each chunk the text its vector stands for."""


class NoteWriter:
    """Part of a `Writer`."""

    def __init__(self, transaction: Transaction, texts: TextWriter) -> None:
        self._transaction = transaction
        self._texts = texts

    def files(self) -> dict[str, StoredNote]:
        """What is indexed of each note, by path."""
        return codec.unpack_notes(self._transaction.rows(codec.NOTE_FILES))

    def refused(self) -> list[tuple[str, str]]:
        """Path and reason of each note that could not be read, by path."""
        return codec.typed("a note", self._transaction.rows(codec.REFUSED), str, str)

    def put(self, indexed: IndexedNote) -> int:
        """Replaces what is indexed under the note's path; how many of its passages have a vector already."""
        self.drop(indexed.file.path)
        note = self._put_file(indexed)
        sections = self._put_sections(note, indexed.outline)
        chunks = self._put_chunks(note, indexed)
        texts = self._texts.register(indexed.embedded)
        ids = self._transaction.new_ids("passages", len(indexed.passages))
        rows = []
        for passage, (text, _), number in zip(indexed.passages, texts, ids, strict=True):
            body = codec.pack_passage(passage)
            around = _above(passage, sections), _above(passage, chunks)
            rows.append((number, note, *around, passage.start, text, body, codec.checksum(body)))
        self._transaction.change_many(
            "INSERT INTO passages(id, note, section, chunk, start, text, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        self._put_contents(note, indexed.passages, ids)
        self._put_mentions(indexed.mentions, indexed.passages, ids)
        self._transaction.uncommitted.notes += 1
        self._transaction.uncommitted.passages += len(ids)
        return sum(ready for _, ready in texts)

    def _put_file(self, indexed: IndexedNote) -> int:
        """The note's id."""
        file, outline, lines = indexed.file, indexed.outline, indexed.note.lines
        (number,) = self._transaction.new_ids("notes", 1)
        self._transaction.change(
            "INSERT INTO notes(id, path, size, mtime_ns, inode, looked, digest, title, titled, tags, count, lines)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(
                number,
                file.path,
                file.size,
                file.mtime_ns,
                codec.signed(file.inode),
                indexed.looked,
                indexed.note.digest,
            ),
            *(outline.title, int(outline.titled), codec.pack_strings(outline.tags)),
            *(len(lines), codec.pack_lines(lines)),
        )
        return number

    def _put_sections(self, note: int, outline: Outline) -> list[tuple[int, int]]:
        """(first line, id) of each."""
        ((last,),) = self._transaction.rows("SELECT coalesce(max(id), 0) FROM sections")
        ids = range(last + 1, last + 1 + len(outline.sections))
        self._transaction.change_many(
            "INSERT INTO sections(id, note, heading_path, anchor, start) VALUES (?, ?, ?, ?, ?)",
            [
                (number, note, codec.pack_strings(section.heading_path), section.anchor, section.start)
                for number, section in zip(ids, outline.sections, strict=True)
            ],
        )
        return [(section.start, number) for number, section in zip(ids, outline.sections, strict=True)]

    def _put_chunks(self, note: int, indexed: IndexedNote) -> list[tuple[int, int]]:
        """(first line, id) of each."""
        texts = self._texts.register(indexed.embedded_chunks)
        ids = self._transaction.new_ids("chunks", len(indexed.chunks))
        self._transaction.change_many(
            "INSERT INTO chunks(id, note, start, text, body, words, crc) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (number, note, chunk.start, text, *codec.pack_chunk(chunk, tokenizer.terms(chunk.text)))
                for chunk, (text, _), number in zip(indexed.chunks, texts, ids, strict=True)
            ],
        )
        return [(chunk.start, number) for chunk, number in zip(indexed.chunks, ids, strict=True)]

    def _put_contents(self, note: int, passages: Sequence[Passage], ids: Sequence[int]) -> None:
        """The terms of each passage, for full text."""
        contents = contents_of(zip(ids, passages, strict=True))
        for one in contents:
            self._transaction.uncommitted.terms.update({*one.words, *one.headings})
        self._transaction.put_contents(note, contents)

    def _put_mentions(self, mentions: Sequence[Mention], passages: Sequence[Passage], ids: Sequence[int]) -> None:
        """Each with the passage of its lines, else the narrowest around them."""
        exact: dict[tuple[int, int], int] = {}
        for passage, number in zip(passages, ids, strict=True):
            exact.setdefault((passage.start, passage.end), number)
        others = (mention.start for mention in mentions if (mention.start, mention.end) not in exact)
        around = line_spans.narrowest(others, [(passage.start, passage.end) for passage in passages])
        rows = []
        for mention in mentions:
            owner = exact.get((mention.start, mention.end))
            if owner is None and mention.start in around:
                owner = ids[around[mention.start]]
            key = tokenizer.key(mention.name)
            if owner is not None and 0 < len(key) <= _LONGEST_KEY:
                rows.append(codec.pack_mention(key, mention.name, mention.kind, owner))
        self._transaction.put_mentions(rows)

    def touch(self, file: NoteFile, looked: int) -> None:
        """Keeps a newer stat of a note whose content is still the indexed one."""
        self._transaction.change(
            "UPDATE notes SET size = ?, mtime_ns = ?, inode = ?, looked = ? WHERE path = ?",
            *(file.size, file.mtime_ns, codec.signed(file.inode), looked, file.path),
        )

    def refuse(self, file: NoteFile, looked: int, reason: str) -> None:
        """Remembers that a note cannot be read, and forgets what was indexed of it."""
        self.drop(file.path)
        self._transaction.change(
            "INSERT INTO refused(path, size, mtime_ns, inode, looked, reason) VALUES (?, ?, ?, ?, ?, ?)",
            *(file.path, file.size, file.mtime_ns, codec.signed(file.inode), looked, reason),
        )

    def drop(self, path: str) -> None:
        """Forgets a note; nothing happens where there is none."""
        rows, change = self._transaction.rows, self._transaction.change
        change("DELETE FROM refused WHERE path = ?", path)
        for (note,) in rows("SELECT id FROM notes WHERE path = ?", path):
            passages = [passage for (passage,) in rows("SELECT id FROM passages WHERE note = ?", note)]
            self._transaction.uncommitted.notes -= 1
            self._transaction.uncommitted.passages -= len(passages)
            self._transaction.drop_contents(note, passages)
            change("DELETE FROM mentions WHERE passage IN (SELECT id FROM passages WHERE note = ?)", note)
            change("DELETE FROM passages WHERE note = ?", note)
            change("DELETE FROM chunks WHERE note = ?", note)
            change("DELETE FROM sections WHERE note = ?", note)
            change("DELETE FROM notes WHERE id = ?", note)


def contents_of(passages: Iterable[tuple[int, Passage]]) -> list[Contents]:
    """The terms of the passages of one note, each with its id."""
    contents = []
    above: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for number, passage in passages:
        path = passage.heading_path
        if path not in above:
            above[path] = tokenizer.terms("\n".join(path[1:])), tokenizer.terms(path[0])
        headings, title = above[path]
        words = tokenizer.terms(f"{passage.text}\n{passage.label}")
        contents.append(Contents(number, words, headings, title if passage.titled else ()))
    return contents


def _above(passage: Passage, places: Sequence[tuple[int, int]]) -> int:
    """The id of the last of the (first line, id) in `places`, in their order, that begins at the passage or above; 0
    for none."""
    position = bisect_right(places, passage.start, key=itemgetter(0))
    return places[position - 1][1] if position else 0
