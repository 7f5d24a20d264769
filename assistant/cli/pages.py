"""The documentation pages that ship with the program: notes like any other, so they are listed, shown and asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs"


@dataclass(frozen=True, slots=True)
class Page:
    """One page."""

    name: str
    """Its file without the ending, as `assistant help NAME` takes it."""
    title: str
    path: Path


def pages() -> tuple[Page, ...]:
    """All of them, by name."""
    return tuple(Page(p.stem, _title(p), p) for p in sorted(FOLDER.glob("*.md")))


def named(words: str) -> Page | None:
    """The page of that name or title, case and hyphens aside; None where there is none."""
    wanted = _plain(words)
    return next((p for p in pages() if wanted in (_plain(p.name), _plain(p.title))), None)


def _title(path: Path) -> str:
    return path.read_text("utf-8").split("\n", 1)[0].lstrip("# ").strip()


def _plain(text: str) -> str:
    return " ".join(text.replace("-", " ").casefold().split())
