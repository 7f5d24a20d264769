"""What the two models are trained on, read from `scripts/training`, the vocabulary and, where it is given, a folder of
public data; `assistant/data/models/README.md` lists it with its licences."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from assistant.notes import chunker, chunks, folder, markdown
from assistant.records import Chunk, Note, Passage
from assistant.topics import vocabulary

ROOT = Path(__file__).resolve().parent.parent
FIELDS = ROOT / "scripts" / "training" / "fields"
NAMES = ROOT / "scripts" / "training" / "names"
FOR_THRESHOLDS = frozenset(("photography", "household-finance", "security-engineering"))
"""Fields that no model is trained on; thresholds are fitted and checkpoints compared on them."""
FOR_THE_END = frozenset(("chess-and-board-games", "network-engineering", "vegetable-gardening"))
"""Fields that nothing is trained, fitted or chosen on."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A text, what should lie near it, and what should not."""

    text: str
    near: str
    far: str
    """"" for none."""
    groups: frozenset[str]
    """Two pairs that share a group are never in one batch: what fits one may fit the other."""
    source: str


@dataclass(frozen=True, slots=True)
class ReadNote:
    """A note as the program reads it."""

    passages: tuple[Passage, ...]
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a field with its note."""

    field: str
    row: dict[str, Any]
    note: ReadNote
    gold: tuple[int, ...]
    """Positions of the passages that answer, the best first; empty where the note does not."""

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Of its note."""
        return self.note.passages

    @property
    def text(self) -> str:
        """As a person types it."""
        return str(self.row["question"])


def digests() -> dict[str, str]:
    """SHA-256, hex, over the files of each source in the repository, by path."""
    vocabulary_files = ROOT / "assistant" / "data" / "vocabulary"
    sources = {"fields": FIELDS, "names": NAMES, "vocabulary": vocabulary_files}
    found = {}
    for name, source in sources.items():
        digest = hashlib.sha256()
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            digest.update(path.relative_to(source).as_posix().encode() + b"\0" + path.read_bytes())
        found[name] = digest.hexdigest()
    return found


def training_fields() -> list[str]:
    """The names of the fields that the models may see, sorted."""
    every = {path.name for path in FIELDS.iterdir() if path.is_dir()}
    return sorted(every - FOR_THRESHOLDS - FOR_THE_END)


@cache
def read_note(field: str, path: str) -> ReadNote:
    """A note of a field."""
    return _read(folder.read(FIELDS / field / "notes", path))


@cache
def questions(field: str) -> tuple[Question, ...]:
    """All questions of a field, in the order of its file."""
    found = []
    for line in (FIELDS / field / "questions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        note = read_note(field, row["note"])
        found.append(Question(field, row, note, tuple(_gold(row["lines"] or (), note.passages))))
    return tuple(found)


@cache
def contrasts(field: str) -> tuple[tuple[Question, Question], ...]:
    """Pairs of like questions, the first of which some lines answer; the second nothing answers, and its `gold` are the
    passages that come nearest."""
    found = []
    for line in (FIELDS / field / "near_misses.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        note = read_note(field, row["note"])
        places = tuple(_gold((row["near"],), note.passages))
        twin = Question(field, {**row, "question": row["twin"], "lines": [row["near"]]}, note, places)
        found.append((twin, Question(field, row, note, places)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Misled:
    """A question in other words than the lines that answer it, with a passage that sounds more like it."""

    question: Question
    note: ReadNote | None
    """Where that passage stands; None where there is none."""
    distractors: tuple[int, ...]
    """Positions of its passages."""


@cache
def other_words(field: str) -> tuple[Misled, ...]:
    """All such questions of a field, in the order of its file."""
    found = []
    for line in (FIELDS / field / "other_words.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        note = read_note(field, row["note"])
        question = Question(field, row, note, tuple(_gold(row["lines"], note.passages)))
        away = row["distractor"]
        other = read_note(field, away["note"]) if away is not None else None
        places = tuple(_gold((away["lines"],), other.passages)) if other is not None else ()
        found.append(Misled(question, other, places))
    return tuple(found)


def chunk(of_note: ReadNote, place: int) -> str:
    """What the chunk is embedded as that a passage stands in."""
    passage = of_note.passages[place]
    around = next(c for c in of_note.chunks if c.start <= passage.start and passage.end <= c.end)
    return chunks.embedded(around)


def pairs(public: Path | None) -> Iterator[Pair]:
    """Everything the encoder is trained on, in a fixed order."""
    for field in training_fields():
        for question in (*questions(field), *(one.question for one in other_words(field))):
            yield from _of_question(question)
    yield from _of_names()
    yield from _of_vocabulary()
    if public is not None:
        yield from _of_sentences(public / "nqg" / "data" / "processed")
        yield from _of_commands(public / "tldr" / "pages")
        yield from _of_documentation(public / "prometheus-docs" / "docs")
        yield from _of_answers(public / "wikiqa" / "data" / "raw")


def _read(note: Note) -> ReadNote:
    outline = markdown.outline(note)
    found = chunker.passages(outline, note)
    return ReadNote(found, chunks.chunks(outline, found))


def _gold(places: Sequence[Sequence[int]], of_note: Sequence[Passage]) -> Iterator[int]:
    """The narrowest passages that cover each place, else those that touch it."""
    for first, last in places:
        told = [n for n, p in enumerate(of_note) if p.kind not in ("heading", "label")]
        inside = [n for n in told if first <= of_note[n].start and of_note[n].end <= last]
        touching = [n for n in told if of_note[n].start <= last and first <= of_note[n].end]
        touching.sort(key=lambda n: of_note[n].end - of_note[n].start)
        yield from inside or touching[:1]


def _of_question(question: Question) -> Iterator[Pair]:
    """The best line with a sibling that does not answer, and the text around it."""
    if not question.gold:
        return
    rng = random.Random(f"{question.field}/{question.row['id']}")
    best = question.passages[question.gold[0]]
    others = [
        p
        for n, p in enumerate(question.passages)
        if n not in question.gold and p.kind not in ("heading", "label") and not _touches(p, question)
    ]
    siblings = [p for p in others if p.anchor == best.anchor] or others
    group = f"{question.field}/{question.row['note']}/{best.start}"
    groups = frozenset((group, f"{question.field}/{question.row['note']}/{best.anchor}"))
    far = chunker.embedded(rng.choice(siblings)) if siblings else ""
    yield Pair(question.text, chunker.embedded(best), far, groups, "fields")
    elsewhere = [p for p in others if p.anchor != best.anchor]
    around = chunk(question.note, question.gold[0])
    if elsewhere and rng.random() < 0.5:
        place = question.passages.index(rng.choice(elsewhere))
        yield Pair(question.text, around, chunk(question.note, place), groups, "sections")


def _touches(p: Passage, question: Question) -> bool:
    return any(p.start <= last and first <= p.end for first, last in question.row["lines"])


def _of_names() -> Iterator[Pair]:
    for path in sorted(NAMES.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            rng = random.Random(row["name"])
            groups = frozenset((f"name {row['name']}", f"concept {row['concept'].lower()}"))
            lines = [row["lines"][kind] for kind in sorted(row["lines"])]
            for need in rng.sample(row["needs"], 3):
                yield Pair(need, rng.choice((*lines, row["name"], row["name"])), "", groups, "names")
            yield Pair(rng.choice(row["needs"]), row["concept"], "", groups, "names")
            yield Pair(row["name"], row["concept"], "", groups, "names")


def _of_vocabulary() -> Iterator[Pair]:
    for concept in vocabulary.concepts():
        rng = random.Random(concept.name)
        groups = frozenset((f"concept {concept.name.lower()}",))
        sentences = list(concept.sentences)
        rng.shuffle(sentences)
        names = (concept.name, *concept.names)
        for one, two in zip(sentences[:6:2], sentences[1:6:2], strict=False):
            yield Pair(one, two, "", groups, "vocabulary")
        for sentence in sentences[6:9]:
            yield Pair(sentence, rng.choice(names), "", groups, "vocabulary")


def _of_sentences(processed: Path, share: float = 0.12) -> Iterator[Pair]:
    """Questions with the sentence of an encyclopaedia that answers (SQuAD 1.1 as nqg divides it)."""
    rng = random.Random(1)
    for part in ("dev", "test"):
        sentences = (processed / f"src-{part}.txt").read_text("utf-8").splitlines()
        asked = (processed / f"tgt-{part}.txt").read_text("utf-8").splitlines()
        for n, (sentence, question) in enumerate(zip(sentences, asked, strict=True)):
            if rng.random() < share:
                far = written(sentences[n + 7]) if n + 7 < len(sentences) and sentences[n + 7] != sentence else ""
                yield Pair(written(question), written(sentence), far, frozenset((sentence[:80],)), "sentences")


def written(tokens: str) -> str:
    """Tokens of a corpus as a person writes them."""
    text = tokens.replace("-lrb- ", "(").replace(" -rrb-", ")").replace("`` ", '"').replace(" ''", '"')
    return re.sub(r" ([,.?!;:%]|'s\b|n't\b)", r"\1", text).strip()


def _of_commands(pages: Path, share: float = 0.18) -> Iterator[Pair]:
    """What a command does, with the command."""
    rng = random.Random(2)
    for path in sorted(pages.glob("*/*.md")):
        text = path.read_text("utf-8")
        name = path.stem
        about = next((line[2:] for line in text.splitlines() if line.startswith("> ")), "")
        shown = re.findall(r"^- (.+):\n\n`(.+)`$", text, re.MULTILINE)
        if not shown or rng.random() > 2 * share:
            continue
        does, command = rng.choice(shown)
        groups = frozenset((f"command {name}",))
        asked = re.sub(r"\[(\w)\]", r"\1", does)
        near = f"{name}: {asked} {command}" if rng.random() < 0.3 else f"{name} - {about} {command}"
        yield Pair(
            asked if rng.random() < 0.7 else f"how to {asked[:1].lower()}{asked[1:]}", near, "", groups, "commands"
        )


def _of_documentation(docs: Path) -> Iterator[Pair]:
    """Headings with the text below them; a heading that asks with its answer."""
    for path in sorted(docs.rglob("*.md")):
        note = _read(folder.decode(path.name, path.read_bytes()))
        of_note = note.passages
        for n, passage in enumerate(of_note[:-1]):
            below = of_note[n + 1]
            if passage.kind != "heading" or below.kind in ("heading", "label") or len(below.text.split()) < 6:
                continue
            asked = passage.text.rstrip("#").strip()
            body = chunk(note, n + 1).split(": ", 1)[-1]
            if len(asked.split()) > 1:
                yield Pair(asked, f"{passage.heading_path[0]}: {body}", "", frozenset((path.name,)), "documentation")


def _of_answers(raw: Path) -> Iterator[Pair]:
    """Questions of a search engine with the sentence that answers and one of its article that does not (WikiQA)."""
    for part in ("dev", "test-gold"):
        by_question: dict[str, list[dict[str, str]]] = {}
        with (raw / f"WikiQA-{part}.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                by_question.setdefault(row["Question"], []).append(row)
        for asked, rows in by_question.items():
            good = [row for row in rows if row["Label"] == "1"]
            bad = [row["Sentence"] for row in rows if row["Label"] == "0"]
            if good:
                near = f"{good[0]['DocumentTitle']}: {good[0]['Sentence']}"
                far = f"{good[0]['DocumentTitle']}: {bad[0]}" if bad else ""
                yield Pair(asked, near, far, frozenset((good[0]["DocumentTitle"],)), "answers")
