"""The part of `scripts/screenshots` that runs the app."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from assistant import tui
from assistant.system.settings import Flags, load

SCENARIO = "Which service decouples producers and consumers, with guaranteed delivery?"
SNIPPET = "Retry policy for failed calls to a service"


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        await pilot.pause(0.05)
        if holds():
            return
    sys.exit("The screen never came to it.")


async def shoot(root: Path, index: Path, question: str, size: tuple[int, int], *, source: bool) -> str:
    """The screen as SVG after a question; with `source`, the note beside it where its first snippet stands."""
    settings = load(Flags(notes=str(root / "corpus"), index=str(index)), os.environ, root)
    settings = replace(settings, theme="textual-dark")
    app = tui.chat(settings, history=False)
    async with app.run_test(size=size) as pilot:
        app.view.prompt.cursor_blink = False
        await until(pilot, lambda: app.status.index == "index fresh")
        app.conversation.ask(question)
        await until(pilot, lambda: not app.conversation.pending)
        await pilot.press("tab")
        card = app.view.chosen_card()
        if source and card is not None and card.turn.answer is not None:
            await pilot.press(str(card.turn.answer.snippets[0].citation))
            await until(pilot, lambda: app.view.source_pane.view.marks.first > 0 and app.view.source_pane.view.settled)
        # Without the fonts that the picture would fetch from a network: any monospaced one will do.
        return re.sub(r"@font-face \{.*?\}\s*", "", app.export_screenshot(title="assistant chat"), flags=re.DOTALL)


async def main(root: str, index: str, folder: str) -> int:
    answer = await shoot(Path(root), Path(index), SCENARIO, (80, 30), source=False)
    Path(folder, "chat-answer.svg").write_text(answer, "utf-8")
    source = await shoot(Path(root), Path(index), SNIPPET, (140, 36), source=True)
    Path(folder, "chat-source.svg").write_text(source, "utf-8")
    print(f"{folder}/chat-answer.svg, {folder}/chat-source.svg")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
