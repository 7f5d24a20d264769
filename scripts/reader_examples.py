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
from typing import TypeVar

import training_examples as examples
from training_examples import Question

from assistant.reading import layout
from assistant.records import Passage
from assistant.retrieval.scoring import HALF
from assistant.text.tokenizer import terms

T = TypeVar("T")
GROUP = 5
"""Texts of a group at most."""
_NEAR = 14
"""The passages most like the question by words, from which negatives are drawn."""


@dataclass(frozen=True, slots=True)
class Group:
    """A question with texts; the first one answers where `answered`, the others never do."""

    question: str
    texts: tuple[str, ...]
    answered: bool
    source: str


def groups(epoch: int, public: Path | None) -> list[Group]:
    """All groups of an epoch, shuffled; negatives and deletions are drawn anew each epoch."""
    found: list[Group] = []
    for field in examples.training_fields():
        for question in examples.questions(field):
            rng = random.Random(f"{epoch}/{field}/{question.row['id']}")
            found += _of_question(question, rng)
    found += _of_names(epoch)
    if public is not None:
        found += _of_sentences(public / "nqg" / "data" / "processed", epoch)
        found += _of_articles(public / "wikiqa" / "data" / "raw")
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


def text_of(question: Question, place: int, without: frozenset[int] = frozenset()) -> str:
    """What the reader reads of a passage; passages that are `without` are taken out of the note."""
    passage = question.passages[place]
    kept = (p for n, p in enumerate(question.passages) if n not in without and p.anchor == passage.anchor)
    return layout.of_passage(passage, kept)


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
        yield Group(question.text, tuple(text_of(question, n) for n in (best, *negatives)), True, "answered")
        if rng.random() < 0.4:
            without = frozenset(right)
            negatives = list(dict.fromkeys(_some(siblings, 2, rng) + _some(near, 4, rng)))[: GROUP - 1]
            texts = tuple(text_of(question, n, without) for n in negatives)
            if texts:
                yield Group(question.text, texts, False, "deleted")
        yield from _of_name(question, rng)
    elif others and question.row["lines"] is None:
        negatives = list(dict.fromkeys(others[:2] + _some(near, 3, rng)))[: GROUP - 1]
        texts = tuple(text_of(question, n) for n in negatives)
        yield Group(question.text, texts, False, question.row["kind"])


def _of_name(question: Question, rng: random.Random) -> Iterator[Group]:
    """The name that fits beside other names of its line, its headings and of lines like the question."""
    name = question.row.get("name")
    if not name:
        return
    best = question.passages[question.gold[0]]
    others: list[tuple[str, Passage]] = []
    for n in (question.gold[0], *ranked(question)[:6]):
        passage = question.passages[n]
        others += [(other, passage) for other in named(passage) if not _alike(other, name)]
    own = [pair for pair in others if pair[1] is best]
    drawn = _some(own, 3, rng) + _some(others, GROUP - 1, rng)
    chosen = list(dict.fromkeys((n, p.start) for n, p in drawn))[: GROUP - 1]
    by_start = {p.start: p for _, p in drawn}
    if chosen:
        texts = (layout.of_name(name, best), *(layout.of_name(n, by_start[start]) for n, start in chosen))
        yield Group(question.text, texts, True, "name")


def named(passage: Passage) -> list[str]:
    """Words of a passage and its headings that could be a name."""
    text = passage.text
    found = [passage.heading_path[-1], passage.label]
    found += re.findall(r"^([^:;,.(]{2,40}?)(?::| [–—-] | → | is | are )", text)
    found += re.findall(r"→ ([^,;.(]{2,40})", text)
    found += re.findall(r"(?<!\S)(--?[a-z][\w-]+|[a-z]+[_-][\w.-]+|[A-Z]\w*[A-Z]\w*)", text)
    found += re.findall(r"(?<=[a-z,] )([A-Z][\w-]+(?: [A-Z][\w-]+)*)", text)
    found += [cell.split(": ")[-1] for cell in text.split("; ")[:3]] if passage.kind == "row" else []
    return list(dict.fromkeys(name.strip() for name in found if 1 < len(name.strip()) < 50))


def _alike(one: str, other: str) -> bool:
    a, b = set(terms(one)), set(terms(other))
    return not a or a <= b or b <= a


def _some(of: Sequence[T], number: int, rng: random.Random) -> list[T]:
    return rng.sample(list(of), min(number, len(of)))


def _of_names(epoch: int, share: float = 0.5) -> Iterator[Group]:
    """A need with a line about what fits it, and lines about other things of the same file."""
    rng = random.Random(f"names {epoch}")
    for path in sorted(examples.NAMES.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for n, row in enumerate(rows):
            if rng.random() > share:
                continue
            around = [r for r in rows[max(0, n - 12) : n + 12] if r["concept"].lower() != row["concept"].lower()]
            others = _some(around, 3, rng)
            lines = [rng.choice(sorted(r["lines"].values())) for r in (row, *others)]
            answered = rng.random() < 0.8 or not others
            texts = tuple(layout.of_line(line) for line in (lines if answered else lines[1:]))
            yield Group(rng.choice(row["needs"]), texts, answered, "needs")


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
