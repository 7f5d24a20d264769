"""What people and programs read: golden files, the contract's schema, and terminals that obey nobody but us."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from assistant.errors import AssistantError, BadRequest, EmptyQuestion, ModelUnusable
from assistant.records import (
    Answer,
    Candidate,
    Citation,
    IndexState,
    LineNumber,
    Option,
    Problem,
    RequirementSupport,
    Snippet,
    Statement,
    Support,
)
from assistant.rendering import terminal, terminal_rows
from assistant.rendering.answer_json import answer_json, error_json
from assistant.rendering.blocks import Alternatives, Statements, Verdict, arrange
from assistant.rendering.display import AS_RECORDED, display_blocks
from assistant.rendering.quickfix import quickfix
from assistant.text import sanitize

GOLDEN = Path(__file__).parent / "golden" / "render"
NOTE = "application-deployment-and-integration.md"
TITLE = "OCI Developer Associate - Application Deployment and Integration"
CONCEPTS = ("Exam Tips", "Critical Concepts")
QUEUE = ("Messaging and Streaming", "Queue Service")
OUR_OWN = re.compile(r"\x1b\[[\d;]*m|\x1b\]8;[^\x07\x1b]*\x1b\\")
NOTES = (Path(__file__).parent.parent / "corpus" / NOTE).read_text(encoding="utf-8").split("\n")


def _lines(start: int, end: int) -> str:
    return "\n".join(NOTES[start - 1 : end])


def _cited(number: int, headings: tuple[str, ...], start: int, end: int | None = None) -> Citation:
    anchor = headings[-1].lower().replace(" ", "-")
    last = end or start
    return Citation(number, NOTE, (TITLE, *headings), anchor, start, last, _lines(start, last))


def _named(name: str, headings: tuple[str, ...], confidence: float, *citations: int) -> Candidate:
    return Candidate(name, (TITLE, *headings), confidence, citations)


VERDICT = Answer(
    question="Each task has to be handled by one worker and must not get lost. Which service fits?",
    outcome="answered",
    verdict=_named("Queue Service", QUEUE, 0.81, 1, 2),
    alternatives=(
        _named("Streaming", CONCEPTS, 0.12, 3),
        _named("Service Connector Hub", ("Application Integration", "Service Connector Hub"), 0.04),
    ),
    requirements=(
        RequirementSupport("Each task has to be handled by one worker", True, (Support("Queue Service", (2,)),)),
        RequirementSupport("must not get lost", True, (Support("Queue Service", (1, 2)), Support("Streaming", (3,)))),
        RequirementSupport("exactly once, in the order in which they came in, and for less than a dollar", False, ()),
        RequirementSupport("which service fits", True, ()),
    ),
    statements=(
        Statement("Guaranteed delivery", (1,)),
        Statement("Queue: Point-to-point, guaranteed delivery, async processing", (2,)),
        Statement("Streaming: Pub-sub, high throughput, replay capability, multiple consumers", (2, 3)),
    ),
    snippets=(
        Snippet("terraform", "terraform", "Creating Queue", _lines(233, 250), 4, ()),
        Snippet("python", "python", "Consumer (Receive and Process)", _lines(282, 310), 5, ()),
    ),
    citations=(
        _cited(1, QUEUE, 228),
        _cited(2, CONCEPTS, 822),
        _cited(3, CONCEPTS, 823),
        _cited(4, QUEUE, 233, 250),
        _cited(5, QUEUE, 282, 310),
    ),
    elapsed_ms=41.5,
    notes="/home/me/my notes",
    index=IndexState(3, False, 0),
)
MISTAKE = Answer(
    question="And the yaml?",
    standalone_question="Retry Policy: and the yaml?",
    outcome="answered",
    statements=(Statement("retryOn: 5xx,reset,connect-failure,refused-stream", (2,)),),
    snippets=(
        Snippet(
            "yaml",
            "yaml",
            None,
            _lines(476, 490),
            1,
            (Problem(LineNumber(477), "could not find expected ':'"),),
        ),
    ),
    citations=(
        _cited(1, ("Service Mesh", "Istio on OKE"), 476, 490),
        replace(_cited(2, ("Service Mesh", "Istio on OKE"), 490), stale=True),
    ),
    notes="/home/me/my notes",
    id="7",
)
CHOICE = Answer(
    question="Which one archives logs?",
    outcome="answered",
    options=(
        Option(
            "A",
            "A queue that a function drains into a bucket every night, once all of the workers have stopped",
            0.2,
            (),
        ),
        Option("B", "Service Connector Hub", 0.87, (1,)),
    ),
    choice="B",
    statements=(Statement("Service Connector Hub (Logging → Object Storage)", (1,)),),
    citations=(_cited(1, ("Exam Tips", "Common Scenarios"), 846, 847),),
    notes="/home/me/my notes",
    explain={"features": {"best": 0.71234, "terms": 3}, "passages": [{"line": 846, "dense": 0.7, "words": ["logs"]}]},
)
PARTIAL = Answer(
    question="What does the queue cost in Frankfurt?",
    outcome="partial",
    statements=VERDICT.statements[1:2],
    missing=("cost", "Frankfurt"),
    hint="Ask without these words, or add a note that says it.",
    citations=VERDICT.citations[1:2],
    notes="/home/me/my notes",
)
NO = Answer(
    question="How do I brew tea?",
    outcome="not_in_notes",
    missing=("brew", "tea"),
    hint="Ask about something that the notes cover: assistant topics lists it.",
    citations=(_cited(1, QUEUE, 228),),
    notes="/home/me/my notes",
)
NOTHING = Answer(question="?!", outcome="not_in_notes", hint="Ask a question in words.")
UNDECIDED = replace(CHOICE, options=(Option("A", "Tea", 0.0, ()),), choice=None, explain=None)
ANSWERS = {
    "verdict": VERDICT,
    "mistake": MISTAKE,
    "choice": CHOICE,
    "undecided": UNDECIDED,
    "partial": PARTIAL,
    "no": NO,
    "nothing": NOTHING,
}
ERRORS: list[AssistantError] = [
    BadRequest("No such option: --colour.", "See assistant ask --help."),
    EmptyQuestion("Nothing was asked.", ""),
    ModelUnusable("tiny has no weights.", "Name another model."),
]


@pytest.mark.parametrize("name", ANSWERS)
def test_text(name: str, golden: Callable[[Path, bytes], None]) -> None:
    """Plain text at 80 columns."""
    golden(GOLDEN / f"{name}.txt", terminal.text(ANSWERS[name]).encode())


@pytest.mark.parametrize("name", ["verdict", "choice"])
def test_text_of_a_narrow_terminal(name: str, golden: Callable[[Path, bytes], None]) -> None:
    """Each part wraps under its own indent at 44 columns; code is left as it is, to be copied."""
    golden(GOLDEN / f"{name}-44.txt", terminal.text(ANSWERS[name], width=44).encode())


@pytest.mark.parametrize("name", ANSWERS)
def test_json(name: str, golden: Callable[[Path, bytes], None]) -> None:
    """The contract's object, indented here to be read."""
    line = answer_json(ANSWERS[name])
    assert line.isascii()
    assert line.isprintable()
    golden(GOLDEN / f"{name}.json", (json.dumps(json.loads(line), indent=1, ensure_ascii=False) + "\n").encode())


def test_quickfix(golden: Callable[[Path, bytes], None]) -> None:
    """A line for each citation, none where the notes do not answer."""
    golden(GOLDEN / "quickfix.txt", quickfix(VERDICT).encode())
    assert quickfix(NO) == ""


@pytest.fixture(scope="module")
def contract(shared: Path) -> Draft202012Validator:
    """The contract that programs rely on."""
    return Draft202012Validator(json.loads((shared / "contract" / "answer.schema.json").read_text(encoding="utf-8")))


def test_json_keeps_the_contract(contract: Draft202012Validator) -> None:
    """Every answer and every error validates, with the schema's keys in the schema's order."""
    schema = contract.schema
    assert isinstance(schema, dict)
    required = schema["$defs"]["answer"]["required"]
    for answer in ANSWERS.values():
        record = json.loads(answer_json(answer))
        contract.validate(record)
        assert list(record) == [*required, *(["explain"] if answer.explain else [])]
    for error in ERRORS:
        record = json.loads(error_json(error, "7"))
        contract.validate(record)
        assert record["error"]["code"] == error.code
    assert json.loads(error_json(ERRORS[1])) == {
        "schema": 1,
        "id": None,
        "error": {"code": "empty_question", "message": "Nothing was asked.", "hint": None},
    }


def test_numbers_that_json_cannot_write_are_null() -> None:
    """`NaN` is no JSON, and a program that reads it would stop."""
    line = answer_json(replace(NO, explain={"a": float("nan"), "b": (float("inf"), 1.5)}))
    assert json.loads(line)["explain"] == {"a": None, "b": [None, 1.5]}


def test_text_says_what_json_says() -> None:
    """Every name, statement, option, missing term and place of the record stands in the text."""
    for answer in ANSWERS.values():
        said = " ".join(re.sub(r"[│\[\]]", " ", terminal.text(answer, width=100)).split())
        wanted = [statement.text for statement in answer.statements]
        wanted += [candidate.name for candidate in (answer.verdict, *answer.alternatives) if candidate]
        wanted += [*answer.missing, *(f"{cited.path}:{cited.start_line}" for cited in answer.citations)]
        wanted += [one.text for one in answer.requirements] + [answer.hint or ""]
        assert [text for text in wanted if text not in said] == []


@pytest.mark.parametrize("name", ANSWERS)
def test_a_terminal_gets_the_same_text_and_nothing_but_our_styling(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours and links take no room and change no letter."""
    for variable in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = terminal.text(ANSWERS[name], colour=True)
    assert "\x1b[" in coloured
    plain = "".join(row.rstrip() + "\n" for row in OUR_OWN.sub("", coloured).split("\n")[:-1])
    assert plain == terminal.text(ANSWERS[name])


def _links(coloured: str) -> Iterator[str]:
    return (match[1] for match in re.finditer(r"\x1b\]8;[^;]*;([^\x1b]+)\x1b\\", coloured))


@pytest.mark.parametrize("path", ["a.md", "a b/ü#1?.md", "50%;\x1b]8;;evil\x07.md", "line\nend.md", "\udcff.md"])
def test_links_are_percent_encoded(path: str) -> None:
    """The link opens the file at its line, and no name can end it early."""
    answer = replace(NO, citations=(replace(NO.citations[0], path=path),))
    (link,) = _links(terminal.text(answer, colour=True))
    assert re.fullmatch(r"file:///[\w/.~%-]+#228", link, re.ASCII)
    assert unquote(urlsplit(link).path, errors="surrogateescape") == f"/home/me/my notes/{path}"


ANY = st.text(st.characters(exclude_categories=[]) | st.sampled_from("\x1b\x9b\u202e\n\r\t\x07[]日"), max_size=40)
NAMES = st.lists(ANY, max_size=3).map(tuple)


@st.composite
def _hostile(draw: st.DrawFn) -> Answer:
    """An answer each of whose texts is anything at all."""
    cited = Citation(1, draw(ANY), draw(NAMES), draw(ANY), 1, 2, draw(ANY), draw(st.booleans()))
    candidate = Candidate(draw(ANY), draw(NAMES), 0.5, (1,))
    return Answer(
        question=draw(ANY),
        outcome=draw(st.sampled_from(["answered", "partial", "not_in_notes"])),
        standalone_question=draw(st.none() | ANY),
        verdict=candidate,
        alternatives=(candidate, replace(candidate, citations=())),
        requirements=(RequirementSupport(draw(ANY), True, (Support(draw(ANY), (1,)),)),),
        statements=(Statement(draw(ANY), (1,)),),
        snippets=(Snippet(draw(ANY), "", draw(st.none() | ANY), draw(ANY), 1, (Problem(LineNumber(1), draw(ANY)),)),),
        options=(Option(draw(ANY), draw(ANY), 0.5, ()),),
        missing=draw(NAMES),
        hint=draw(ANY),
        citations=(cited,),
        notes=draw(ANY),
        explain={draw(ANY): draw(ANY)},
    )


def _texts(value: object) -> Iterator[str]:
    """Every text of a block, but for those of links, which are raw."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _texts(one)
    elif is_dataclass(value):
        for field in fields(value):
            if field.name not in ("file", "anchor"):
                yield from _texts(getattr(value, field.name))


@given(_hostile())
def test_display_blocks_are_clean(answer: Answer) -> None:
    """So that no backend has to clean them; as recorded they keep the characters of the notes."""
    for text in _texts(display_blocks(answer)):
        assert sanitize.block(text) == text
    raw = set(_texts(display_blocks(answer, AS_RECORDED)))
    assert {answer.question, answer.statements[0].text, answer.snippets[0].code, answer.citations[0].path} <= raw


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("B is two.", "… B is two. …"),
        ("A is one. B is two.", "A is one. B is two. …"),
        ("A is one. B is two. C", "A is one. B is two. C"),
        ("A is one. B is two. C is three.", "A is one. B is two. C is three."),
    ],
)
def test_a_mark_says_where_a_quotation_goes_on(text: str, shown: str) -> None:
    cited = Citation(1, "a.md", ("A",), "a", LineNumber(3), LineNumber(3), "A is **one**. B is two. C is three.")
    answer = Answer("?", "answered", statements=(Statement(text, (1,)),), citations=(cited,))
    told = [block for block in display_blocks(answer) if isinstance(block, Statements)]
    assert [item.text for block in told for item in block.items] == [shown]
    recorded = [block for block in display_blocks(answer, AS_RECORDED) if isinstance(block, Statements)]
    assert [item.text for block in recorded for item in block.items] == [text]


def test_a_backend_arranges_the_blocks_it_shows() -> None:
    """In its own order; kinds that it leaves out are not there."""
    blocks = display_blocks(VERDICT)
    kinds = [type(block) for block in arrange(blocks, (Statements, Alternatives, Verdict))]
    assert kinds == [Statements, Alternatives, Verdict]


@given(_hostile(), st.integers(0, 120))
def test_no_text_reaches_a_terminal_raw(answer: Answer, width: int) -> None:
    """Whatever the notes, the question and the file names hold, plain or coloured; and JSON is plain ASCII."""
    for shown in (terminal.text(answer, width), OUR_OWN.sub("", terminal.text(answer, width, colour=True))):
        assert sanitize.block(shown) == shown
    lines = quickfix(answer)
    assert lines.count("\n") == (answer.outcome != "not_in_notes")
    assert sanitize.block(lines) == lines
    line = answer_json(answer)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["question"] == answer.question


@given(_hostile(), st.integers(30, 120))
def test_rows_fit_but_for_code_and_places(answer: Answer, width: int) -> None:
    """Names and texts wrap; file names and code stay whole, since they are copied."""
    bare = replace(answer, snippets=(), citations=())
    for row in terminal.text(bare, width).split("\n"):
        assert sanitize.width(row) <= max(width, terminal_rows.NARROWEST)
