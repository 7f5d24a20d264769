"""Whole documents of the page: the frame, the form, an answer, a note, the list of notes and the help.

Ids of the page have a capital letter; anchors of headings have none, so that no note can take one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from assistant.errors import AssistantError
from assistant.indexing.overview import Heading
from assistant.records import Answer
from assistant.server.notes_follower import IndexStep
from assistant.server.page.addresses import note_address
from assistant.server.page.answer_html import answer_html
from assistant.server.page.html import Child, Html, element, joined
from assistant.text import sanitize

NAME = "Notes assistant"
_KEYS = (
    ("/", "Go to the question"),
    ("j", "Next citation of the answer"),
    ("k", "Previous citation of the answer"),
    ("Enter", "Ask the question; open the citation"),
    ("Shift Enter", "New line in the question"),
    ("Escape", "Close the note, or leave the question"),
    ("?", "Show or hide this list"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """What stands in the form, as it was sent."""

    question: str = ""
    conversation: str = ""
    under: str = ""
    tag: str = ""
    language: str = ""
    options: str = ""
    code: bool = False


def document(title: str, main: Child | Iterable[Child], *, asks: bool = False, version: str = "") -> str:
    """A page with its frame; `asks` marks the one that the script takes over, `version` that of the static files."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="same-origin"),  # under no-referrer a form has `Origin: null`
        element("title", title if title == NAME else f"{title} - {NAME}"),
        element("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
        element("link", rel="stylesheet", href=f"/static/page.css?v={version}"),
        element("script", src=f"/static/page.js?v={version}"),
    )
    links = [element("a", name, href=address) for name, address in (("Notes", "/notes"), ("Help", "/help"))]
    switch = element("button", "Dark", type="button", id="ThemeSwitch", hidden=True)
    header = element(
        "header", element("a", NAME, href="/", class_="home"), element("nav", links, aria_label="Pages"), switch
    )
    content = element("main", main, id="Content", tabindex=-1)
    pane = _pane() if asks else None
    skip = element("a", "Skip to the content", href="#Content", class_="skip")
    body = element(
        "body", skip, header, element("div", content, pane, id="Layout"), _keys_dialog(), data_asks=asks or None
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en').markup}\n"


def ask_page(form: Form, step: IndexStep | None, shown: Html | None = None) -> list[Child]:
    """The form, and below it an answer or an error, where there is one."""
    return [
        element("h1", "Ask your notes"),
        _form(form),
        element("div", index_notice(step), id="IndexNotice"),
        element("p", id="Stage", role="status", class_="stage"),
        element("div", shown, id="Current"),
        element("section", id="History", aria_labelledby="HistoryTitle", hidden=True, class_="history"),
    ]


def turn(question: str, answer: Html) -> Html:
    """A question with its answer or its error."""
    heading = element("h2", sanitize.line(question), tabindex=-1, class_="asked")
    return element("article", heading, answer, class_="turn")


def answered(question: str, answer: Answer) -> Html:
    """A question with its answer."""
    return turn(question, answer_html(answer))


def failure(error: AssistantError) -> Html:
    """An error with its next step."""
    message = sanitize.block(error.message)
    return element(
        "div", element("p", message), element("p", sanitize.block(error.hint)), class_="failure", role="alert"
    )


def index_notice(step: IndexStep | None) -> Html | None:
    """That the index is being built, and how far it is; None where it is not."""
    if step is None:
        return None
    return element(
        "p",
        f"The index is being built: {progress(step)}. A question waits for the first index and is then answered.",
        class_="notice",
    )


def progress(step: IndexStep) -> str:
    """Such as `embedding passages, 12 of 300`."""
    action = step.action[:1].lower() + step.action[1:]
    return f"{action}, {step.done:,} of {step.total:,}" if step.total else action


def note_page(path: str, note: Html) -> list[Child]:
    """A note below its path."""
    return [element("h1", sanitize.line(path), class_="path"), note]


def notes_page(headings: Sequence[Heading], paths: Iterable[str], step: IndexStep | None) -> list[Child]:
    """The notes with their headings."""
    below: Mapping[str, list[Heading]] = {
        path: list(group) for path, group in groupby(headings, lambda heading: heading.path)
    }
    items = [_note_entry(path, below.get(path, [])) for path in paths]
    shown = element("ul", items, class_="notes") if items else element("p", "No notes are indexed yet.")
    return [element("h1", "Notes"), element("div", index_notice(step)), shown]


def _note_entry(path: str, headings: Sequence[Heading]) -> Html:
    name = sanitize.line(path)
    entry = element("a", name, href=note_address(path))
    if not headings:
        return element("li", entry)
    rows = [
        element(
            "li",
            element("a", sanitize.line(one.heading_path[-1]), href=f"{note_address(path)}#L{one.line}"),
            class_=f"in{min(len(one.heading_path) - 1, 5)}",
        )
        for one in headings
    ]
    count = "1 heading" if len(rows) == 1 else f"{len(rows)} headings"
    summary = element("summary", count, element("span", f" of {name}", class_="unseen"))
    return element("li", entry, element("details", summary, element("ul", rows)))


def help_page() -> list[Child]:
    """How to use the page."""
    return [
        element("h1", "Help"),
        element(
            "p",
            "Ask a question about the notes. The answer quotes the lines of the notes that say so; a number in "
            "brackets opens the note at these lines. Where the notes do not answer, the page says what they lack.",
        ),
        element(
            "p",
            "A question may lean on the one before it: after “What is …?” ask “When is it used?”. "
            "“New topic” starts over.",
        ),
        element(
            "p",
            "Questions and answers are kept in this browser only, until you delete them. Without JavaScript the page "
            "answers too, and keeps nothing.",
        ),
        element("h2", "Keys"),
        _keys(),
        element("h2", "From other programs"),
        element(
            "p",
            "The same answers are there as JSON: ",
            element("code", "POST /api/v1/ask"),
            ". ",
            element("a", "The description of the API", href="/api/v1/openapi.json"),
            " lists every route.",
        ),
    ]


def _keys() -> Html:
    rows = [element("div", element("dt", element("kbd", key)), element("dd", text)) for key, text in _KEYS]
    return element("dl", rows, class_="keys")


def _keys_dialog() -> Html:
    close = element("form", element("button", "Close"), method="dialog")
    return element(
        "dialog", element("h2", "Keys", id="KeysTitle"), _keys(), close, id="Keys", aria_labelledby="KeysTitle"
    )


def _pane() -> Html:
    close = element("button", "Close", type="button", id="PaneClose")
    whole = element("a", "Open as a page", href="/notes", id="PaneWhole")
    title = element("h2", "Note", id="PaneTitle", tabindex=-1)
    bar = element("div", title, whole, close, class_="bar-of-pane")
    return element(
        "aside", bar, element("div", id="PaneNote"), id="Pane", hidden=True, aria_labelledby="PaneTitle", class_="pane"
    )


def _form(form: Form) -> Html:
    field = element(
        "textarea",
        form.question,
        id="Question",
        name="question",
        rows=2,
        required=True,
        maxlength=8000,
    )
    used = any((form.under, form.tag, form.language, form.options, form.code))
    more = element(
        "details",
        element("summary", "More choices"),
        element(
            "div",
            _field("Under heading", "under", form.under, "Heading > Heading"),
            _field("Only notes with the tag", "tag", form.tag),
            _field("Code in the language", "language", form.language),
            element(
                "label", element("input", type="checkbox", name="code", value="1", checked=form.code), " Ask for code"
            ),
            element(
                "label",
                "Options to choose from, one a line",
                element("textarea", form.options, name="options", rows=4),
                class_="wide",
            ),
            class_="fields",
        ),
        open=used,
    )
    buttons = element(
        "div",
        element("button", "Ask", id="AskButton", class_="main"),
        element("button", "New topic", type="button", id="NewTopic", hidden=True),
        class_="buttons",
    )
    return element(
        "form",
        element("label", "Question", for_="Question"),
        field,
        element("input", type="hidden", name="conversation", value=form.conversation),
        more,
        buttons,
        id="AskForm",
        method="post",
        action="/ask",
    )


def _field(label: str, name: str, value: str, example: str = "") -> Html:
    entry = element("input", name=name, value=value, placeholder=example or None, autocomplete="off")
    return element("label", label, entry)


def alone(shown: Child | Iterable[Child]) -> str:
    """A piece of a page, without its frame."""
    return joined(shown).markup
