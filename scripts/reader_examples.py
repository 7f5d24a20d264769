"""What the reader is trained on: a question with a few texts, of which the first answers or none does."""

from __future__ import annotations

import csv
import json
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import training_examples as examples
from training_examples import Misled, Question, ReadNote

from assistant.reading import layout
from assistant.records import Passage
from assistant.retrieval.scoring import HALF
from assistant.text.stop_words import content
from assistant.text.tokenizer import terms

T = TypeVar("T")
GROUP = 5
"""Texts of a group at most."""
_FEW = 8
"""Words of an answer that is looked for in a text, at most."""
_NEAR = 14
"""The passages most like the question by words, from which negatives are drawn."""


@dataclass(frozen=True, slots=True)
class Group:
    """A question with texts; the first one answers where `answered`, the others never do."""

    question: str
    texts: tuple[str, ...]
    answered: bool
    source: str
    answer: str = ""
    """What the question asks for: a name, or a few words that stand in the first text; "" where it is not known."""


def groups(epoch: int, public: Path | None) -> list[Group]:
    """All groups of an epoch, shuffled; negatives and deletions are drawn anew each epoch."""
    found: list[Group] = []
    for field in examples.training_fields():
        for question in examples.questions(field):
            rng = random.Random(f"{epoch}/{field}/{question.row['id']}")
            found += _of_question(question, rng)
        for twin, near_miss in examples.contrasts(field):
            found += _of_contrast(twin, near_miss, random.Random(f"{epoch}/{twin.row['id']}"))
        for one in examples.other_words(field):
            found += _of_other_words(one, random.Random(f"{epoch}/{one.question.row['id']}"))
    found += _of_names(epoch)
    if public is not None:
        found += _of_sentences(public / "nqg" / "data" / "processed", epoch)
        found += _of_articles(public / "wikiqa" / "data" / "raw")
        found += _of_commands(public / "tldr" / "pages", epoch)
    random.Random(epoch).shuffle(found)
    return found


def ranked(question: Question) -> list[int]:
    """Positions of the passages of the note, headings and labels aside, most like the question by words first."""
    wanted = set(terms(question.text))
    told = [n for n, p in enumerate(question.passages) if p.kind not in ("heading", "label")]
    bags = {n: _bag(question.passages[n]) for n in told}
    weight: dict[str, float] = {t: 1.0 / (1 + sum(t in bag for bag in bags.values())) ** 0.5 for t in wanted}

    def likeness(n: int) -> float:
        return sum(weight[t] for t in wanted & bags[n]) / math.pow(HALF + len(bags[n]), 0.3)

    return sorted(told, key=lambda n: (-likeness(n), n))


def gold(question: Question) -> set[int]:
    """Positions of passages that touch a line that answers."""
    places = question.row["lines"] or ()
    return {n for n, p in enumerate(question.passages) if any(p.start <= b and a <= p.end for a, b in places)}


def text_of(asked: str, note: ReadNote, place: int, without: frozenset[int] = frozenset()) -> str:
    """What the reader reads of a passage for a question; passages that are `without` are taken out of the note."""
    passage = note.passages[place]
    kept = (p for n, p in enumerate(note.passages) if n not in without and p.anchor == passage.anchor)
    return layout.of_passage(passage, kept, frozenset(content(asked)))


@cache
def _terms(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def _bag(passage: Passage) -> frozenset[str]:
    return _terms(f"{' '.join(passage.heading_path[1:])} {passage.label} {passage.text}")


def _of_question(question: Question, rng: random.Random) -> Iterator[Group]:
    right = gold(question)
    others = [n for n in ranked(question) if n not in right]
    near, far = others[:_NEAR], others[_NEAR:]
    section = {question.passages[n].anchor for n in right}
    siblings = [n for n in others if question.passages[n].anchor in section]
    if question.gold:
        best = question.gold[0] if rng.random() < 0.75 else rng.choice(question.gold)
        drawn = _some(siblings, 2, rng) + _some(near, 3, rng) + _some(far, 1, rng)
        negatives = list(dict.fromkeys(drawn))[: GROUP - 1]
        texts = tuple(text_of(question.text, question.note, n) for n in (best, *negatives))
        yield Group(question.text, texts, True, "answered", _answer(question))
        if rng.random() < 0.4:
            without = frozenset(right)
            negatives = list(dict.fromkeys(_some(siblings, 2, rng) + _some(near, 4, rng)))[: GROUP - 1]
            texts = tuple(text_of(question.text, question.note, n, without) for n in negatives)
            if texts:
                yield Group(question.text, texts, False, "deleted")
    elif others and question.row["lines"] is None:
        negatives = list(dict.fromkeys(others[:2] + _some(near, 3, rng)))[: GROUP - 1]
        texts = tuple(text_of(question.text, question.note, n) for n in negatives)
        yield Group(question.text, texts, False, question.row["kind"])


def _of_contrast(twin: Question, near_miss: Question, rng: random.Random) -> Iterator[Group]:
    """The same lines beside the question that they answer and beside the one that they only come near."""
    if not twin.gold:
        return
    right = gold(twin)
    best = twin.gold[0]
    section = twin.passages[best].anchor
    for question, number in ((twin, GROUP - 1), (near_miss, GROUP - 2)):
        others = [n for n in ranked(question) if n not in right]
        siblings = [n for n in others if question.passages[n].anchor == section]
        negatives = list(dict.fromkeys(_some(siblings, 2, rng) + _some(others[:_NEAR], number, rng)))[:number]
        texts = tuple(text_of(question.text, question.note, n) for n in (best, *negatives))
        yield Group(question.text, texts, question is twin, "contrast", _answer(twin) if question is twin else "")


def _of_other_words(one: Misled, rng: random.Random) -> Iterator[Group]:
    """The lines that answer beside those that sound more like the question, and sometimes the latter without the
    former."""
    question = one.question
    right = gold(question)
    if not question.gold:
        return

    def text(place: int, without: frozenset[int] = frozenset()) -> str:
        return text_of(question.text, question.note, place, without)

    away = [text_of(question.text, one.note, n) for n in one.distractors[:1]] if one.note is not None else []
    others = [n for n in ranked(question) if n not in right]
    siblings = [n for n in others if question.passages[n].anchor == question.passages[question.gold[0]].anchor]
    drawn = list(dict.fromkeys(_some(siblings, 2, rng) + _some(others[:_NEAR], 3, rng)))
    texts = dict.fromkeys([text(question.gold[0]), *away, *map(text, drawn)])
    yield Group(question.text, tuple(texts)[:GROUP], True, "other words", _answer(question))
    if rng.random() < 0.4:
        gone = frozenset(right) if one.note is question.note else frozenset[int]()
        away = [text_of(question.text, one.note, n, gone) for n in one.distractors[:1]] if one.note is not None else []
        texts = dict.fromkeys([*away, *(text(n, frozenset(right)) for n in drawn)])
        if texts:
            yield Group(question.text, tuple(texts)[: GROUP - 1], False, "deleted")


def _answer(question: Question) -> str:
    """The name that is asked for, else the words that answer where they are few."""
    row = question.row
    words = str(row.get("name") or row["answer"])
    return words if len(words.split()) <= _FEW else ""


def _some(of: Sequence[T], number: int, rng: random.Random) -> list[T]:
    return rng.sample(list(of), min(number, len(of)))


def _of_names(epoch: int) -> Iterator[Group]:
    """A need with a line about what fits it, and lines about other things of the same file; the names stand in the
    lines or, for some groups, in the headings over them."""
    rng = random.Random(f"names {epoch}")
    for path in sorted(examples.NAMES.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for n, row in enumerate(rows):
            around = [r for r in rows[max(0, n - 12) : n + 12] if r["concept"].lower() != row["concept"].lower()]
            others = _some(around, 3, rng)
            answered = rng.random() < 0.8 or not others
            under = rng.random() < 0.35
            drawn = [_line_of(r, under, rng) for r in ((row, *others) if answered else others)]
            answer = drawn[0][1] if answered else ""
            yield Group(rng.choice(row["needs"]), tuple(text for text, _ in drawn), answered, "needs", answer)


def _line_of(row: dict[str, Any], under: bool, rng: random.Random) -> tuple[str, str]:
    """A text of a name, with the spelling of it that stands there; `under` puts it into the heading."""
    line = rng.choice(sorted(row["lines"].values()))
    spelling = next((name for name in (row["name"], *row["also"]) if name.lower() in line.lower()), row["name"])
    if not under:
        return layout.of_line(line), spelling
    lead = rf"^[-*|\s]*[*`]*{re.escape(spelling)}[*`]*\s*(?:[:|–—-]|→)\s*"
    return layout.of_line(re.sub(lead, "", line, flags=re.IGNORECASE), row["name"]), row["name"]


def _of_sentences(processed: Path, epoch: int, share: float = 0.04) -> Iterator[Group]:
    rng = random.Random(f"sentences {epoch}")
    for part in ("dev", "test"):
        sentences = [examples.written(s) for s in (processed / f"src-{part}.txt").read_text("utf-8").splitlines()]
        asked = (processed / f"tgt-{part}.txt").read_text("utf-8").splitlines()
        for n, question in enumerate(asked):
            if rng.random() < share:
                around = {s for s in sentences[max(0, n - 20) : n + 20] if s != sentences[n]}
                others = _some(sorted(around), 3, rng)
                answered = rng.random() < 0.7
                texts = tuple(map(layout.of_line, (sentences[n], *others) if answered else others))
                if texts:
                    yield Group(examples.written(question), texts, answered, "sentences")


def _of_articles(raw: Path) -> Iterator[Group]:
    """Questions with sentences of an article that answers, or, for two in three, does not."""
    with (raw / "WikiQA-test-gold.tsv").open(encoding="utf-8", newline="") as file:
        by_question: dict[str, list[dict[str, str]]] = {}
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            by_question.setdefault(row["Question"], []).append(row)
    for asked, rows in by_question.items():
        good = [row["Sentence"] for row in rows if row["Label"] == "1"]
        bad = [row["Sentence"] for row in rows if row["Label"] == "0"]
        texts = tuple(map(layout.of_line, (*good[:1], *bad[: GROUP - 1])))
        if texts:
            yield Group(asked, texts, bool(good), "articles")


def _of_commands(pages: Path, epoch: int, share: float = 0.25) -> Iterator[Group]:
    """What a command does, with the command and others of the same program, as blocks of code in notes."""
    rng = random.Random(f"commands {epoch}")
    for path in sorted(pages.glob("*/*.md")):
        shown = re.findall(r"^- (.+):\n\n`(.+)`$", path.read_text("utf-8"), re.MULTILINE)
        if len(shown) < 3 or rng.random() > share:
            continue
        right, *others = rng.sample(shown, min(len(shown), GROUP))
        does = re.sub(r"\[(\w)\]", r"\1", right[0])
        asked = does if rng.random() < 0.4 else f"how do I {does[:1].lower()}{does[1:]}"
        if path.stem.lower() not in asked.lower() and rng.random() < 0.5:
            asked = f"{asked} with {path.stem}"
        answered = rng.random() < 0.8
        drawn = [right, *others] if answered else others
        texts = tuple(layout.of_line(re.sub(r"\{\{|\}\}", "", command), path.stem) for _, command in drawn)
        yield Group(asked, texts, answered, "commands")
