"""The part of `scripts/bench` that builds indexes; prints rows of its table: measure, bound, value and how it was
computed, with tabs between them."""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

import scale
from recording_encoder import RecordingEncoder

from assistant.indexing import build, changes
from assistant.indexing.index_manager import IndexManager
from assistant.models.lazy import LazyEncoder
from assistant.notes import chunker, markdown
from assistant.notes import folder as notes_folder
from assistant.storage import Store
from assistant.system.settings import user_cache

SAMPLE = 5
"""Every how many of the texts are encoded once more, to compare with."""
NOTES = 20_000


def seeded(folder: Path, passages: int) -> None:
    """An index of about that many passages: whole notes of the Knative documentation, repeated with numbers in them,
    with seeded vectors."""
    source = scale.knative(folder / "source")
    copies = 1 + passages // 16_000
    scale.repeat(source, folder / "all", copies)
    total = 0
    for path in sorted((folder / "all").rglob("*.md")):
        if total >= passages:
            break
        total += count(path)
        target = folder / "notes" / path.relative_to(folder / "all")
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    encoder = scale.Seeded()
    report = build.refresh(folder / "notes", folder / "index", lambda: encoder)
    settle(folder / "notes", folder / "index", encoder.identity)
    with Store.open(folder / "index") as store:
        took = f"{report.seconds:.1f} s"
        print(f"index of {store.passages_count:,} passages, seeded vectors\t\t{took}\t{store.notes_count:,} notes")


def count(path: Path) -> int:
    """Passages of a note."""
    note = notes_folder.decode(path.name, path.read_bytes())
    return len(chunker.passages(markdown.outline(note), note))


def settle(folder: Path, index: Path, identity: str) -> None:
    """Looks again when the last save is so long ago that another one would show."""
    time.sleep(2.5)
    encoder = scale.Drawn(identity)
    build.refresh(folder, index, lambda: encoder)


def look(folder: Path) -> None:
    """How long it takes to see that none of many notes has changed."""
    for number in range(NOTES):
        path = folder / "notes" / f"{number % 200:03}" / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# Note {number}\n\nThing {number} is kept in box {number % 97}.\n", "utf-8")
    encoder = scale.Drawn()
    build.refresh(folder / "notes", folder / "index", lambda: encoder)
    settle(folder / "notes", folder / "index", encoder.identity)
    took = []
    for _ in range(7):
        with Store.open(folder / "index") as store:
            began = time.monotonic()
            notes = changes.NotesSnapshot.take(folder / "notes", ())
            stale = changes.diff(notes, store, encoder.identity).stale
            took.append(time.monotonic() - began)
            assert not stale
    print(f"freshness check of {NOTES:,} notes\t0.3 s\t{statistics.median(took):.2f} s\tmedian of 7")
    edits = []
    note = folder / "notes" / "000" / "0.md"
    for number in range(5):
        note.write_text(note.read_text("utf-8") + f"\nOne more line {number}.\n", "utf-8")
        began = time.monotonic()
        build.refresh(folder / "notes", folder / "index", lambda: encoder, verify=False)
        edits.append(time.monotonic() - began)
    print(f"index after one edited note of {NOTES:,}\t\t{statistics.median(edits):.2f} s\ttwo looks included")


def knative(folder: Path) -> None:
    """The whole build against the bare encoder on the same texts, as many threads."""
    scale.knative(folder / "notes")
    encoder = RecordingEncoder(LazyEncoder("", user_cache(os.environ)))
    manager = IndexManager(folder / "notes", folder / "index", None, lambda: encoder, None)
    report = manager.update(full=False)
    encoded = encoder.texts
    sample = encoded[::SAMPLE]
    began = time.monotonic()
    for _ in encoder.inner.passages(sample):
        pass
    alone = (time.monotonic() - began) * len(encoded) / len(sample)
    manager.close()
    settle(folder / "notes", folder / "index", encoder.identity)
    how = f"{report.seconds:.0f} s / {alone:.0f} s for {len(encoded):,} texts, every {SAMPLE}th encoded again"
    print(f"full build of 399 notes against the bare encoder\t1.2\t{report.seconds / alone:.2f}\t{how}")


if __name__ == "__main__":
    kind, where, *rest = sys.argv[1:]
    if kind == "seeded":
        seeded(Path(where), int(rest[0]))
    elif kind == "look":
        look(Path(where))
    else:
        knative(Path(where))
