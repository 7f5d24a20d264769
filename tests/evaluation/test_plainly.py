"""What the notes hold is found when it is asked for plainly, with the real model."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from assistant import Assistant
from assistant.storage import Store
from tests.evaluation.plainly import plain_questions

SHARE = 0.98


def test_every_fence_tree_line_definition_and_pair_is_found(root: Path, tmp_path: Path, corpus_index: Path) -> None:
    index = shutil.copytree(corpus_index, tmp_path / "index")
    asked, wrong = Counter[str](), list[str]()
    with Assistant(root / "corpus", index=index) as assistant:
        assistant.update()
        with Store.open(index) as store:
            passages = list(store.passages(store.passage_ids()).values())
        for one in plain_questions(passages):
            asked[one.kind] += 1
            if not one.is_right(assistant.ask(one.question)):
                wrong.append(f"{one.kind}: {one.question}")
    assert set(asked) == {"fence", "tree", "definition", "pair"}
    assert 1 - len(wrong) / asked.total() >= SHARE, wrong
