"""An Answer → HTML through the display blocks, for the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from assistant.records import Answer
from assistant.rendering import terminal
from assistant.rendering.blocks import (
    Alternatives,
    AsOf,
    CodeBlock,
    DisplayBlock,
    Explanation,
    Hint,
    Name,
    Nearest,
    OptionItem,
    Options,
    RequirementItem,
    Requirements,
    Shortfall,
    Source,
    Sources,
    StatementItem,
    Statements,
    Understood,
    Verdict,
    Warnings,
    arrange,
    below_title,
)
from assistant.rendering.display import Cleaning, display_blocks
from assistant.server.page.addresses import note_address
from assistant.server.page.html import Html, element, joined
from assistant.text import sanitize

_ORDER: tuple[type[DisplayBlock], ...] = (
    *(Understood, Shortfall, Hint, Verdict, Options, Statements, Alternatives, Requirements, CodeBlock, Nearest),
    *(Sources, Warnings, AsOf, Explanation),
)
_COPIED_COLUMNS = 80


def _with_tabs(text: str) -> str:
    """Clean, but with its tabs: code is copied from the page, and some languages need them."""
    return "\t".join(map(sanitize.block, text.split("\t")))


_CLEAN = Cleaning(sanitize.line, _with_tabs, cuts=True)


def answer_html(answer: Answer) -> Html:
    """What the page shows of an answer, without its question; buttons are hidden until the script shows them."""
    return _AnswerHtml(answer).html()


class _AnswerHtml:
    """The blocks of one answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._citations = {citation.number: citation for citation in answer.citations}

    def html(self) -> Html:
        blocks = arrange(display_blocks(self._answer, _CLEAN), _ORDER)
        copied = terminal.text(self._answer, _COPIED_COLUMNS)
        return element(
            "div",
            [part for block in blocks for part in self._block(block)],
            element("pre", copied, class_="copied", hidden=True),
            element("button", "Copy answer", type="button", class_="copy", data_copy="answer", hidden=True),
            class_="answer",
            data_outcome=self._answer.outcome,
        )

    def _block(self, block: DisplayBlock) -> Iterator[Html]:
        match block:
            case Understood():
                yield element("p", "Understood as: ", block.text, class_="understood")
            case Shortfall():
                yield from self._shortfall(block)
            case Hint():
                yield element("p", "Try: ", block.text, class_="hint")
            case Verdict():
                yield element("p", self._name(block.name), class_="verdict")
            case Alternatives():
                label = "Also" if self._answer.verdict else "Near it"
                yield _listed(label, "alternatives", [self._alternative(name) for name in block.names])
            case Requirements():
                yield _listed("Requirements", "requirements", [self._requirement(one) for one in block.items])
            case Options():
                yield from self._options(block)
            case Statements():
                yield from self._statements(block)
            case CodeBlock():
                yield self._code(block)
            case Nearest():
                yield _listed("Nearest headings", "sources", [self._source(one) for one in block.items], "ol")
            case Sources():
                yield _listed("Sources", "sources", [self._source(one) for one in block.items], "ol")
            case Warnings():
                yield _listed("Warnings", "warnings", [element("li", text) for text in block.texts])
            case AsOf():
                yield element("p", block.text, class_="place")
            case Explanation():
                rows = "\n".join("  " * depth + row for depth, row in block.rows)
                yield element("details", element("summary", "Why"), element("pre", rows, tabindex=0), class_="why")

    def _shortfall(self, block: Shortfall) -> Iterator[Html]:
        missing = ", ".join(f"“{term}”" for term in block.missing)
        nothing = f"The notes say nothing about {missing}." if missing else None
        if block.outcome == "not_in_notes":
            lead = element("strong", "Not in the notes.")
            yield element("p", lead, " The notes do not answer this. ", nothing, class_="shortfall")
        elif block.outcome == "partial":
            yield element("p", element("strong", "Answered in part."), " ", nothing, class_="shortfall")

    def _name(self, name: Name) -> list[Html | str]:
        return [
            element("strong", name.name, class_="name"),
            " ",
            element("span", name.strength, " ", element("span", name.bar, aria_hidden="true", class_="bar")),
            " ",
            self._numbers(name.citations),
            " ",
            element("span", below_title(name.heading_path), class_="place"),
        ]

    def _alternative(self, name: Name) -> Html:
        return element("li", self._name(name), element("br"), element("span", name.reason, class_="reason"))

    def _requirement(self, requirement: RequirementItem) -> Html:
        sign = element("span", "✓ " if requirement.supported else "✗ ", aria_hidden="true")
        if not requirement.supported:
            said = element("span", "not in the notes", class_="lacking")
            return element("li", sign, requirement.text, ": ", said)
        supporters = [
            joined(", " if at else None, one.name, " ", self._numbers(one.citations))
            for at, one in enumerate(requirement.supporters)
        ]
        return element("li", sign, requirement.text, ": ", supporters or "in the notes, not cited here")

    def _options(self, block: Options) -> Iterator[Html]:
        yield _listed("Options", "options", [self._option(one) for one in block.items])
        if block.undecided:
            yield element("p", "The notes support none of the options.", class_="shortfall")

    def _option(self, option: OptionItem) -> Html:
        text = f"{option.label}) {option.text}"
        return element(
            "li",
            element("strong", "Best: ", text) if option.best else text,
            element("span", " support ", option.support, " ", class_="place"),
            self._numbers(option.citations),
            class_="best" if option.best else None,
        )

    def _statements(self, block: Statements) -> Iterator[Html]:
        yield from map(self._statement, block.of(None) if block.sides else block.items)
        if block.sides:
            sides = [
                element("section", element("h3", name), map(self._statement, block.of(side)), class_="side")
                for side, name in enumerate(block.sides)
            ]
            yield element("div", sides, class_="sides")

    def _statement(self, item: StatementItem) -> Html:
        return element("blockquote", element("p", item.text, " ", self._numbers(item.citations)), class_="statement")

    def _code(self, block: CodeBlock) -> Html:
        problem = block.syntax if block.problems else None
        caption = element(
            "figcaption",
            element("span", block.title, class_="title"),
            element("span", block.language or "no language", " · ", block.syntax, class_="place")
            if problem is None
            else element("span", problem, class_="lacking"),
            self._numbers([block.citation]),
            element("button", "Copy code", type="button", class_="copy", data_copy="code", hidden=True),
        )
        code = element(
            "pre", element("code", "\n".join(block.rows)), tabindex=0, role="group", aria_label=f"Code: {block.title}"
        )
        return element("figure", caption, code, class_="code")

    def _source(self, source: Source) -> Html:
        place = f"{source.path}:{source.line}"
        citation = self._citations[source.number]
        address = note_address(citation.path, citation.start_line, citation.end_line)
        changed = element("span", " changed since it was indexed", class_="lacking") if source.stale else None
        return element(
            "li",
            element("a", f"[{source.number}] ", place, href=address, class_="source"),
            " ",
            element("span", below_title(source.heading_path), class_="place"),
            self._original(source) if source.url else None,
            changed,
            element(
                "details",
                element("summary", "Quoted lines", element("span", f" of source {source.number}", class_="unseen")),
                element(
                    "pre", _with_tabs(citation.quote), tabindex=0, role="group", aria_label=f"Quoted lines of {place}"
                ),
            ),
        )

    def _original(self, source: Source) -> Html:
        """A link to the note where it is kept."""
        unseen = element("span", f" of source {source.number}", class_="unseen")
        return joined(" ", element("a", "original", unseen, href=source.url, rel="noopener noreferrer"))

    def _numbers(self, numbers: Iterable[int]) -> Html:
        """Links to what is cited."""
        links = [self._number(number) for number in numbers if number in self._citations]
        return element("span", links, class_="numbers") if links else joined()

    def _number(self, number: int) -> Html:
        citation = self._citations[number]
        label = f"Source {number}: {sanitize.line(citation.path)}, line {citation.start_line}"
        address = note_address(citation.path, citation.start_line, citation.end_line)
        return element("a", f"[{number}]", href=address, class_="cite", aria_label=label)


def _listed(label: str, kind: str, items: Sequence[Html], tag: str = "ul") -> Html:
    heading = element("h3", label)
    return element("section", heading, element(tag, items), class_=kind)
