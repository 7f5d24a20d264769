"""Which lines of a passage are quoted, and what is stated of them."""

from __future__ import annotations

import math

import pytest

from assistant.records import LineNumber, Passage
from assistant.text.excerpts import excerpt, plain, weight

TAG = ['<limit-by-key calls="10"', '    renewal="60"', '    counter-key="@(context.Address)" />']


def passage(kind: str, lines: list[str], fence: tuple[int, int] | None = None) -> Passage:
    return Passage(
        path="a.md",
        heading_path=("A",),
        anchor="a",
        kind=kind,  # type: ignore[arg-type]  # a plain string here
        label="",
        start=LineNumber(1),
        end=LineNumber(len(lines)),
        text="\n".join(lines),
        titled=True,
        fence=(LineNumber(fence[0]), LineNumber(fence[1])) if fence else None,
        info="",
    )


def test_a_statement_stands_in_its_quote_even_in_a_tag_over_several_lines() -> None:
    """A whole tag is gone from a quote as it is compared, so one of its lines is quoted alone."""
    found = excerpt(passage("fence", TAG, (1, 3)), TAG, {"address": 3.0})
    assert found is not None
    assert plain(found.text) in plain(found.quote)
    assert "counter-key" in found.text
    assert found.start == found.end == 3


@pytest.mark.parametrize("lines", [["x"], ["", " "], ["<a", "b>"]])
def test_what_leaves_nothing_to_state_is_not_quoted(lines: list[str]) -> None:
    found = excerpt(passage("fence", lines, (1, len(lines))), lines, {})
    assert found is None or plain(found.text) in plain(found.quote)


def test_what_a_line_weighs_hangs_on_no_order() -> None:
    words = [f"w{number}" for number in range(40)]
    wanted = {word: 1 / (3 + number) for number, word in enumerate(words)}
    assert weight(" ".join(words), wanted) == math.fsum(wanted.values())


def test_of_a_long_paragraph_the_best_sentence_is_stated_with_its_neighbours() -> None:
    told = [f"Sentence {n} says little of anything that anybody could have asked about today." for n in range(9)]
    told[6] = "Pears rot in May."
    found = excerpt(passage("paragraph", [" ".join(told)]), [" ".join(told)], {"pear": 2.0})
    assert found is not None
    assert found.text.startswith("Sentence 4")
    assert "Pears rot in May. Sentence 7" in found.text
    assert found.text in found.quote
