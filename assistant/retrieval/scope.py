"""The passages that `--under` and `--tag` leave."""

from __future__ import annotations

import re
from collections.abc import Collection

from assistant.errors import BadRequest
from assistant.records import PassageId, Request
from assistant.storage import Store

_PATH = re.compile(r"\s+[>›]\s+")
_COMPARED = 200
"""Characters of a heading that are compared with a misspelt one."""


def restrict(store: Store, request: Request, left_out: Collection[str] = ()) -> set[PassageId] | None:
    """The passages that a request may be answered from, without those of the notes `left_out`; None for all, BadRequest
    where nothing is called so."""
    scope: set[PassageId] | None = None
    if request.under is not None:
        parts = [part for part in _PATH.split(request.under) if part.strip()]
        scope = store.under([request.under]) or (store.under(parts) if parts else set())
        if not scope:
            raise BadRequest(f"No heading ends with {request.under}.", _nearest(request.under, store, left_out))
    if request.tag is not None:
        tagged = store.tagged(request.tag)
        if not tagged:
            raise BadRequest(
                f"No note has the tag {request.tag}.", "Tags stand in a note's front matter: tags: [a, b]."
            )
        scope = tagged if scope is None else scope & tagged
    if left_out:
        every = set(store.passage_ids()) if scope is None else scope
        scope = every - store.passages_of(left_out)
    return scope


def _nearest(heading: str, store: Store, left_out: Collection[str]) -> str:
    """The three headings that are spelled most like it."""
    from difflib import SequenceMatcher

    wanted = " ".join(heading.casefold().split())
    names = sorted({one.heading_path[-1] for one in store.sections() if one.path not in left_out})
    likeness = {name: SequenceMatcher(None, wanted, name.casefold()[:_COMPARED]).ratio() for name in names}
    near = sorted(names, key=lambda name: (-likeness[name], name))[:3]
    return f"The nearest are: {'; '.join(near)}."
