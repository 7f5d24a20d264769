"""`search` and `ask --list`: ranked passages as text, JSON and quickfix lines, and nothing where nothing fits."""

from __future__ import annotations

import copy
import json
import re
import shutil
import sys
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from assistant import Assistant
from assistant.answering.search import FLOOR
from assistant.cli import pages
from assistant.records import FoundPassage, IndexState, PassageKind, SearchResult
from assistant.rendering import terminal_rows
from assistant.rendering.search_json import search_json
from assistant.rendering.search_quickfix import search_quickfix
from assistant.rendering.search_text import search_text
from assistant.text import sanitize
from tests.asking import APPLE, asking
from tests.command import PROGRAM, Command, run
from tests.test_cli import HOSTILE, NOTES, RAW, in_terminal
from tests.test_help import completed
from tests.test_schema import ERROR, changed

ROOT = Path(__file__).resolve().parent.parent
OUR_OWN = re.compile(r"\x1b\[[\d;]*[mK]|\x1b\]8;[^\x07\x1b]*(?:\x1b\\|\x07)|\r")
ABSURD = (
    *("Who makes the best espresso?", "capital of Mongolia", "Wimbledon final 1987", "photosynthesis chlorophyll"),
    *("why do cats purr", "medieval French poetry", "zxqv wqxz", "blorptastic", "how tall is the Eiffel tower"),
)
FITTING = {
    "apple storage": "fruit.md",
    "when to eat a pear": "fruit.md",
    "harvest": "fruit.md",
    "fruit that keeps long": "fruit.md",
    "tall ladder": "tools.md",
    "boiled quince": f"bad{HOSTILE}.md",
}
"""Queries, and the note of the passage that has to come first."""
PASSAGE = FoundPassage("fruit.md", ("Fruit", "Apple"), "apple", "paragraph", 5, 5, "An apple keeps.", 0.4567)
RESULT = SearchResult("apple", (PASSAGE,), (), 1.5, "/notes", IndexState(1, False, 0))


@pytest.fixture(scope="module")
def searched(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Notes with a finished index, for tests that change neither."""
    made = Command(tmp_path_factory.mktemp("searched"), surroundings)
    made.notes.mkdir()
    for name, text in NOTES.items():
        (made.notes / name).write_text(text)
    done = made.run("index")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def search_schema() -> Draft202012Validator:
    path = ROOT / "assistant" / "data" / "search.schema.json"
    return Draft202012Validator(json.loads(path.read_text("utf-8")))


def record_of(line: str) -> dict[str, Any]:
    """What is in a record and the same for every run."""
    record: dict[str, Any] = json.loads(line)
    del record["elapsed_ms"]
    return record


# The command


def test_the_best_passage_comes_first_with_score_place_headings_and_lines(searched: Command) -> None:
    done = searched.run("search", *APPLE.split())
    head, line, *_ = done.stdout.split("\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"1  0\.\d\d  fruit\.md:5  Apple", head)
    assert line.strip() == "An apple keeps for seven months in a cool cellar."


def test_ask_with_list_prints_the_same(searched: Command) -> None:
    """From a pipe too."""
    listed = record_of(searched.run("search", "--json", APPLE).stdout)
    assert listed == record_of(searched.run("ask", "--list", "--json", APPLE).stdout)
    for words in (("search", "-"), ("ask", "--list")):
        piped = record_of(searched.run(*words, "--json", stdin=f"\ufeff{APPLE}\n").stdout)
        assert piped["passages"] == listed["passages"]


def test_json_fits_the_schema_and_quotes_the_note(searched: Command, search_schema: Draft202012Validator) -> None:
    done = searched.run("search", "--format", "json", "--limit", "3", "how long does it keep")
    assert done.stdout.isascii()
    assert done.stdout.count("\n") == 1
    record = json.loads(done.stdout)
    search_schema.validate(record)
    assert 1 <= len(record["passages"]) <= 3
    for found in record["passages"]:
        lines = Path(record["notes"], found["path"]).read_text("utf-8").split("\n")
        assert found["quote"] == "\n".join(lines[found["start_line"] - 1 : found["end_line"]])
    scores = [found["score"] for found in record["passages"]]
    assert scores == sorted(scores, reverse=True)


def test_quickfix_lines_name_file_and_line(searched: Command) -> None:
    done = searched.run("search", "--format", "quickfix", APPLE)
    assert done.stdout.startswith(f"{searched.notes}/fruit.md:5: An apple keeps")
    assert all(re.fullmatch(r".+?:\d+: .*", line) for line in done.stdout.splitlines())


def test_nothing_that_fits_is_nothing_on_stdout_and_1(searched: Command, search_schema: Draft202012Validator) -> None:
    text, listed = (searched.run("search", "--format", form, "capital of Mongolia") for form in ("text", "json"))
    assert [done.returncode for done in (text, listed)] == [1, 1]
    assert text.stdout == ""
    assert "Nothing in the notes" in text.stderr
    assert listed.stderr == ""
    record = json.loads(listed.stdout)
    search_schema.validate(record)
    assert record["passages"] == []


def test_under_tag_and_limit_choose_what_is_listed(searched: Command) -> None:
    query = "how long is the ladder, the pear, the apple"

    def paths(*words: str) -> list[str]:
        return [one["path"] for one in record_of(searched.run("search", "--json", *words, query).stdout)["passages"]]

    assert set(paths("--under", "Fruit > pear")) == {"fruit.md"}
    assert set(paths("--tag", "Garden")) == {"tools.md"}
    assert len(paths("--limit", "1")) == 1


def test_the_passage_of_that_rank_is_opened(searched: Command, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/opened\n')
    editor.chmod(0o755)
    for command in (("search",), ("ask", "--list")):
        done = searched.run(*command, "--json", "--open", "2", "pear", EDITOR=str(editor))
        assert done.returncode == 0
    listed = record_of(done.stdout)["passages"]
    assert len(listed) > 1
    opened = (tmp_path / "opened").read_text().splitlines()
    assert len(set(opened)) == 1
    assert str(listed[1]["start_line"]) in opened[0]
    assert listed[1]["path"] in opened[0]
    beyond = searched.run("search", "--open", "100", "pear", EDITOR=str(editor))
    assert (beyond.returncode, "Choose another number" in beyond.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "--limit", "0", "x"], "1<=x<=100"),
        (["search", "--limit", "101", "x"], "1<=x<=100"),
        (["ask", "--list", "--limit", "101", "x"], "1<=x<=100"),
        (["ask", "--limit", "9", "x"], "1<=x<=8"),
        (["ask", "--open", "9", "x"], "1<=x<=8"),
        (["ask", "--list", "--batch", "-"], "--list"),
        (["ask", "--list", "--explain", "x"], "--list"),
        (["search", "--json", "--format", "text", "x"], "--format"),
        (["search", "--tag", "nothing", "x"], "nothing"),
        (["search", ""], "Nothing was asked"),
    ],
)
def test_a_usage_error_is_one_sentence_with_the_next_step(searched: Command, words: list[str], said: str) -> None:
    done = searched.run(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


def test_an_error_under_json_fits_the_schema(searched: Command, search_schema: Draft202012Validator) -> None:
    done = searched.run("search", "--json", "--limit", "0", "x")
    search_schema.validate(json.loads(done.stdout))
    assert json.loads(done.stdout)["error"]["code"] == "bad_request"


def test_nothing_that_others_wrote_reaches_a_terminal_raw(searched: Command) -> None:
    query = f"Must a quince {HOSTILE} be boiled?"
    for form in ("text", "quickfix"):
        done = searched.run("search", "--format", form, query)
        assert "boiled" in done.stdout
        assert not RAW.search(done.stdout + done.stderr)
    shown = in_terminal(searched, "search", query)
    assert "\x1b]8;" in shown
    assert "boiled" in shown
    assert not RAW.search(OUR_OWN.sub("", shown))


def test_a_search_imports_what_a_question_imports(searched: Command) -> None:
    def modules(*words: str) -> set[str]:
        program = [PROGRAM[0], "-X", "importtime", *PROGRAM[1:], "--notes", str(searched.notes)]
        done = run([*program, "--index", str(searched.index), *words, APPLE], searched.environment)
        assert "cool cellar" in done.stdout
        lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
        return {line.rpartition("|")[2].strip() for line in lines}

    own = {
        *("assistant.cli.search", "assistant.answering.search"),
        *("assistant.rendering.search_text", "assistant.rendering.terminal_rows"),
    }
    searching = modules("search")
    assert searching - modules("ask") <= own
    assert "assistant.answering.pipeline" not in searching


def test_a_shell_completes_it(surroundings: dict[str, str]) -> None:
    assert completed("assistant sea", surroundings) == ["plain,search"]
    assert completed("assistant search --format q", surroundings) == ["plain,quickfix"]
    assert completed("assistant ask --li", surroundings) == ["plain,--limit", "plain,--list"]


def test_vim_goes_through_the_passages(searched: Command, tmp_path: Path) -> None:
    if not shutil.which("vim"):
        pytest.skip("needs vim")
    page = (pages.FOLDER / "with-other-programs.md").read_text("utf-8")
    (tmp_path / "vimrc").write_text(page.partition("```vim\n")[2].partition("```")[0])
    (tmp_path / "assistant").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m assistant "$@"\n')
    (tmp_path / "assistant").chmod(0o755)
    variables = {
        "PATH": f"{tmp_path}:{searched.environment['PATH']}",
        "ASSISTANT_NOTES": str(searched.notes),
        "ASSISTANT_INDEX": str(searched.index),
    }
    saved = f"call writefile([bufname('%'), line('.'), getline('.')], '{tmp_path}/seen')"
    words = ["-c", f"Passages {APPLE}", "-c", saved, "-c", "qa!"]
    done = run(
        ["vim", "-N", "-u", str(tmp_path / "vimrc"), "-i", "NONE", "-es", *words],
        {**searched.environment, **variables},
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    name, line, text = (tmp_path / "seen").read_text("utf-8").splitlines()
    assert (Path(name).name, line, text) == ("fruit.md", "5", "An apple keeps for seven months in a cool cellar.")


# What fits


def test_absurd_queries_find_nothing_and_fitting_ones_something(
    searched: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real model."""
    monkeypatch.setenv("XDG_CACHE_HOME", searched.environment["XDG_CACHE_HOME"])
    with Assistant(searched.notes, index=searched.index) as assistant:
        assert [query for query in ABSURD if assistant.search(query).passages] == []
        for query, path in FITTING.items():
            assert assistant.search(query).passages[0].path == path, query


def test_no_passage_below_the_floor_is_given(tmp_path: Path, prepared: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "fruit.md").write_text(NOTES["fruit.md"])
    with closing(asking(tmp_path / "notes", tmp_path / "index")) as engine:
        found = engine.search(APPLE, limit=100).passages
        assert found
        assert min(one.score for one in found) >= FLOOR
        assert engine.search("capital of Mongolia", limit=100).passages == ()


# Python


def test_python_gets_the_same_passages(searched: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", searched.environment["XDG_CACHE_HOME"])
    with Assistant(searched.notes, index=searched.index) as assistant:
        found = assistant.search("pear\ud800", limit=2)
        assert found.query == "pear\ufffd"
        assert 1 <= len(found.passages) <= 2
        assert {one.path for one in assistant.search("the ladder", tag="garden").passages} == {"tools.md"}
        assert assistant.search("capital of Mongolia").passages == ()
        for limit in (0, 101):
            with pytest.raises(Assistant.Error, match="Choose 1 to 100"):
                assistant.search("pear", limit=limit)


# The record


def test_the_schema_accepts_the_record_and_refuses_broken_ones(search_schema: Draft202012Validator) -> None:
    Draft202012Validator.check_schema(search_schema.schema)
    record = json.loads(search_json(RESULT))
    accepted = [broken for broken in changed(record) if search_schema.is_valid(broken)]
    search_schema.validate(record)
    search_schema.validate(ERROR)
    refused = sum(not search_schema.is_valid(broken) for broken in changed(record))
    assert refused > 5 * len(accepted) / 2
    for key in record:
        assert not search_schema.is_valid({name: value for name, value in record.items() if name != key})
    for key in record["passages"][0]:
        broken = copy.deepcopy(record)
        del broken["passages"][0][key]
        assert not search_schema.is_valid(broken)


def test_the_schema_names_every_key_and_kind(search_schema: Draft202012Validator) -> None:
    assert isinstance(search_schema.schema, dict)
    named = search_schema.schema["$defs"]
    whole = replace(PASSAGE, url="https://host/fruit.md#apple")  # with what is left out where it is not known
    record = json.loads(search_json(replace(RESULT, passages=(whole,))))
    assert list(record) == list(named["result"]["properties"])
    assert list(record["passages"][0]) == list(named["passage"]["properties"]) == [f.name for f in fields(PASSAGE)]
    kinds = set(get_args(PassageKind)) - {"label", "pointer"}  # these are never listed
    assert set(named["passage"]["properties"]["kind"]["enum"]) == kinds


def test_the_errors_are_those_of_an_answer(schema: Draft202012Validator, search_schema: Draft202012Validator) -> None:
    assert isinstance(schema.schema, dict)
    assert isinstance(search_schema.schema, dict)
    assert search_schema.schema["$defs"]["error"] == schema.schema["$defs"]["error"]


# The text


def test_a_passage_that_is_a_heading_is_called_one() -> None:
    heading = replace(PASSAGE, kind="heading", quote="## Apple", start_line=3, end_line=3)
    assert search_text(replace(RESULT, passages=(heading,))) == (
        "1  0.46  fruit.md:3  Apple\n     ## Apple  (heading only)\n"
    )


def test_a_long_passage_is_cut_after_a_few_rows() -> None:
    code = replace(PASSAGE, kind="fence", quote="\n".join(f"    step {n}" for n in range(9)))
    shown = search_text(replace(RESULT, passages=(code,))).splitlines()[1:]
    assert [row.strip() for row in shown] == ["step 0", "step 1", "step 2", "step 3", "… 5 more lines"]
    prose = replace(PASSAGE, quote="many words " * 100)
    *rows, last = search_text(replace(RESULT, passages=(prose,)), 40).splitlines()[1:]
    assert (len(rows), last.endswith(" …")) == (3, True)
    assert "many words " * 99 in search_text(replace(RESULT, passages=(prose,)), None)


def test_a_passage_that_changed_says_so() -> None:
    assert "Apple (changed since" in search_text(replace(RESULT, passages=(replace(PASSAGE, stale=True),)))


def test_ranks_stand_below_each_other_and_passages_apart() -> None:
    text = search_text(replace(RESULT, passages=(PASSAGE,) * 10))
    assert text.startswith(" 1  0.46")
    assert "\n\n10  0.46" in text
    assert search_text(replace(RESULT, passages=())) == search_quickfix(replace(RESULT, passages=())) == ""


def passages() -> st.SearchStrategy[FoundPassage]:
    text = st.text(st.characters(codec=None), max_size=200)
    return st.builds(
        FoundPassage,
        path=text,
        heading_path=st.lists(text, min_size=1, max_size=3).map(tuple),
        anchor=text,
        kind=st.sampled_from(get_args(PassageKind)),
        start_line=st.integers(1, 10**6),
        end_line=st.integers(1, 10**6),
        quote=text,
        score=st.floats(0, 1),
        stale=st.booleans(),
    )


@given(found=st.lists(passages(), max_size=3), width=st.integers(1, 200))
def test_any_passage_is_shown_safe_and_inside_the_terminal(found: list[FoundPassage], width: int) -> None:
    """But for places, which stay whole to be copied."""
    result = replace(RESULT, passages=tuple(found))
    places = [f"{sanitize.line(one.path)}:{one.start_line}" for one in found]
    text = search_text(result, width)
    for row in text.removesuffix("\n").split("\n"):
        inside = sanitize.width(row) <= max(width, terminal_rows.NARROWEST)
        assert inside or any(row.rstrip().endswith(place.rstrip()) for place in places), row
    assert OUR_OWN.sub("", search_text(result, width, colour=True)).split() == text.split()
    for shown in (text, search_text(result, None), search_quickfix(result), search_json(result)):
        assert not RAW.search(shown)
    assert search_quickfix(result).count("\n") == len(found)
