"""Trains the reader's adapter: a cross-encoder that scores the texts of a group and "none of them" against each other,
and says where in them the answer begins and ends.

The loss is the softmax over a group's logits and a fixed 0 for "none answers", with binary cross-entropy beside it, so
that one logit both orders texts and says whether one answers at all. Where the words of the answer are known, softmaxes
over the tokens of all texts of the group are added for its first and for its last token (as in extractive question
answering, Devlin et al. 2018, but over several texts: Clark and Gardner 2018).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import reader_examples as examples
import torch
from reader_examples import Group
from torch import Tensor, nn
from training_examples import FOR_THRESHOLDS, Question, questions
from training_runs import Plan, Run, base, with_lora, write_adapter
from transformers import AutoModelForSequenceClassification, AutoTokenizer

EPOCHS = 2
STEPS = 1600
"""Of these epochs that are done."""
GROUPS = 8
"""Groups a step."""
RATE = 6e-4
TOKENS = 112
SPAN = 1.0
"""What the loss of the answer's place counts."""
FIRST_LAYER = 2
"""Layers below it stay as they are: they cost a third of the time and change least."""


class Reader:
    """The base as a cross-encoder with one logit a pair, and two a token."""

    def __init__(self) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(base())
        plain = AutoModelForSequenceClassification.from_pretrained(base(), num_labels=1)
        plain.span = nn.Linear(plain.config.hidden_size, 2)
        self.model: Any = with_lora(plain, kept=("pooler", "classifier", "span"), first=FIRST_LAYER)

    def logits(self, asked: Sequence[str], texts: Sequence[str]) -> Tensor:
        """(pairs,): above 0 where the text answers."""
        return self.read(asked, texts)[0]

    def read(self, asked: Sequence[str], texts: Sequence[str]) -> tuple[Tensor, Tensor, Any]:
        """(pairs,): above 0 where the text answers; (pairs, tokens, 2): how likely the answer begins and ends there;
        what the tokeniser made of the pairs."""
        given = self.tokenizer(
            list(asked), list(texts), truncation="only_second", max_length=TOKENS, padding=True, return_tensors="pt"
        )
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = self.model(**given, output_hidden_states=True)
            spans = self.model.base_model.model.span(found.hidden_states[-1])
        return found.logits[:, 0].float(), spans.float(), given


def train(folder: Path, public: Path | None, out: Path, plan: Plan) -> None:
    """Trains, or goes on with, the run in `folder` and writes `out`."""
    torch.manual_seed(0)  # the head starts at random
    reader = Reader()
    epochs = range(plan.first, plan.first + EPOCHS)
    batches = [batch for epoch in epochs for batch in _batches(examples.groups(epoch, public), epoch)]
    batches = batches[: STEPS if plan.steps is None else plan.steps]
    pairs = sum(len(group.texts) for batch in batches for group in batch)
    print(f"{pairs} pairs, {len(batches)} steps", flush=True)
    run = Run(folder, reader.model, len(batches), RATE, begin=plan.begin)
    reader.model.train()
    for step in run.steps_left():
        run.learn(_loss(reader, batches[step]))
        if (step + 1) % 250 == 0:
            print(f"step {step + 1}: {evaluate(reader, FOR_THRESHOLDS, share=0.25)}", flush=True)
            write_adapter(out.with_suffix(".partial"), reader.model, prefix="bert.")
    figures = {**evaluate(reader, FOR_THRESHOLDS), "pairs": pairs}
    print(figures, flush=True)
    write_adapter(out, reader.model, prefix="bert.")


def _batches(found: Sequence[Group], epoch: int) -> list[list[Group]]:
    """Groups of like length together, which pads less, in a random order."""
    wide = GROUPS * 30
    batches = []
    for start in range(0, len(found), wide):
        part = sorted(found[start : start + wide], key=lambda g: max(len(text) for text in g.texts))
        batches += [part[n : n + GROUPS] for n in range(0, len(part), GROUPS)]
    random.Random(epoch).shuffle(batches)
    return batches


def _loss(reader: Reader, batch: Sequence[Group]) -> Tensor:
    asked, texts = [g.question for g in batch for _ in g.texts], [text for g in batch for text in g.texts]
    logits, spans, given = reader.read(asked, texts)
    loss = logits.new_zeros(())
    first = 0
    for group, own in zip(batch, logits.split([len(g.texts) for g in batch]), strict=True):
        loss = loss + SPAN * _span_loss(group, spans[first : first + len(group.texts)], given, first)
        first += len(group.texts)
        every = torch.logsumexp(torch.cat([own, own.new_zeros(1)]), 0)
        right = torch.zeros_like(own)
        if group.answered:
            right[0] = 1.0
        alone = nn.functional.binary_cross_entropy_with_logits(own, right)
        loss = loss + every - (own[0] if group.answered else 0.0) + 0.5 * alone
    return loss / len(batch)


def _span_loss(group: Group, spans: Tensor, given: Any, first: int) -> Tensor:
    """0 where the words of the answer are not known or stand in no text."""
    ends: tuple[list[int], list[int]] = ([], [])
    wide = spans.shape[1]
    told = torch.zeros(len(group.texts) * wide, dtype=torch.bool)
    for n, text in enumerate(group.texts):
        told[n * wide : (n + 1) * wide] = torch.tensor([kind == 1 for kind in given.sequence_ids(first + n)])
        for start, end in found_in(group.answer, text):
            for side, place in ((0, start), (1, end - 1)):
                token = given.char_to_token(first + n, place, sequence_index=1)
                if token is not None:
                    ends[side].append(n * wide + token)
    loss = spans.new_zeros(())
    for side in (0, 1):
        if ends[side]:
            values = spans[:, :, side].reshape(-1).masked_fill(~told, -1e4)
            loss = loss + 0.5 * (torch.logsumexp(values, 0) - torch.logsumexp(values[ends[side]], 0))
    return loss


def found_in(words: str, text: str) -> list[tuple[int, int]]:
    """Every place of these words in the text, whatever stands between them."""
    parts = re.findall(r"\w+", words)
    if not parts:
        return []
    pattern = r"(?<!\w)" + r"\W{1,4}".join(map(re.escape, parts)) + r"(?!\w)"
    return [found.span() for found in re.finditer(pattern, text, re.IGNORECASE)]


def evaluate(reader: Reader, fields: frozenset[str], share: float = 1.0) -> dict[str, float]:
    """On fields that were not trained on: AUC of the best logit, answerable against near misses and against the same
    questions with their lines deleted; and the share of answerable questions whose line, or section, is first."""
    reader.model.eval()
    answerable, near_miss, deleted = [], [], []
    line = section = words = 0
    for field in sorted(fields):
        for question in questions(field)[:: round(1 / share)]:
            order = examples.ranked(question)[:16]
            logits = _read(reader, question, order)
            if not question.gold:
                near_miss += [max(logits)] if question.row["kind"] == "near_miss" else []
                continue
            right = examples.gold(question)
            best = order[max(range(len(order)), key=lambda n: logits[n])]
            anchors = {question.passages[n].anchor for n in right}
            line += best in right
            words += order[0] in right
            section += question.passages[best].anchor in anchors
            answerable.append(max(logits))
            rest = [n for n in order if n not in right]
            if rest:
                deleted.append(max(_read(reader, question, rest, frozenset(right))))
    reader.model.train()
    asked = len(answerable)
    return {
        "near_miss": _auc(answerable, near_miss),
        "deleted": _auc(answerable, deleted),
        "line": round(line / asked, 3),
        "section": round(section / asked, 3),
        "line_by_words": round(words / asked, 3),
        "questions": asked,
    }


def _read(
    reader: Reader, question: Question, order: Sequence[int], without: frozenset[int] = frozenset()
) -> list[float]:
    with torch.no_grad():
        texts = [examples.text_of(question.text, question.note, n, without) for n in order]
        found: list[float] = reader.logits([question.text] * len(texts), texts).tolist()
    return found


def _auc(above: Sequence[float], below: Sequence[float]) -> float:
    won = sum((a > b) + 0.5 * (a == b) for a in above for b in below)
    return round(won / max(1, len(above) * len(below)), 3)
