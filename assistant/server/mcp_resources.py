"""Notes as MCP resources: their addresses, and the pages in which they are listed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Sequence
from urllib.parse import quote, unquote

from mcp import types

from assistant.errors import BadRequest
from assistant.text import sanitize

SCHEME = "notes://"
MARKDOWN = "text/markdown"
PAGE = 500
"""Resources that one page lists."""
TEMPLATE = types.ResourceTemplate(
    name="note",
    title="A note",
    uri_template="notes://{+path}",
    description="A whole note, by its path as citations give it; what is no letter or digit is percent-encoded.",
    mime_type=MARKDOWN,
)


def uri(path: str) -> str:
    """The address of a note: `notes://` and its path, percent-encoded but for `/`."""
    return SCHEME + quote(path, safe="/")


def path_of(address: str) -> str:
    """The path of the note that has this address; BadRequest where it can be none's."""
    if not address.startswith(SCHEME):
        raise BadRequest(f"{address} is no address of a note.", "Addresses are `notes://` and the path of a note.")
    try:
        return unquote(address.removeprefix(SCHEME), errors="strict").removeprefix("/")
    except UnicodeDecodeError:
        raise BadRequest(f"{address} is not UTF-8.", "Take an address as resources/list gives it.") from None


def page(paths: Sequence[str], cursor: str | None) -> types.ListResourcesResult:
    """The resources after the cursor, which names the last path before them, so that notes may come and go between two
    pages; `paths` are sorted. BadRequest for a cursor that is not ours."""
    start = bisect_right(paths, _decoded(cursor)) if cursor is not None else 0
    listed = paths[start : start + PAGE]
    return types.ListResourcesResult(
        resources=[types.Resource(name=sanitize.line(path), uri=uri(path), mime_type=MARKDOWN) for path in listed],
        next_cursor=_encoded(listed[-1]) if start + PAGE < len(paths) else None,
    )


def text(lines: Sequence[str]) -> str:
    """A note's lines as one text."""
    return "".join(f"{line}\n" for line in lines)


def _encoded(path: str) -> str:
    return b64encode(path.encode()).decode()


def _decoded(cursor: str) -> str:
    try:
        return b64decode(cursor, validate=True).decode()
    except ValueError:
        raise BadRequest(f"{cursor} is no cursor of this list.", "Leave it out to begin at the start.") from None
