"""The index in a database, which is one of a team."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assistant.cli.diagnosis.finding import DISTRIBUTION, Finding, pip_install
from assistant.errors import AssistantError, Broken
from assistant.system.collection import Collection

if TYPE_CHECKING:
    from assistant.storage import Health


def index(place: Collection, program: str) -> Iterator[Finding]:
    """What the collection holds and since when; `program` is the command line up to the command's name."""
    from assistant.storage import IndexMissing, Store, StoreError, Unreachable, health, problems

    try:
        state = health(place)
        yield from _server(state)
        damage = problems(place)
        with Store.open(place) as store:
            committed = f", committed {store.committed:%Y-%m-%d %H:%M} UTC" if store.committed is not None else ""
            facts = (
                f"generation {store.generation}, {store.notes_count:,} notes, {store.passages_count:,} passages "
                f"in {place}{committed}, {state.size / 1e6:.1f} MB"
            )
            if damage:
                yield Finding("index", f"damaged ({'; '.join(damage)}): {facts}", f"{program} index --full")
                return
            yield Finding("index", f"intact: {facts}")
            if store.pending:
                lacking = f"{store.pending:,} passages have no embedding yet"
                says = f"{lacking}; {state.writer} is computing them" if state.writer else lacking
                yield Finding("index", says, "" if state.writer else f"{program} index")
            for broken in state.broken_indexes:
                yield Finding("index", f"the database's index {broken} cannot be used", f"{program} index --full")
    except IndexMissing:
        yield Finding("index", f"none yet in {place}", f"{program} --notes DIR index")
    except Unreachable as error:
        yield Finding("index", f"{place} cannot be reached: {error}", f"{program} doctor")
    except Broken as error:
        yield Finding("index", error.message, pip_install(f"{DISTRIBUTION}[team]"))
    except AssistantError as error:
        yield Finding("index", f"{place} cannot be read: {error.message}", f"{program} index --full")
    except StoreError as error:
        yield Finding("index", f"{place} cannot be read: {error}", f"{program} index --full")


def _server(state: Health) -> Iterator[Finding]:
    """What the server is, and what the role may do on it."""
    extension = f"pgvector {state.extension}" if state.extension else "no pgvector"
    connection = "encrypted" if state.encrypted else "not encrypted"
    may = "read and write" if state.may_write else "read" if state.may_read else "neither read nor write"
    kind = "standby, " if state.standby else ""
    search = ", nearest vectors by HNSW" if state.approximate else ""
    says = f"PostgreSQL {state.server}, {kind}{extension}, {connection}; {state.role} may {may}{search}"
    remedy = "" if state.extension else 'psql -c "CREATE EXTENSION vector"'
    yield Finding("index", says, remedy)
