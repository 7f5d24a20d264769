"""A turn → the rows of its card at a given width; all that it shows of notes and questions passes `visible` here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import NamedTuple

from textual.content import Content
from textual.style import Style

from assistant.records import Answer, Candidate, Citation, Option, Requirement, Snippet
from assistant.text import sanitize
from assistant.tui.turns import Turn

WIDEST = 100
"""Columns that text is laid out in at the most."""
SHORT = 20
"""Rows below which a screen is short."""
STRONG, FAIR = 0.7, 0.4
"""Confidence from which a verdict is called so; below FAIR it is weak."""
_NEAREST, _ALSO = 3, 2
_BADGE = 26
"""Columns that what is wrong with a snippet keeps beside a long caption: enough for the line's number."""


class Piece(NamedTuple):
    """A run of safe text of one row."""

    text: str | Content
    style: str = ""
    action: str = ""
    """What a click does: an action of the app, with its arguments."""

    def content(self) -> Content:
        content = Content(self.text) if isinstance(self.text, str) else self.text
        if self.style:
            content = content.stylize(self.style)
        return content.stylize(Style.from_meta({"@click": self.action})) if self.action else content

    @property
    def width(self) -> int:
        return sanitize.width(self.text) if isinstance(self.text, str) else self.text.cell_length


Row = list[Piece]


@dataclass(frozen=True, slots=True)
class View:
    """How a card is looked at now."""

    folded: bool = False
    """Only the question and the verdict."""
    unfolded: frozenset[int] = frozenset()
    """Positions of the snippets of which every row is shown."""
    chosen: bool = False
    """Whether it is the answer that keys act on."""
    citation: int = 0
    """The citation that keys act on; 0 for none."""
    opened: bool = False
    """Whether the source pane shows that citation."""
    slow: bool = False
    """Whether a running question has run for so long that it should be said."""


Colours = Mapping[int, Sequence[Content]]
"""A snippet's position in the answer → its lines, coloured."""


def code_rows(height: int) -> int:
    """Rows of a folded snippet on a screen of that height; 0 leaves its caption alone."""
    return 0 if height < SHORT else max(3, min(height // 8, 12))


def laid_out(turn: Turn, view: View, width: int, colours: Colours, code: int) -> list[Row]:
    """The whole card; rows are as many as `width` columns ask for, none is wider. `code`: rows of a folded snippet."""
    return _Card(turn, view, max(16, min(width, WIDEST)), colours, code).rows()


class _Card:
    def __init__(self, turn: Turn, view: View, width: int, colours: Colours, code: int) -> None:
        self.turn = turn
        self.view = view
        self.width = width
        self.code = code
        self.colours = colours
        self.answer = turn.answer
        self.cited = {one.number: one for one in turn.answer.citations} if turn.answer else {}

    def rows(self) -> list[Row]:
        rows = list(self._question())
        if self.answer is None:
            return [*rows, *self._state()]
        answer = self.answer
        parts: list[Callable[[Answer], Iterator[Row]]] = [self._head]
        if not self.view.folded:
            parts += [self._requirements, self._options, self._statements, self._snippets, self._sources]
        parts.append(self._notices)
        return [*rows, *(row for part in parts for row in part(answer))]

    def _question(self) -> Iterator[Row]:
        mark = "▶ " if self.view.chosen else "❯ "
        yield from self._text(mark, self.turn.question, "bold $text-primary", action=self._act("choose"))
        if self.answer and self.answer.standalone_question is not None:
            yield from self._text("  understood as: ", self.answer.standalone_question, "dim")
        if self.turn.under:
            yield from self._text("  under: ", " › ".join(self.turn.under), "dim")

    def _state(self) -> Iterator[Row]:
        turn = self.turn
        if turn.state == "failed":
            yield from self._text("", f"Could not answer: {turn.said}", "$text-error")
        elif turn.state == "waiting":
            yield from self._text("", turn.said, "dim")
        else:
            yield [Piece("Searching…" if self.view.slow else " ", "dim")]

    def _head(self, answer: Answer) -> Iterator[Row]:
        missing = f"The notes say nothing about: {', '.join(answer.missing)}" if answer.missing else ""
        if answer.outcome == "not_in_notes":
            yield from self._text("NOT IN THE NOTES  ", "The notes do not answer this.", "", lead_style="bold $warning")
            if missing and not self.view.folded:
                yield from self._text("", missing)
            if not self.view.folded:
                yield from self._nearest(answer)
        elif answer.outcome == "partial":
            yield from self._text("PARTIAL   ", missing, "", lead_style="bold $warning")
        if answer.hint and not self.view.folded:
            yield from self._text("Try: ", answer.hint)
        if answer.verdict is not None:
            yield from self._verdict(answer.verdict)
            if answer.alternatives and not self.view.folded:
                yield from self._also(answer.alternatives)

    def _verdict(self, verdict: Candidate) -> Iterator[Row]:
        open_it = self._act("open_candidate", 0)
        name, sure = sanitize.line(verdict.name), f"   {confidence(verdict.confidence)}"
        where = _headings(verdict.heading_path)
        yield from self._ends([Piece(name, "bold $text-success", open_it), Piece(sure)], [Piece(where, "dim", open_it)])

    def _also(self, candidates: Sequence[Candidate]) -> Iterator[Row]:
        row, used = [Piece("Also: ", "dim")], 6
        for at, one in enumerate(candidates[:_ALSO], 1):
            between = "  " if at > 1 else ""
            name = sanitize.clip(sanitize.line(one.name), self.width - 16)
            said = f"{name} {round(one.confidence * 100)} %"
            if used + sanitize.width(between + said) > self.width:
                yield row
                row, used, between = [Piece("      ")], 6, ""
            row += [Piece(between), Piece(said, "", self._act("open_candidate", at))]
            used += sanitize.width(between + said)
        more = len(candidates) - _ALSO
        if more > 0 and used + 10 <= self.width:
            row.append(Piece(f"  +{more} more", "dim", self._act("alternatives")))
        yield row

    def _nearest(self, answer: Answer) -> Iterator[Row]:
        for at, one in enumerate(answer.citations[:_NEAREST]):
            lead = "Nearest: " if at == 0 else "         "
            number, line = f"[{one.number}] ", f" :{one.start_line}"
            room = self.width - len(lead) - len(number) - len(line)
            heading = sanitize.clip(sanitize.line(one.heading_path[-1] if one.heading_path else one.path), max(room, 8))
            mark = "underline" if self._is_open(one.number) else ""
            yield [Piece(lead, "dim"), Piece(number + heading + line, mark, self._cite(one.number))]

    def _requirements(self, answer: Answer) -> Iterator[Row]:
        for one in answer.requirements:
            yield from self._requirement(one)

    def _requirement(self, one: Requirement) -> Iterator[Row]:
        if not one.supported:
            yield from self._text("  ✗ ", one.text, right=[Piece("not in the notes", "$text-warning")])
            return
        right: Row = []
        for support in one.support:
            gap = "  " if right else ""
            name = Piece(f"{gap}{sanitize.line(support.name)} ", "", self._open_name(support.name))
            right += [name, *self._numbers(support.citations)]
        yield from self._text("  ✓ ", one.text, right=right, lead_style="$text-success")

    def _open_name(self, name: str) -> str:
        """What a click on a name does, where the answer knows its heading."""
        answer = self.answer
        if answer is None or answer.verdict is None:
            return ""
        names = [answer.verdict.name, *(one.name for one in answer.alternatives)]
        return self._act("open_candidate", names.index(name)) if name in names else ""

    def _options(self, answer: Answer) -> Iterator[Row]:
        for one in answer.options:
            yield from self._option(one, best=one.label == answer.choice)
        if answer.options and answer.choice is None:
            yield from self._text("  ", "The notes support none of the options.", "$text-warning")

    def _option(self, one: Option, *, best: bool) -> Iterator[Row]:
        lead = f"{'▶' if best else ' '} {sanitize.clip(sanitize.line(one.label), 12)}) "
        right = [Piece(f"{'best ' if best else ''}{one.support:.2f} "), *self._numbers(one.citations)]
        yield from self._text(lead, one.text, "bold" if best else "", right=right)

    def _statements(self, answer: Answer) -> Iterator[Row]:
        for one in answer.statements:
            yield from self._text("│ ", one.text, right=self._numbers(one.citations), bar=True)

    def _snippets(self, answer: Answer) -> Iterator[Row]:
        for at, one in enumerate(answer.snippets):
            yield from self._snippet(at, one)

    def _snippet(self, at: int, snippet: Snippet) -> Iterator[Row]:
        cited = self.cited.get(snippet.citation)
        caption = snippet.caption or (cited.heading_path[-1] if cited and cited.heading_path else "Snippet")
        bad = {problem.line for problem in snippet.problems or ()}
        badge, style = state_of(snippet)
        said = f" · {sanitize.clip(sanitize.line(snippet.language), 16) or 'no language'} · "
        fold = self._act("fold_snippet", at)
        number = [Piece(f"[{snippet.citation}]", "$text-accent", self._cite(snippet.citation))]
        room = self.width - sanitize.width(said) - 6
        name = sanitize.clip(sanitize.line(caption), max(room - min(sanitize.width(badge), _BADGE), 12))
        badge = sanitize.clip(badge, max(room - sanitize.width(name), 12))
        lead = [Piece(name, "bold", fold), Piece(said, "dim", fold), Piece(badge, style, fold)]
        yield from self._ends(lead, number)
        code = sanitize.block(snippet.code).rstrip("\n").split("\n")
        coloured = self.colours.get(at) or [Content(row) for row in code]
        first = first_line(snippet, cited)
        shown = len(code) if at in self.view.unfolded else min(len(code), self.code)
        if shown and len(code) - shown == 1:
            shown += 1  # a row that says "1 more" would take the row's place
        for number_in, row in enumerate(islice(coloured, shown)):
            yield self._code(row, first + number_in if first + number_in in bad else 0)
        if 0 < shown < len(code):
            yield [Piece(f"  … {len(code) - shown} more lines", "dim", fold)]

    def _code(self, row: Content, bad: int) -> Row:
        mark = f" ◀ line {bad}" if bad else ""
        room = self.width - 2 - len(mark)
        if row.cell_length > room:
            row = row.truncate(room - 1).append("…")
        gap = [Piece(" " * max(room - row.cell_length, 0)), Piece(mark, "bold $text-error")] if bad else []
        return [Piece("  "), Piece(row), *gap]

    def _sources(self, answer: Answer) -> Iterator[Row]:
        if answer.outcome == "not_in_notes" or not answer.citations:
            return
        yield [Piece("Sources", "bold")]
        for one in answer.citations:
            yield self._source(one)

    def _source(self, one: Citation) -> Row:
        chosen = self.view.chosen and one.number == self.view.citation
        mark = "▶" if chosen and self.view.opened else "›" if chosen else " "
        line = f":{one.start_line}"
        stale = " (changed since it was indexed)" if one.stale else ""
        lead = f"{mark}[{one.number}] "
        room = self.width - len(lead) - len(line) - 2
        where = sanitize.clip(_headings(one.heading_path) + stale, max(room // 2, room - sanitize.width(one.path)))
        path = shortened(sanitize.line(one.path), max(room - sanitize.width(where), 8))
        act = self._cite(one.number)
        style = "bold" if chosen else ""
        return [
            Piece(lead, style or "$text-accent", act),
            Piece(path + line, style, act),
            Piece("  "),
            Piece(where, "dim", act),
        ]

    def _notices(self, answer: Answer) -> Iterator[Row]:
        for warning in answer.warnings if not self.view.folded else ():
            yield from self._text("Warning: ", warning, "$text-warning")
        if self.turn.changed:
            yield from self._text("", "This note changed since. r asks again", "$text-warning")
        if self.view.folded:
            yield from self._text("… ", "folded: space shows the answer", "dim", action=self._act("fold"))

    def _numbers(self, citations: Iterable[int]) -> Row:
        row: Row = []
        for number in citations:
            row += [*([Piece(" ")] if row else []), Piece(f"[{number}]", "$text-accent", self._cite(number))]
        return row

    def _text(
        self,
        lead: str,
        said: str,
        style: str = "",
        *,
        right: Row | None = None,
        lead_style: str = "",
        bar: bool = False,
        action: str = "",
    ) -> Iterator[Row]:
        """Wrapped under itself behind its lead; `right` has a column of its own, or rows below if it is wide."""
        side, right = sanitize.width(lead), right or []
        beside = sum(piece.width for piece in right)
        below = beside > max(self.width - side - 16, 0) or (beside > self.width // 2 and not bar)
        room = max(self.width - side - (beside + 1 if right and not below else 0), 8)
        wrapped = [row for line in sanitize.block(said).split("\n") for row in sanitize.wrap(line, room)]
        for at, text in enumerate(wrapped):
            row = [
                Piece(lead if at == 0 or bar else " " * side, lead_style or style, action),
                Piece(text, style, action),
            ]
            if right and not below and at == 0:
                row += [Piece(" " * (room - sanitize.width(text) + 1)), *right]
            yield row
        if right and below:
            yield from self._flowing(right, side + 2)

    def _flowing(self, pieces: Row, indent: int) -> Iterator[Row]:
        """Pieces one after the other, on as many rows as they need; a name is kept with its numbers where they fit."""
        row, used = [Piece(" " * indent)], indent
        for at, piece in enumerate(pieces):
            text = piece.text
            needs = piece.width + sum(one.width for one in takewhile(_goes_on, pieces[at + 1 :]))
            if _goes_on(piece) or needs > self.width - indent:
                needs = piece.width
            if used + needs > self.width and used > indent:
                yield row
                row, used = [Piece(" " * indent)], indent
            if isinstance(text, str) and used == indent:
                text = sanitize.clip(text.lstrip(), self.width - indent)
            row.append(piece._replace(text=text))
            used += row[-1].width
        yield row

    def _ends(self, left: Row, right: Row) -> Iterator[Row]:
        """One row with a left and a right end; two where they do not fit."""
        gap = self.width - sum(p.width for p in left) - sum(p.width for p in right)
        if gap >= 2:
            yield [*left, Piece(" " * gap), *right]
            return
        yield from self._flowing(left, 0)
        yield from self._flowing(right, 2)

    def _is_open(self, number: int) -> bool:
        return self.view.chosen and self.view.opened and number == self.view.citation

    def _act(self, action: str, *arguments: int) -> str:
        return f"app.{action}({', '.join(map(str, (self.turn.number, *arguments)))})"

    def _cite(self, number: int) -> str:
        return self._act("cite", number)


def _goes_on(piece: Piece) -> bool:
    """Whether it belongs to what stands before it."""
    return isinstance(piece.text, str) and not piece.text.startswith("  ")


def confidence(value: float) -> str:
    """In per cent and in a word."""
    word = "strong" if value >= STRONG else "fair" if value >= FAIR else "weak"
    return f"{round(value * 100)} % {word}"


def state_of(snippet: Snippet) -> tuple[str, str]:
    """Whether it parses, in words, and the style of the words."""
    if snippet.problems is None:
        return "not checked", "dim"
    if not snippet.problems:
        return "parses", "$text-success"
    first = snippet.problems[0]
    return f"does not parse: line {first.line}, {sanitize.line(first.message)}", "$text-error"


def first_line(snippet: Snippet, cited: Citation | None) -> int:
    """The note's line that the code begins at; 0 where that cannot be told."""
    if cited is None:
        return 0
    begins = snippet.code.split("\n")[0].strip()
    lines = cited.quote.split("\n")
    return cited.start_line + next((at for at, line in enumerate(lines) if line.strip() == begins), 0)


def shortened(path: str, room: int) -> str:
    """A path without its middle: the first folder where there is room for it, and the end of the name."""
    if sanitize.width(path) <= room:
        return path
    first, slash, rest = path.partition("/")
    head = f"{first}/" if slash and sanitize.width(first) + 16 <= room and "/" in rest else ""
    tail = path
    while tail and sanitize.width(head) + 1 + sanitize.width(tail) > room:
        tail = tail[1:]
    return f"{head}…{tail}"


def _headings(path: Sequence[str]) -> str:
    """Below the note's title, or the title where it is alone."""
    return sanitize.line(" › ".join(path[1:] or path))
