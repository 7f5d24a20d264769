"""The index in a database, which is one of a team."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.cli.diagnosis.finding import DISTRIBUTION, Finding, pip_install
from assistant.errors import AssistantError, Broken
from assistant.system.collection import Collection


def index(place: Collection, program: str) -> Iterator[Finding]:
    """What the collection holds and since when; `program` is the command line up to the command's name."""
    from assistant.storage import IndexMissing, Store, StoreError, Unreachable, being_written, problems

    try:
        damage = problems(place)
        with Store.open(place) as store:
            committed = f", committed {store.committed:%Y-%m-%d %H:%M} UTC" if store.committed is not None else ""
            facts = (
                f"generation {store.generation}, {store.notes_count:,} notes, {store.passages_count:,} passages "
                f"in {place}{committed}"
            )
            if damage:
                yield Finding("index", f"damaged ({'; '.join(damage)}): {facts}", f"{program} index --full")
                return
            yield Finding("index", f"intact: {facts}")
            if store.pending:
                lacking = f"{store.pending:,} passages have no embedding yet"
                at_work = being_written(place)
                says = f"{lacking}; another process is computing them" if at_work else lacking
                yield Finding("index", says, "" if at_work else f"{program} index")
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
