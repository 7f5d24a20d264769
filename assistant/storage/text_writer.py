"""What a build puts into the index about the notes and the vocabulary: all but vectors."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from assistant.records import Mention, Note, NoteFile, Outline, Passage
from assistant.storage import codec
from assistant.storage.codec import StoredNote
from assistant.storage.schema import VectorFile, text_key
from assistant.storage.transaction import TextId, Transaction
from assistant.text import line_spans, tokenizer

KEPT_IDLE = 3
"""Generations for which the vector of a text that nothing uses any more is kept."""


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


class Texts(Transaction):
    """Takes notes in and out, and publishes them."""

    def note_files(self) -> dict[str, StoredNote]:
        """What is indexed of each note, by path."""
        return codec.stored_notes(self._all(codec.NOTE_FILES))

    def refused(self) -> list[tuple[str, str]]:
        """Path and reason of each note that could not be read, by path."""
        return [(path, reason) for path, reason in self._all("SELECT path, reason FROM refused ORDER BY path")]

    def begin(self, identity: str, versions: str) -> None:
        """Says who makes what comes next; with another encoder all texts that follow are other texts."""
        if identity != self._state.identity:
            self._texts.clear()
            self._change("UPDATE texts SET filed = 0 WHERE filed = 1")
            self._state = replace(self._state, file=VectorFile(), previous=self._state.file.name)
        self._state = replace(self._state, identity=identity, versions=versions)

    def put_note(self, found: IndexedNote) -> int:
        """Puts a note in the place of what stood under its path; how many of its passages have a vector already."""
        self.drop_note(found.file.path)
        file, outline, lines = found.file, found.outline, found.note.lines
        number = self._change(
            "INSERT INTO notes(path, size, mtime_ns, inode, looked, digest, title, titled, tags, count, lines)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(file.path, file.size, file.mtime_ns, codec.signed(file.inode), found.looked, found.note.digest),
            *(outline.title, outline.titled, json.dumps(outline.tags, ensure_ascii=False)),
            *(len(lines), codec.pack_lines(lines)),
        )
        sections = self._put_sections(number, outline)
        texts = self._text_ids(found.embedded)
        ids = self._new_ids("passages", len(found.passages))
        put = []
        for passage, (text, _), own in zip(found.passages, texts, ids, strict=True):
            body = codec.pack_passage(passage)
            section = _section_of(passage, sections)
            put.append((own, number, section, passage.start, text, body, codec.checksum(body)))
        self._change_many(
            "INSERT INTO passages(id, note, section, start, text, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?)", put
        )
        self._put_contents(found.passages, ids)
        self._put_mentions(found.mentions, found.passages, ids)
        self._more.update(notes=1, passages=len(ids))
        return sum(ready for _, ready in texts)

    def _put_sections(self, note: int, outline: Outline) -> list[tuple[int, int]]:
        """(first line, id) of each."""
        last = self._all("SELECT coalesce(max(id), 0) FROM sections")[0][0]
        ids = range(last + 1, last + 1 + len(outline.sections))
        self._change_many(
            "INSERT INTO sections(id, note, heading_path, anchor, start) VALUES (?, ?, ?, ?, ?)",
            [
                (own, note, json.dumps(section.heading_path, ensure_ascii=False), section.anchor, section.start)
                for own, section in zip(ids, outline.sections, strict=True)
            ],
        )
        return [(section.start, own) for own, section in zip(ids, outline.sections, strict=True)]

    def _put_contents(self, passages: Sequence[Passage], ids: Sequence[int]) -> None:
        """What full text finds them by."""
        put = []
        above: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
        for passage, number in zip(passages, ids, strict=True):
            path = passage.heading_path
            if path not in above:
                above[path] = tokenizer.terms("\n".join(path[1:])), tokenizer.terms(path[0])
            headings, title = above[path]
            words = tokenizer.terms(f"{passage.text}\n{passage.label}")
            self._frequencies.update({*words, *headings})
            put.append((number, " ".join(words), " ".join(headings), " ".join(title) if passage.titled else ""))
        self._change_many("INSERT INTO contents(rowid, words, headings, title) VALUES (?, ?, ?, ?)", put)

    def _put_mentions(self, mentions: Sequence[Mention], passages: Sequence[Passage], ids: Sequence[int]) -> None:
        exact: dict[tuple[int, int], int] = {}
        for passage, number in zip(passages, ids, strict=True):
            exact.setdefault((passage.start, passage.end), number)
        lost = (mention.start for mention in mentions if (mention.start, mention.end) not in exact)
        around = line_spans.narrowest(lost, [(passage.start, passage.end) for passage in passages])
        put = []
        for mention in mentions:
            speaks = exact.get((mention.start, mention.end))
            if speaks is None and mention.start in around:
                speaks = ids[around[mention.start]]
            key = tokenizer.key(mention.name)
            if speaks is None or not key:
                continue
            total = codec.mention_sum(key, mention.name, mention.kind, speaks)
            put.append((speaks, key, mention.name, mention.kind, total))
        self._change_many("INSERT INTO mentions(passage, key, name, kind, crc) VALUES (?, ?, ?, ?, ?)", put)

    def _text_ids(self, texts: Sequence[str]) -> list[tuple[TextId, bool]]:
        """Of each text to be embedded the row, which is made where there is none, and whether it has a vector."""
        keys = {text: text_key(self._state.identity, text) for text in texts if text not in self._texts}
        if keys:
            wanted = json.dumps(list(keys.values()))
            found = self._all("SELECT key, id, ready FROM texts WHERE key IN (SELECT value FROM json_each(?))", wanted)
            stored = {key: (TextId(number), bool(ready)) for key, number, ready in found}
            new = [text for text, key in keys.items() if key not in stored]
            ids = dict(zip(new, self._new_ids("texts", len(new)), strict=True))
            self._change_many(
                "INSERT INTO texts(id, key, text) VALUES (?, ?, ?)",
                [(number, keys[text], text) for text, number in ids.items()],
            )
            for text, key in keys.items():
                self._texts[text] = stored[key] if key in stored else (TextId(ids[text]), False)
        return [self._texts[text] for text in texts]

    def touch(self, file: NoteFile, looked: int) -> None:
        """Keeps the newer look at a note whose content is still the indexed one."""
        self._change(
            "UPDATE notes SET size = ?, mtime_ns = ?, inode = ?, looked = ? WHERE path = ?",
            *(file.size, file.mtime_ns, codec.signed(file.inode), looked, file.path),
        )

    def refuse(self, file: NoteFile, looked: int, reason: str) -> None:
        """Remembers that a note cannot be read, and forgets what stood in it."""
        self.drop_note(file.path)
        self._change(
            "INSERT INTO refused VALUES (?, ?, ?, ?, ?, ?)",
            *(file.path, file.size, file.mtime_ns, codec.signed(file.inode), looked, reason),
        )

    def drop_note(self, path: str) -> None:
        """Forgets a note; nothing happens where there is none."""
        self._change("DELETE FROM refused WHERE path = ?", path)
        for (note,) in self._all("SELECT id FROM notes WHERE path = ?", path):
            gone = self._all("SELECT id FROM passages WHERE note = ?", note)
            self._more.update(notes=-1, passages=-len(gone))
            for (passage,) in gone:
                for words, headings in self._all("SELECT words, headings FROM contents WHERE rowid = ?", passage):
                    self._frequencies.subtract({*words.split(), *headings.split()})
                self._change("DELETE FROM contents WHERE rowid = ?", passage)
                self._change("DELETE FROM mentions WHERE passage = ?", passage)
            self._change("DELETE FROM passages WHERE note = ?", note)
            self._change("DELETE FROM sections WHERE note = ?", note)
            self._change("DELETE FROM notes WHERE id = ?", note)

    def forget_matches(self) -> None:
        """Has every topic compared with the vocabulary again."""
        self._change("DELETE FROM matches")
        self._change("DELETE FROM sentences")
        self._change("DELETE FROM concept_words")
        self._change("UPDATE keys SET matched = 0")

    def unmatched(self) -> list[str]:
        """Topic keys that were not compared with the vocabulary yet, sorted."""
        self._change("DELETE FROM matches WHERE key IN (SELECT key FROM keys WHERE uses = 0)")
        self._change("DELETE FROM keys WHERE uses = 0")
        return [key for (key,) in self._all("SELECT key FROM keys WHERE matched = 0 ORDER BY key")]

    def set_concepts(
        self,
        keys: Sequence[str],
        matches: Mapping[str, Mapping[str, bool]],
        sentences: Mapping[str, Sequence[str]],
        words: Callable[[Sequence[str]], Iterable[tuple[str, str, float, float]]],
    ) -> None:
        """Takes the concepts that match each of `keys` (topic key → concept → whether it is the whole name) and, of
        the whole vocabulary, each concept's name and sentences; those of concepts that match no topic are left out.
        `words` gives (term, concept, weight, named) of the concepts it is asked for."""
        self._change_many("UPDATE keys SET matched = 1 WHERE key = ?", [(key,) for key in keys])
        found = [(key, concept, int(whole)) for key in keys for concept, whole in sorted(matches.get(key, {}).items())]
        self._change_many(
            "INSERT OR REPLACE INTO matches VALUES (?, ?, ?, ?)", [(*match, codec.match_sum(*match)) for match in found]
        )
        used = {concept for (concept,) in self._all("SELECT DISTINCT concept FROM matches")}
        known = {concept for (concept,) in self._all("SELECT concept FROM sentences WHERE position = 0")}
        for concept in sorted(known - used):
            self._change("DELETE FROM sentences WHERE concept = ?", concept)
            self._change("DELETE FROM concept_words WHERE concept = ?", concept)
        new = sorted(used - known)
        said = [(concept, each) for concept in new for each in enumerate((concept, *sentences.get(concept, ())))]
        texts = self._text_ids([sentence for _, (_, sentence) in said])
        self._change_many(
            "INSERT INTO sentences VALUES (?, ?, ?, ?)",
            [(concept, *each, text) for (concept, each), (text, _) in zip(said, texts, strict=True)],
        )
        self._change_many(
            "INSERT INTO concept_words VALUES (?, ?, ?, ?, ?)",
            [(*word, codec.word_sum(*word)) for word in sorted(words(new))],
        )

    def publish(self) -> int:
        """Commits what was put and dropped as the next generation, and returns its number."""
        self._count_terms()
        generation = self._state.generation + 1
        self._change("UPDATE texts SET idle = ? WHERE idle IS NULL AND uses = 0 AND others = 0", generation)
        gone = f"SELECT id FROM texts WHERE uses = 0 AND others = 0 AND filed = 0 AND idle <= {generation - KEPT_IDLE}"
        self._change(f"DELETE FROM vectors WHERE text IN ({gone})")
        self._change(f"DELETE FROM texts WHERE id IN ({gone})")
        self._change("DELETE FROM texts WHERE uses = 0 AND others = 0 AND ready = 0")
        self._state = replace(self._state, generation=generation)
        self._commit(self._pending())
        self._clean()
        return generation

    def _count_terms(self) -> None:
        """Adds to the passages of each term what was put in, and takes off what was taken out."""
        more = {term: n for term, n in sorted(self._frequencies.items()) if n}
        found = self._all(
            "SELECT term, n, crc FROM frequencies WHERE term IN (SELECT value FROM json_each(?))",
            json.dumps(list(more)),
        )
        known = codec.unpack_frequencies(found)
        now = {term: known.get(term, 0) + n for term, n in more.items()}
        self._change_many("DELETE FROM frequencies WHERE term = ?", [(term,) for term in known if now[term] <= 0])
        self._change_many(
            "INSERT OR REPLACE INTO frequencies VALUES (?, ?, ?)",
            [(term, n, codec.frequency_sum(term, n)) for term, n in now.items() if n > 0],
        )
        self._frequencies.clear()


def _section_of(passage: Passage, sections: Sequence[tuple[int, int]]) -> int:
    """The id of the last section, in their order, that begins at the passage or above; 0 for none."""
    at = bisect_right(sections, passage.start, key=itemgetter(0))
    return sections[at - 1][1] if at else 0
