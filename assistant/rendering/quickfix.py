"""An Answer → lines for an editor's quickfix list."""

from __future__ import annotations

from assistant.records import Answer
from assistant.rendering.blocks import Sources
from assistant.rendering.display import display_blocks
from assistant.text import sanitize


def quickfix(answer: Answer) -> str:
    """One `file:line: text` a citation, best first, each with its line end; "" where the notes do not answer."""
    sources = (block for block in display_blocks(answer) if isinstance(block, Sources))
    return "".join(f"{sanitize.line(one.file)}:{one.line}: {one.gist}\n" for block in sources for one in block.items)
