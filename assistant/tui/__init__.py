"""The chat: a Textual app, and its plain form; the only owner of Textual. Heavy parts load in a thread, after the first
frame.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message import Message

    from assistant.system.settings import Settings
    from assistant.tui.app import ChatApp
    from assistant.tui.worker.engine_thread import EngineThread


def run(settings: Settings, *, history: bool = True) -> None:
    """The app on this terminal, until the user quits."""
    if not os.environ.get("NO_COLOR", "-"):
        del os.environ["NO_COLOR"]  # Textual counts an empty one as set
    logging.getLogger("assistant.chat").addHandler(_Log(settings.cache / "chat.log"))
    chat(settings, history=history).run()


def chat(settings: Settings, *, history: bool = True) -> ChatApp:
    """The app as `run` starts it, not yet running."""
    from assistant.engine import Engine
    from assistant.system import settings as the_settings
    from assistant.tui.app import ChatApp
    from assistant.tui.history.session_file import SessionFile
    from assistant.tui.talking import Chat
    from assistant.tui.worker.engine_thread import EngineThread
    from assistant.tui.worker.index_process import Places

    environment = os.environ
    session = SessionFile(the_settings.user_state(environment, settings.notes) if history else None)
    theme = settings.theme or ("ansi-dark" if the_settings.few_colours(environment) else "")
    about = Chat(
        notes=settings.notes,
        model=settings.model or "all-MiniLM-L6-v2",
        here=Path.cwd(),
        editor=the_settings.named_editor(environment),
        clipboard=the_settings.terminal_clipboard(environment),
        theme=theme,
        keys=settings.keys,
        plain=bool(environment.get("NO_COLOR")),
    )
    places = Places(
        *(str(settings.notes), str(settings.index), str(settings.cache), settings.model),
        str(settings.fallback_index),
    )

    def thread(post: Callable[[Message], object], ansi: bool) -> EngineThread:
        return EngineThread(lambda progress: Engine.from_settings(settings, progress=progress), places, post, ansi=ansi)

    return ChatApp(about, session, session.read(), thread)


class _Log(logging.FileHandler):
    """What went wrong, in a file that is made when it is needed; one that cannot be written must not end the chat."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """It would print on the chat's screen."""
