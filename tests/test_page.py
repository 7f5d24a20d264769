"""The page without a browser: what it shows of answers and notes, escaped, and what it sends."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.engine import Engine
from assistant.indexing.index_process import IndexPaths
from assistant.notes.link_targets import LinkTargets
from assistant.records import Answer, Candidate, Citation, Note, Option, Request, RequirementSupport, Side, Statement
from assistant.server.notes_follower import IndexStep
from assistant.server.page.answer_html import answer_html
from assistant.server.page.document import Form, ask_page
from assistant.server.page.html import element, joined
from assistant.server.page.note_html import link_addresses, note_html
from assistant.server.service import Service
from tests.asking import APPLE, FRUIT, NOTE, asking, real_engine, write_notes
from tests.held_child import held, hold
from tests.hostile_note import HOSTILE, NAME, QUESTION
from tests.served_page import served
from tests.waiting import PATIENCE, until

FORBIDDEN = {"iframe", "object", "embed", "base", "svg", "img", "style", "video", "audio"}


@dataclass
class Read(HTMLParser):
    """What a browser would make of a page."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def all(self, name: str) -> list[str]:
        """The values of an attribute."""
        return [value or "" for _, attributes in self.elements for key, value in attributes.items() if key == name]


def read(markup: str) -> Read:
    page = Read()
    page.feed(markup)
    page.close()
    return page


def check_harmless(markup: str) -> Read:
    """No script of its own, nothing that is loaded from elsewhere, no link that runs or leads to files."""
    page = read(markup)
    for tag, attributes in page.elements:
        assert tag not in FORBIDDEN
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc", "formaction")]
        if tag == "script":
            assert (attributes.get("src") or "").startswith("/static/page.js?")
        elif "src" in attributes:
            raise AssertionError(f"{tag} loads {attributes['src']}")
    for href in page.all("href"):
        assert href.startswith(("/", "#", "https://", "http://", "mailto:"))
        assert not href.startswith("//")
    return page


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_notes(tmp_path_factory.mktemp("page") / "notes")
    (folder / NAME).write_text(HOSTILE, "utf-8")
    (folder.parent / "secret.md").write_text("# Secret\n", "utf-8")
    (folder / "out.md").symlink_to(folder.parent / "secret.md")
    return folder


@pytest.fixture(scope="module")
def service(notes: Path, prepared: Path) -> Iterator[Service]:
    made = Service(lambda models: asking(notes, notes.parent / "index"), None, engines=2, waiting=2)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with served(service) as address, httpx.Client(base_url=address, timeout=PATIENCE) as made:
        yield made


def answer_of(client: httpx.Client, question: str, **fields: str) -> httpx.Response:
    return client.post("/ask", data={"question": question, **fields})


def test_every_quote_of_an_answer_is_in_its_page_verbatim(service: Service, client: httpx.Client) -> None:
    for question in (
        APPLE,
        QUESTION,
        "Which service is point to point?",
        "How is a release rolled back?",
        "kind Rollout",
    ):
        answer = service.ask(Request(question))
        page = check_harmless(answer_of(client, question).text)
        assert answer.citations
        for citation in answer.citations:
            assert citation.quote.replace("\u202e", "<U+202E>") in page.text  # the one control character of the notes
            place = f"?from={citation.start_line}&to={citation.end_line}#L{citation.start_line}"
            assert any(href.endswith(place) for href in page.all("href"))
        for statement in answer.statements:
            assert statement.text in page.text


def test_a_hostile_note_shows_its_text_and_nothing_of_it_runs(client: httpx.Client) -> None:
    address = next(href for href in read(client.get("/notes").text).all("href") if "onerror" in unquote(href))
    response = client.get(address.partition("#")[0])
    assert response.status_code == 200
    page = check_harmless(response.text)
    for shown in (
        "Title <script>window.hacked = 1</script>",
        "<script>window.hacked = 4</script>",
        '<iframe src="https://example.com/frame"></iframe>',
        "</code></pre><script>window.hacked = 17</script>",
        "[image: a picture]",
        "script link",
        "<U+202E>gnp.exe",
        NAME,
    ):
        assert shown in page.text
    outside = [href for href in page.all("href") if not href.startswith(("/", "#"))]
    assert [urlsplit(href).netloc for href in outside] == ["example.com"]
    for path in ("/notes", "/help", "/"):
        check_harmless(client.get(path).text)


def test_the_pages_hold_to_their_policy(client: httpx.Client) -> None:
    for response in (client.get("/"), client.get("/notes"), answer_of(client, APPLE), client.get("/notes/nowhere.md")):
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "private, no-cache"


def test_a_line_of_a_note_is_an_anchor_and_cited_lines_are_marked(client: httpx.Client) -> None:
    page = read(client.get("/notes/release.md?from=7&to=8").text)
    ids = page.all("id")
    for line in range(1, len(NOTE.split("\n"))):
        assert ids.count(f"L{line}") == 1
    assert "going-back" in ids
    marked = [attributes.get("id") for _, attributes in page.elements if attributes.get("class") == "cited"]
    assert marked == ["L7", "L8"]
    assert "cited" not in read(client.get("/notes/release.md?from=x&to=8").text).all("class")


@given(
    st.lists(st.sampled_from([*HOSTILE.split("\n"), *NOTE.split("\n"), "", "> quoted", "1. one", "  - in", "- [ ] do"]))
)
def test_any_note_has_each_line_once_and_is_harmless(lines: list[str]) -> None:
    note = Note("a.md", tuple(lines), "")
    shown = note_html(note, link_addresses(LinkTargets(["a.md"], dict), "a.md"), range(2, 4)).markup
    ids = check_harmless(shown).all("id")
    assert [one for one in ids if re.fullmatch(r"L\d+", one)] == [f"L{number}" for number in range(1, len(lines) + 1)]
    assert all(one == one.lower() for one in ids if not re.fullmatch(r"L\d+", one))
    assert_balanced(shown)


def assert_balanced(markup: str) -> None:
    """Every element ends inside the one it began in."""
    opened = list[str]()
    for closes, tag in re.findall(r"<(/?)([a-z0-9]+)", markup):
        if closes:
            assert opened.pop() == tag
        elif tag not in ("br", "hr"):
            opened.append(tag)
    assert not opened


def test_links_of_a_note_lead_to_notes_the_web_and_mail_only() -> None:
    link = link_addresses(LinkTargets(["a.md", "b c/d.md"], lambda: {"b c/d.md": "The Title"}), "a.md")
    assert link("b%20c/d.md#Some-Part") == "/notes/b%20c/d.md#some-part"
    assert link("#part") == "/notes/a.md#part"
    assert link("[[The Title#Some part]]") == "/notes/b%20c/d.md#some-part"
    assert link("https://example.com/x?y#z") == "https://example.com/x?y#z"
    assert link("MAILTO:someone@example.com") == "MAILTO:someone@example.com"
    for bad in (
        *("javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"),
        *("//example.com", "\\\\example.com\\x", "../secret.md", "/etc/passwd", "https:", "java\tscript:alert(1)"),
        *(
            "https://example.com/ x",
            "blob:https://example.com/1",
            "[[javascript:alert(1)]]",
            "[[../secret]]",
            "gone.md",
        ),
    ):
        assert link(bad) is None, bad


def test_no_path_leads_out_of_the_notes(client: httpx.Client) -> None:
    for path in ("..%2fsecret.md", "%2e%2e/secret.md", "out.md", "%2fetc%2fpasswd", "fruit.md%00", "", "./fruit.md"):
        response = client.get(f"/notes/{path}", follow_redirects=True)
        assert "Secret" not in response.text
        assert response.status_code in (200, 400, 404)
        if response.status_code == 200:
            assert response.url.path in ("/notes", "/notes/fruit.md")
    for path in ("..%2froutes.py", "%2e%2e%2froutes.py", "nothing.js"):
        assert client.get(f"/static/{path}").status_code == 404


def test_a_piece_of_a_note_is_sent_without_the_frame(client: httpx.Client) -> None:
    response = client.get("/notes/fruit.md", headers={"Accept": "text/html;fragment=1"})
    assert response.text.startswith('<div class="note-text">')
    assert "Accept" in response.headers["vary"].split(", ")
    missing = client.get("/notes/gone.md", headers={"Accept": "text/html;fragment=1"})
    assert (missing.status_code, missing.text.startswith('<div class="failure"')) == (404, True)


def test_static_files_are_not_sent_twice(client: httpx.Client) -> None:
    for name, kind in (("page.css", "text/css"), ("page.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
        first = client.get(f"/static/{name}")
        assert first.status_code == 200
        assert first.headers["content-type"].startswith(kind)
        again = client.get(f"/static/{name}", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    script = client.get("/static/page.js").text
    assert not re.search(r"\beval\(|new Function|https?://|insertAdjacentHTML|document\.write|outerHTML", script)
    assert script.count("innerHTML") == 1


def test_it_works_without_the_script(client: httpx.Client) -> None:
    """A form, its answer, a follow-up in the same conversation, the cited note: links and forms are enough."""
    form = read(client.get("/").text)
    assert ("form", "post", "/ask") in [(tag, a.get("method"), a.get("action")) for tag, a in form.elements]
    first = read(answer_of(client, "What is the Apple?", conversation="").text)
    named = next(a for tag, a in first.elements if a.get("name") == "conversation")["value"]
    assert named
    second = answer_of(client, "How long does it keep?", conversation=named)
    assert "Understood as: " in read(second.text).text
    href = next(href for href in read(second.text).all("href") if href.startswith("/notes/fruit.md?"))
    assert "cited" in client.get(href.partition("#")[0]).text
    for button in (attributes for tag, attributes in first.elements if tag == "button"):
        assert "hidden" in button or button.get("type") is None or button["id"] == "PaneClose"


def test_stages_come_first_and_the_answer_once(client: httpx.Client) -> None:
    response = client.post("/ask", data={"question": APPLE}, headers={"Accept": "text/event-stream"})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert re.findall(r"^event: (.*)$", response.text, re.MULTILINE) == ["found", "read", "answered"]
    assert "seven months" in response.text


@pytest.mark.parametrize("accept", ["text/html", "text/event-stream"])
def test_a_question_is_taken_back_when_its_asker_leaves(service: Service, client: httpx.Client, accept: str) -> None:
    free = service._room._value
    engines = [service._free.pop() for _ in range(2)]
    try:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/ask", data={"question": APPLE}, headers={"Accept": accept}, timeout=0.5)
        until(lambda: service._room._value == free)
    finally:
        for engine in engines:
            service._free.append(engine)


def test_errors_say_what_to_do_next(client: httpx.Client) -> None:
    empty = answer_of(client, "   ")
    assert (empty.status_code, "Nothing was asked." in empty.text) == (400, True)
    bad = client.post("/ask", content=b"question=%ff&" + b"a=1&" * 50, headers={"Content-Type": "text/plain"})
    assert (bad.status_code, "The form cannot be read." in bad.text) == (400, True)
    streamed = client.post("/ask", data={"question": " "}, headers={"Accept": "text/event-stream"})
    assert "event: error" in streamed.text
    assert client.get("/ask").status_code == 405


def test_a_full_service_refuses_with_503(service: Service, client: httpx.Client) -> None:
    taken = 0
    try:
        while service._room.acquire(blocking=False):
            taken += 1
        response = answer_of(client, APPLE)
    finally:
        for _ in range(taken):
            service._room.release()
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "Too many questions are waiting." in response.text


def test_choices_of_the_form_reach_the_answer(service: Service, client: httpx.Client) -> None:
    page = read(answer_of(client, APPLE, options="A) seven months\nB) a week", under="Fruit > Apple").text)
    assert "A) seven months" in page.text
    assert "B) a week" in page.text
    refused = answer_of(client, APPLE, under="No such heading")
    assert refused.status_code == 400 or "No such heading" in refused.text


def test_an_index_that_is_being_built_is_named_and_the_question_waits(
    tmp_path: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child that makes it begins once the page has named it."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv("MARK", mark)
    monkeypatch.setenv("PYTHONPATH", hold(tmp_path / "held"))
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "fruit.md").write_text(FRUIT, "utf-8")
    items = "\n".join(f"- Item {n} holds thing {n * 7919 % 10007}." for n in range(300))
    (notes / "long.md").write_text(f"# Pantry\n\n{items}\n", "utf-8")
    paths = IndexPaths(str(notes), str(tmp_path / "index"), str(prepared), "", None)

    def open_engine(models: Engine | None) -> Engine:
        return real_engine(notes, tmp_path / "index", prepared)

    service = Service(open_engine, paths, engines=1)
    service.start()
    try:
        with served(service) as address, httpx.Client(base_url=address, timeout=PATIENCE) as client:
            accept = {"Accept": "text/event-stream"}
            with client.stream("POST", "/ask", data={"question": APPLE}, headers=accept) as response:
                lines = response.iter_lines()
                with held(mark):
                    assert next(line for line in lines if line.startswith("event: ")) == "event: indexing"
                names = [line for line in lines if line.startswith("event: ")]
            assert names[-1] == "event: answered"
    finally:
        service.close()


def test_how_far_the_index_is_stands_above_the_answer() -> None:
    page = read(joined(ask_page(Form(), IndexStep("Embedding passages", 1200, 3000))).markup)
    assert "The index is being built: embedding passages, 1,200 of 3,000." in page.text


def made(**fields: Any) -> Answer:
    """An answer with three citations and these fields."""
    cited = tuple(Citation(n, "a & b.md", ("Title", "Part"), "part", n, n, f"Line <{n}> & more") for n in (1, 2, 3))
    return replace(Answer("q", "answered", citations=cited), **fields)


def test_what_the_notes_lack_is_said_with_the_nearest_headings() -> None:
    page = read(answer_html(made(outcome="not_in_notes", missing=("<quince>",), hint="Ask & see.")).markup)
    for text in ("Not in the notes.", "The notes say nothing about “<quince>”.", "Try: Ask & see.", "Nearest headings"):
        assert text in page.text
    partly = read(answer_html(made(outcome="partial", missing=("quince",))).markup)
    assert "Answered in part. The notes say nothing about “quince”." in partly.text


def test_confidence_is_a_word_and_a_bar_that_is_not_read_out() -> None:
    verdict = Candidate("Canary", ("Title", "Part"), 0.8, (1,))
    page = read(answer_html(made(verdict=verdict, alternatives=(Candidate("Blue", ("T", "B"), 0.1, (2,)),))).markup)
    assert "strong ████░" in page.text
    assert "weak █░░░░" in page.text
    bars = [attributes for _, attributes in page.elements if attributes.get("class") == "bar"]
    assert all(attributes["aria-hidden"] == "true" for attributes in bars)
    assert len(bars) == 2


def test_a_comparison_stands_side_by_side() -> None:
    statements = (Statement("Both do.", (1, 2)), Statement("One does.", (1,)), Statement("Two does.", (2,)))
    markup = answer_html(made(statements=statements, sides=(Side("One", (1,)), Side("Two", (2,))))).markup
    assert re.search(r'class="sides"><section class="side"><h3>One</h3>.*One does.*<h3>Two</h3>.*Two does', markup)
    assert read(markup).text.index("Both do.") < read(markup).text.index("One does.")


def test_options_requirements_and_warnings_are_shown() -> None:
    answer = made(
        options=(Option("A", "<b>first</b>", 0.87, (1,)), Option("B", "second", 0.1, ())),
        choice="A",
        requirements=(RequirementSupport("cheap", False, ()),),
        warnings=("The index is <old>.",),
    )
    page = check_harmless(answer_html(answer).markup)
    for text in ("Best: A) <b>first</b>", "support 0.87", "cheap: not in the notes", "The index is <old>."):
        assert text in page.text
    undecided = read(answer_html(made(options=answer.options)).markup)
    assert "The notes support none of the options." in undecided.text


def test_code_keeps_its_tabs() -> None:
    citation = Citation(1, "m.md", ("Make",), "make", 1, 1, "all:\n\techo <x>")
    assert "all:\n\techo <x>" in read(answer_html(made(citations=(citation,))).markup).text


def test_an_element_takes_no_script_and_no_style() -> None:
    for name in ("onclick", "style", "srcdoc"):
        with pytest.raises(ValueError, match=name):
            element("p", **{name: "x"})
    assert element("p", "<&>\"'", title='"x"').markup == '<p title="&quot;x&quot;">&lt;&amp;&gt;&quot;&#x27;</p>'
