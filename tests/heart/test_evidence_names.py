"""The names in the lines that answer: which are found, and which noun is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.answering.evidence_names import beside, found_names, named_by_reader
from assistant.question.intent import asked_nouns
from assistant.records import LineNumber, Passage, PassageKind
from assistant.text.tokenizer import terms

PROSE = Passage("n.md", ("N",), "n", "paragraph", "", LineNumber(1), LineNumber(1), "", titled=False)


def names(line: str, kind: PassageKind = "paragraph") -> set[tuple[str, str]]:
    passage = replace(PROSE, kind=kind, fence=(LineNumber(1), LineNumber(1)) if kind == "step" else None)
    return {(found.name, found.kind) for found in found_names(0, passage, [line])}


@pytest.mark.parametrize(
    ("line", "name", "kind"),
    [
        ("Proof the loaf with the `--slow` switch.", "--slow", "span"),
        ("A **bulk ferment** comes first.", "bulk ferment", "bold"),
        ("The *poolish* rests overnight.", "poolish", "bold"),
        ("See [Cold proof](cold.md) for more.", "Cold proof", "link"),
        ("- Dutch oven: keeps the steam in", "Dutch oven", "subject"),
        ("yellow lid = packaging, green lid = the rest", "green lid", "glossed"),
        ("Set crust_level before you bake.", "crust_level", "shape"),
        ("It calls dough.rest() and waits.", "dough.rest", "shape"),
        ("Use `Partial<Loaf>` for that.", "Partial", "span"),
        ("I always suggest Dough Lab for rye.", "Dough Lab", "proper"),
        ("We use loafwatch to see when it is done.", "loafwatch", "rare"),
    ],
)
def test_a_name_is_found_in_a_line(line: str, name: str, kind: str) -> None:
    assert (name, kind) in names(line)


def test_the_first_cell_of_a_row_names_it() -> None:
    assert ("Rye", "cell") in names("| Rye | 18 h | dense |", "row")


def test_what_stands_over_a_line_names_it() -> None:
    passage = replace(PROSE, heading_path=("Ovens", "Models", "Hearth Pro"), label="Steam oven")
    found = {found.name for found in found_names(0, passage, ["It holds the heat for hours."]) if found.kind == "over"}
    assert found == {"Ovens", "Hearth Pro", "Steam oven"}


def test_a_line_of_code_gives_its_command_and_its_value() -> None:
    assert {("bake", "command"), ("bake loaf", "command")} <= names("$ bake loaf --slow", "step")
    assert ("steamed", "value") in names("crust.mode: steamed", "step")


@pytest.mark.parametrize("text", ["`{}`", "`bake or proof`", "`" + "x" * 60 + "`", "`a b c d e f`", "`...`"])
def test_what_can_be_no_name_is_none(text: str) -> None:
    assert not {kind for _, kind in names(f"Then {text} follows")} & {"span"}


@pytest.mark.parametrize("line", ["**How to bake**: heat it", "[this page](a.md) says", "e.g: rye", "https: a scheme"])
def test_words_that_ask_or_point_begin_no_name(line: str) -> None:
    assert not names(line)


def test_a_single_letter_is_a_name_only_where_it_is_marked() -> None:
    assert ("C", "span") in names("Put `C` beside it.")
    assert not any(name == "C" for name, _ in names("Put C beside it."))


def test_the_noun_behind_the_last_question_word_is_asked_for() -> None:
    assert "flag" in asked_nouns("Which oven is on? And which flag turns it off?")
    assert "oven" not in asked_nouns("Which oven is on? And which flag turns it off?")
    assert asked_nouns("How long does it rest?") == frozenset()


def test_a_noun_stands_beside_a_name() -> None:
    nouns = asked_nouns("Which flag keeps the crust soft?")
    assert beside("--soft", "Turn on the `--soft` flag for that", nouns)
    assert not beside("--soft", "The `--soft` switch is another thing than a flag", nouns)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("takatalvi", "takatalvi"),
        ("The Work Number", "Work Number"),
        ("GitGutter (monitors", "GitGutter"),
        ("--no-wait", "--no-wait"),
        ("Leaf Nodes", "Leaf Nodes"),
        ("rye poolish", "rye poolish"),
        ("calmly", None),
        ("cold dough calmly", None),
        ("It’s a text", None),
        ("always, ALWAYS take rye", None),
        ("This is enforced", None),
    ],
)
def test_what_the_reader_finds_is_a_name_where_it_can_be_one(said: str, name: str | None) -> None:
    found = named_by_reader(3, said, terms("How does the dough rest in the cold?"))
    assert (found.name if found is not None else None) == name
    assert found is None or (found.place, found.kind) == (3, "read")
