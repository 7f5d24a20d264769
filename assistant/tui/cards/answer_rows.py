"""A turn → the rows of its card at a given width: the chat's backend of the display blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from textual.content import Content

from assistant.rendering.blocks import (
    Alternatives,
    AsOf,
    CodeBlock,
    DisplayBlock,
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
    Statements,
    Supporter,
    Understood,
    Verdict,
    Warnings,
    arrange,
    below_title,
)
from assistant.rendering.display import display_blocks
from assistant.text import sanitize
from assistant.tui.cards import side_rows, snippet_rows
from assistant.tui.cards.card_view import Colours, View
from assistant.tui.cards.rows import Layout, Piece, Row, mark, shorten_path
from assistant.tui.history.turn import Turn

_UNFOLDED: tuple[type[DisplayBlock], ...] = (
    *(Shortfall, Nearest, Hint, Verdict, Alternatives, Requirements, Options, Statements, CodeBlock, Sources),
    Warnings,
    AsOf,
)
_FOLDED: tuple[type[DisplayBlock], ...] = (Shortfall, Verdict)
_NAMES = (Verdict, Alternatives, Requirements, Options)
_SHORTFALL = (Shortfall, Nearest, Hint)
"""Blocks of different kinds that no blank row tells apart."""
_NEAREST, _ALTERNATIVES = 3, 2
"""How many are listed at the most."""


def answer_rows(turn: Turn, view: View, columns: int, colours: Colours, folded_rows: int) -> list[Row]:
    """The whole card, no row wider than `columns`; `folded_rows` is how many rows a folded snippet has."""
    return _AnswerRows(turn, view, columns, colours, folded_rows).rows()


class _AnswerRows:
    def __init__(self, turn: Turn, view: View, columns: int, colours: Colours, folded_rows: int) -> None:
        self.turn = turn
        self.view = view
        self.colours = colours
        self.folded_rows = folded_rows
        self.layout = Layout(columns)
        self.columns = self.layout.columns

    def rows(self) -> list[Row]:
        answer = self.turn.answer
        if answer is None:
            return [*self._question(()), *self._state()]
        blocks = display_blocks(answer)
        shown = arrange(blocks, _FOLDED if self.view.folded else _UNFOLDED)
        return [*self._question(blocks), *self._parts(shown), *self._notices()]

    def _parts(self, blocks: Iterable[DisplayBlock]) -> Iterator[Row]:
        """Names, evidence, code and sources, on a roomy screen with a blank row between them."""
        before: object = None
        for block in blocks:
            rows, part = list(self._block(block)), _part(block)
            if rows and before not in (None, part) and self.folded_rows >= snippet_rows.ROOMY:
                yield []
            yield from rows
            before = part if rows else before

    def _question(self, blocks: Iterable[DisplayBlock]) -> Iterator[Row]:
        sign, question = "▶ " if self.view.chosen else "❯ ", sanitize.block(self.turn.question)
        yield from self.layout.hanging(sign, question, "bold $text-primary", action=self._action("choose"))
        for block in blocks:
            if isinstance(block, Understood):
                yield from self.layout.hanging("  understood as: ", block.text, "dim")
        if self.turn.under:
            yield from self.layout.hanging("  under: ", sanitize.block(" › ".join(self.turn.under)), "dim")

    def _state(self) -> Iterator[Row]:
        turn = self.turn
        reason = sanitize.block(turn.reason)
        if turn.state == "failed":
            yield from self.layout.hanging("", f"Could not answer: {reason}", "$text-error")
        elif turn.state == "waiting":
            yield from self.layout.hanging("", reason, "dim")
        else:
            yield [Piece("Searching…" if self.view.slow else " ", "dim")]

    def _notices(self) -> Iterator[Row]:
        if self.turn.changed:
            yield from self.layout.hanging("", "Note changed since this answer. Press r to ask again.", "$text-warning")
        elif self.turn.holds:
            text = "Still holds: a note changed since this answer, its quoted lines did not."
            yield from self.layout.hanging("", text, "dim")
        if self.view.folded:
            action = self._action("fold")
            yield from self.layout.hanging("… ", "Folded. Press space to unfold.", "dim", action=action)

    def _block(self, block: DisplayBlock) -> Iterator[Row]:
        match block:
            case Shortfall():
                yield from self._shortfall(block)
            case Nearest():
                yield from self._nearest(block.items)
            case Hint():
                yield from self.layout.hanging("Try: ", block.text)
            case Verdict():
                yield from self._verdict(block.name)
            case Alternatives() if self.turn.answer and self.turn.answer.verdict:
                yield from self._alternatives(block.names)
            case Requirements():
                for requirement in block.items:
                    yield from self._requirement(requirement)
            case Options():
                yield from self._options(block)
            case Statements():
                yield from side_rows.statement_rows(block, self.layout, self._numbers)
            case CodeBlock():
                yield from self._code(block)
            case Sources():
                yield [Piece("Sources", "bold")]
                yield from map(self._source, block.items)
            case Warnings():
                for warning in block.texts:
                    yield from self.layout.hanging("Warning: ", warning, "$text-warning")
            case AsOf():
                yield from self.layout.hanging("", block.text, "dim")

    def _shortfall(self, block: Shortfall) -> Iterator[Row]:
        missing = f"The notes say nothing about: {', '.join(block.missing)}" if block.missing else ""
        if block.outcome == "not_in_notes":
            lead, sentence = "NOT IN THE NOTES  ", "The notes do not answer this."
            yield from self.layout.hanging(lead, sentence, lead_style="bold $warning")
            if missing and not self.view.folded:
                yield from self.layout.hanging("", missing)
        elif block.outcome == "partial":
            yield from self.layout.hanging("PARTIAL   ", missing, lead_style="bold $warning")

    def _nearest(self, sources: Sequence[Source]) -> Iterator[Row]:
        for at, one in enumerate(sources[:_NEAREST]):
            lead = "Nearest: " if at == 0 else "         "
            number, line = f"[{one.number}] ", f" :{one.line}"
            room = self.columns - len(lead) - len(number) - len(line)
            heading = sanitize.clip(one.heading, max(room, 8))
            style, action = "underline" if self._is_open(one.number) else "", self._cite(one.number)
            named = mark(lead) if at else Piece(lead, "dim")
            yield [named, mark(number, style, action), Piece(heading + line, style, action)]

    def _verdict(self, name: Name) -> Iterator[Row]:
        action = self._action("open_candidate", name.position)
        left = [Piece(name.name, "bold", action), Piece(f"   {name.strength} "), mark(name.bar, "$text-accent")]
        yield from self.layout.ends(left, [Piece(below_title(name.heading_path), "dim", action)])

    def _alternatives(self, names: Sequence[Name]) -> Iterator[Row]:
        row, used = [Piece("Also: ", "dim")], 6
        for at, one in enumerate(names[:_ALTERNATIVES]):
            between = "  " if at else ""
            text = f"{sanitize.clip(one.name, max(self.columns - 20, 1))} {one.strength} "
            if used + sanitize.width(between + text + one.bar) > self.columns:
                yield row
                row, used, between = [mark("      ")], 6, ""
            action = self._action("open_candidate", one.position)
            row += [Piece(between + text, "", action), mark(one.bar, "$text-accent", action)]
            used += sanitize.width(between + text + one.bar)
        more = len(names) - _ALTERNATIVES
        if more > 0 and used + 10 <= self.columns:
            row.append(Piece(f"  +{more} more", "dim", self._action("alternatives")))
        yield row

    def _requirement(self, requirement: RequirementItem) -> Iterator[Row]:
        if not requirement.supported:
            right = [Piece("not in the notes", "$text-warning")]
            yield from self.layout.hanging("  ✗ ", requirement.text, right=right)
            return
        right = [piece for at, one in enumerate(requirement.supporters) for piece in self._supporter(one, first=not at)]
        yield from self.layout.hanging("  ✓ ", requirement.text, right=right, lead_style="bold")

    def _supporter(self, supporter: Supporter, *, first: bool) -> Row:
        action = self._action("open_candidate", supporter.position) if supporter.position is not None else ""
        name = Piece(f"{'' if first else '  '}{supporter.name}", "", action)
        return [name, mark(" "), *self._numbers(supporter.citations)]

    def _options(self, block: Options) -> Iterator[Row]:
        for option in block.items:
            yield from self._option(option)
        if block.undecided:
            yield from self.layout.hanging("  ", "The notes support none of the options.", "$text-warning")

    def _option(self, option: OptionItem) -> Iterator[Row]:
        lead = f"{'▶' if option.best else ' '} {sanitize.clip(option.label, 12)}) "
        support = Piece(f"{'best ' if option.best else ''}{option.support} ")
        right = [support, *self._numbers(option.citations)]
        yield from self.layout.hanging(lead, option.text, "bold" if option.best else "", right=right)

    def _code(self, block: CodeBlock) -> Iterator[Row]:
        fold = self._action("fold_snippet", block.position)
        yield from snippet_rows.caption(block, self.layout, fold, self._numbers([block.citation]))
        coloured = self.colours.get(block.position) or [Content(row) for row in block.rows]
        most = None if block.position in self.view.unfolded else self.folded_rows
        yield from snippet_rows.code(block, self.columns, coloured, most, fold)

    def _source(self, source: Source) -> Row:
        chosen = self.view.chosen and source.number == self.view.citation
        sign = "▶" if chosen and self.view.opened else "›" if chosen else " "
        lead, line = f"{sign}[{source.number}] ", f":{source.line}"
        room = self.columns - len(lead) - len(line) - 2
        headings = below_title(source.heading_path) + (" (changed since it was indexed)" if source.stale else "")
        headings = sanitize.clip(headings, max(room // 2, room - sanitize.width(source.path)))
        path = shorten_path(source.path, max(room - sanitize.width(headings), 8))
        action, style = self._cite(source.number), "bold" if chosen else ""
        return [
            mark(lead, style or "$text-accent", action),
            Piece(path + line, style, action),
            Piece(f"  {headings}", "dim", action),
        ]

    def _numbers(self, citations: Iterable[int]) -> Row:
        row: Row = []
        for number in citations:
            row += [*([mark(" ")] if row else []), mark(f"[{number}]", "$text-accent", self._cite(number))]
        return row

    def _is_open(self, number: int) -> bool:
        return self.view.chosen and self.view.opened and number == self.view.citation

    def _action(self, name: str, *arguments: int) -> str:
        """A call of the app's action on this turn."""
        return f"app.{name}({', '.join(map(str, (self.turn.number, *arguments)))})"

    def _cite(self, number: int) -> str:
        return self._action("cite", number)


def _part(block: DisplayBlock) -> object:
    """What a block belongs to; a snippet is a part of its own."""
    if isinstance(block, CodeBlock):
        return block
    return _NAMES if isinstance(block, _NAMES) else _SHORTFALL if isinstance(block, _SHORTFALL) else type(block)
