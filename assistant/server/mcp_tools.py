"""The MCP tools: what each takes, and what it returns as a record and as text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assistant.errors import BadRequest
from assistant.records import Request
from assistant.rendering.answer_json import answer_json
from assistant.rendering.search_json import search_json
from assistant.server import mcp_resources, mcp_schemas, mcp_texts
from assistant.server.mcp_calls import Call
from assistant.server.mcp_schemas import ChangeReport, Indexing, Lines, Schema, Topic, TopicList
from assistant.server.service import Service
from assistant.text import sanitize

MOST_LINES = 400
"""Lines that one call of `read` gives."""
_CITATION = re.compile(r"(?P<path>.+?):(?P<start>[0-9]+)(?:-(?P<end>[0-9]+))?")
_Under = Annotated[
    str | None, Field(description="Search only under this heading, or a path of headings joined with ` > `.")
]
_Tag = Annotated[str | None, Field(description="Search only notes with this tag.")]


@dataclass(frozen=True, slots=True)
class Told:
    """What a tool returns."""

    record: dict[str, object]
    text: str


class ToolInput(BaseModel):
    """The arguments of a call, which can be made."""

    model_config = ConfigDict(extra="forbid")

    def told(self, service: Service, call: Call) -> Told:
        """Makes the call; AssistantError, Cancelled. Blocks for as long as it takes."""
        raise NotImplementedError


class AskInput(ToolInput):
    """`ask`."""

    question: Annotated[str, Field(description="The question, in full sentences or keywords.")]
    conversation: Annotated[
        str | None,
        Field(
            max_length=200,
            description="A name of your choice. Questions with the same one are a dialogue: a follow-up may leave out "
            "its subject. Without one the question stands alone.",
        ),
    ] = None
    options: Annotated[
        dict[str, str] | None,
        Field(description='Options of a multiple-choice question, label to text, such as {"A": "…", "B": "…"}.'),
    ] = None
    code: Annotated[bool, Field(description="Ask for a code snippet.")] = False
    language: Annotated[str | None, Field(description="Ask for a code snippet in this language.")] = None
    under: _Under = None
    tag: _Tag = None
    limit: Annotated[int, Field(ge=1, le=8, description="Citations at the most.")] = 8

    def told(self, service: Service, call: Call) -> Told:
        """The answer's record, and its text with the warnings below it."""
        clean = sanitize.replace_surrogates
        request = Request(
            clean(self.question),
            conversation=f"mcp:{self.conversation}" if self.conversation else None,
            options={clean(label): clean(text) for label, text in self.options.items()} if self.options else None,
            code=self.code or bool(self.language),
            language=clean(self.language) if self.language else None,
            under=clean(self.under) if self.under else None,
            tag=clean(self.tag) if self.tag else None,
            limit=self.limit,
        )
        answer = service.ask(request, stopped=call.stopped, indexing=call.indexing)
        return Told(json.loads(answer_json(answer)), mcp_texts.answer_text(answer))


class SearchInput(ToolInput):
    """`search`."""

    query: Annotated[str, Field(description="What to look for: a question or keywords.")]
    under: _Under = None
    tag: _Tag = None
    limit: Annotated[int, Field(ge=1, le=50, description="Passages at the most.")] = 10

    def told(self, service: Service, call: Call) -> Told:
        """The passages, best first."""
        clean = sanitize.replace_surrogates
        request = Request(
            clean(self.query),
            under=clean(self.under) if self.under else None,
            tag=clean(self.tag) if self.tag else None,
        )
        found = service.search(request, self.limit, stopped=call.stopped, indexing=call.indexing)
        return Told(json.loads(search_json(found)), mcp_texts.search_text(found))


class ReadInput(ToolInput):
    """`read`."""

    citation: Annotated[
        str | None,
        Field(description="A place as answers print it: `path:line` or `path:start-end`. Instead of `path`."),
    ] = None
    path: Annotated[str | None, Field(description="Path of the note, as citations and `search` give it.")] = None
    start: Annotated[int | None, Field(ge=1, description="First line, from 1; the first one by default.")] = None
    end: Annotated[int | None, Field(ge=1, description="Last line, inclusive; the last one by default.")] = None

    def told(self, service: Service, call: Call) -> Told:
        """The lines, at most 400 of them, each with its number in the text."""
        path, start, end = self._place()
        service.await_index(stopped=call.stopped, indexing=call.indexing)
        note = service.note(path)
        total = len(note.lines)
        wanted_end = min(end or total, total)
        start = min(start, 1) if not total else start
        if total and start > total:
            raise BadRequest(f"{path} has {total:,} lines; line {start:,} was asked for.", f"Choose 1 to {total}.")
        if end is not None and end < start:
            raise BadRequest(f"The last line ({end}) is before the first ({start}).", "Exchange start and end.")
        last = min(wanted_end, start + MOST_LINES - 1)
        lines = note.lines[start - 1 : last]
        read = Lines(
            path=path,
            uri=mcp_resources.uri(path),
            start=start if total else 0,
            end=last,
            total=total,
            next_start=last + 1 if last < wanted_end else None,
            lines=list(lines),
        )
        return Told(read.model_dump(mode="json"), mcp_texts.lines_text(read))

    def _place(self) -> tuple[str, int, int | None]:
        """Path, first line and last line."""
        if (self.citation is None) == (self.path is None):
            raise BadRequest(
                "`read` takes either a citation or a path.", "Give one of them, such as citation `notes.md:12-20`."
            )
        if self.path is not None:
            return sanitize.replace_surrogates(self.path), self.start or 1, self.end
        if self.start is not None or self.end is not None:
            raise BadRequest("A citation has its own lines.", "Leave out start and end, or give path instead.")
        citation = sanitize.replace_surrogates(self.citation or "")
        match = _CITATION.fullmatch(citation)
        if match is None or int(match["start"]) < 1:
            raise BadRequest(f"{citation} is no citation.", "Citations are `path:line` or `path:start-end`.")
        return match["path"], int(match["start"]), int(match["end"] or match["start"])


class TopicsInput(ToolInput):
    """`topics`."""

    contains: Annotated[str | None, Field(description="Only names that contain this text, in any case.")] = None
    limit: Annotated[int, Field(ge=1, le=2000, description="Names at the most.")] = 200

    def told(self, service: Service, call: Call) -> Told:
        """The names, in the order of the notes."""
        service.await_index(stopped=call.stopped, indexing=call.indexing)
        part = (self.contains or "").casefold()
        found = [one for one in service.topics() if part in one.name.casefold()]
        listed = [Topic(**{**asdict(one), "heading_path": list(one.heading_path)}) for one in found[: self.limit]]
        rows = [f"{one.name}  {one.path}:{one.line}  {mcp_texts.headings(one.heading_path)}" for one in listed]
        if len(found) > len(listed):
            rows.append(f"{len(found) - len(listed):,} more; narrow them with `contains` or raise `limit`.")
        topics = TopicList(topics=listed, total=len(found))
        return Told(topics.model_dump(mode="json"), mcp_texts.joined(rows or ["No names."]))


class ChangesInput(ToolInput):
    """`changes`."""

    def told(self, service: Service, call: Call) -> Told:
        """The last change since the service started."""
        changes, step, overview = service.changes, service.follower.step, service.overview()
        report = ChangeReport(
            at=datetime.fromtimestamp(changes.at, UTC).isoformat(timespec="seconds") if changes.at else None,
            generation=changes.generation or None,
            added=list(changes.added),
            changed=list(changes.changed),
            removed=list(changes.removed),
            notes=overview.notes if overview else 0,
            passages=overview.passages if overview else 0,
            pending=overview.pending if overview else 0,
            unreadable=list(overview.refused) if overview else [],
            indexing=Indexing(action=step.action, done=step.done, total=step.total) if step else None,
            trouble=service.follower.trouble or None,
        )
        return Told(report.model_dump(mode="json"), mcp_texts.changes_text(report))


@dataclass(frozen=True, slots=True)
class NotesTool:
    """A tool as it is listed."""

    name: str
    title: str
    description: str
    input: type[ToolInput]
    output: Callable[[], Schema]


TOOLS = (
    NotesTool(
        "ask",
        "Ask the notes",
        "Answers a question from the user's Markdown notes. The answer is made of verbatim quotations with the note, "
        "heading and lines they stand on; nothing is generated. `outcome` is answered, partial (terms in `missing` are "
        "not covered) or not_in_notes.",
        AskInput,
        mcp_schemas.answer_schema,
    ),
    NotesTool(
        "search",
        "Search the notes",
        "Finds the passages of the user's Markdown notes that fit a query best, each with its note, headings, lines "
        "and a score from 0 to 1, without an answer on top.",
        SearchInput,
        mcp_schemas.search_schema,
    ),
    NotesTool(
        "read",
        "Read lines of a note",
        f"Reads lines of one note as it is now, by citation or by path and range; at most {MOST_LINES} lines a "
        "call, and says how many lines the note has.",
        ReadInput,
        lambda: mcp_schemas.output_schema(Lines),
    ),
    NotesTool(
        "topics",
        "List topics of the notes",
        "Lists the names (services, strategies, features) that the notes are about, each with the place that says most "
        "about it.",
        TopicsInput,
        lambda: mcp_schemas.output_schema(TopicList),
    ),
    NotesTool(
        "changes",
        "What changed in the notes",
        "Says which notes the last update of the index added, changed and removed since this server started, how many "
        "notes are indexed, and what is still being indexed.",
        ChangesInput,
        lambda: mcp_schemas.output_schema(ChangeReport),
    ),
)
