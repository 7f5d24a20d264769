"""The index in a database, which is one of a team, and the server that keeps it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.cli.diagnosis.finding import DISTRIBUTION, Finding, pip_install
from assistant.cli.diagnosis.index import behind, lacking
from assistant.errors import AssistantError, Broken
from assistant.system.collection import Collection

if TYPE_CHECKING:
    from assistant.storage import Health


def index(place: Collection, notes: Path | None, program: str) -> Iterator[Finding]:
    """What the server is and the collection holds, and how it differs from the notes where they are named; `program` is
    the command line up to the command's name."""
    from assistant.storage import IndexDamaged, StoreError, Unreachable, health

    try:
        found = health(place)
        yield from _server(place, found, program)
        if found.extension:
            yield from _collection(place, found, notes, program)
    except Unreachable as error:
        yield Finding("index", f"{place} cannot be reached: {error}", f"{program} doctor")
    except Broken as error:
        yield Finding("index", error.message, pip_install(f"{DISTRIBUTION}[team]"))
    except IndexDamaged as error:
        yield Finding("index", f"{place} is damaged: {error}", f"{program} index --full")
    except (AssistantError, StoreError) as error:
        yield Finding("index", f"{place} cannot be read: {error}", "assistant help team")


def _server(place: Collection, found: Health, program: str) -> Iterator[Finding]:
    """What the server is, and what the role may do on it."""
    extension = f"pgvector {found.extension}" if found.extension else "no pgvector"
    connection = "encrypted" if found.encrypted else "not encrypted"
    may = "read and write" if found.may_write else "read" if found.may_read else "neither read nor write"
    kind = "standby, " if found.standby else ""
    search = ", nearest vectors by HNSW" if found.approximate else ""
    says = f"PostgreSQL {found.server}, {kind}{extension}, {connection}; {found.role} may {may}{search}"
    psql = ["psql", str(place).partition("?")[0], "-c", "CREATE EXTENSION vector"]
    yield Finding("index", says, "" if found.extension else shlex.join(psql))
    for broken in found.broken_indexes:
        yield Finding("index", f"the database's index {broken} cannot be used", f"{program} index --full")
    if found.leftovers:
        yield Finding("index", f"{found.leftovers:,} schemas serve no more; the next writer removes them")
    if found.writer:
        yield Finding("index", f"is being written by {found.writer}")


def _collection(place: Collection, found: Health, notes: Path | None, program: str) -> Iterator[Finding]:
    from assistant.storage import IndexMissing, Store, problems

    update = f"{program} index" if found.may_write else "assistant help team"  # which says who writes
    try:
        damage = problems(place)
        with Store.open(place) as store:
            committed = f", committed {store.committed:%Y-%m-%d %H:%M} UTC" if store.committed is not None else ""
            facts = (
                f"generation {store.generation}, {store.notes_count:,} notes, {store.passages_count:,} passages, "
                f"{found.size / 1e6:.1f} MB in {place}{committed}"
            )
            if damage:
                yield Finding("index", f"damaged ({'; '.join(damage)}): {facts}", f"{program} index --full")
                return
            yield Finding("index", f"intact: {facts}")
            yield from lacking(store, update, updating=bool(found.writer))
            if notes is not None:
                yield from behind(notes, (), store, update)
    except IndexMissing:
        yield Finding("index", f"none yet in {place}", f"{program} index")
