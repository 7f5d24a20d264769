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
    from assistant.system.settings import Settings
    from assistant.tui.app import ChatApp
    from assistant.tui.worker.engine_thread import EngineThread
    from assistant.tui.worker.job_queue import Post


def run(settings: Settings, *, history: bool = True) -> None:
    """The app on this terminal, until the user quits."""
    if not os.environ.get("NO_COLOR", "-"):
        del os.environ["NO_COLOR"]  # Textual counts an empty one as set
    logging.getLogger("assistant.chat").addHandler(_LogFile(settings.cache / "chat.log"))
    chat(settings, history=history).run()


def chat(settings: Settings, *, history: bool = True) -> ChatApp:
    """The app as `run` starts it, not yet running; without `history` neither the session nor what was chosen in the
    chat is read or written."""
    from assistant.engine import Engine
    from assistant.indexing.index_process import IndexPaths
    from assistant.system import settings as environment
    from assistant.tui import remembered
    from assistant.tui.app import ChatApp
    from assistant.tui.chat_settings import ChatSettings
    from assistant.tui.history.session_file import SessionFile
    from assistant.tui.worker.engine_thread import EngineThread

    variables = os.environ
    session_path = environment.user_state(variables, settings.folder or settings.index) if history else None
    session = SessionFile(session_path)
    remembered_path = session_path.with_name("chat.json") if session_path is not None else None
    before = remembered.read(remembered_path)
    few_colours = environment.few_colours(variables) and not before.theme
    chat_settings = ChatSettings(
        notes=settings.folder,
        name=settings.name,
        mends=not settings.follows_index,
        model=settings.model or "all-MiniLM-L6-v2",
        working_folder=Path.cwd(),
        editor=environment.named_editor(variables),
        clipboard=environment.terminal_clipboard(variables),
        theme=settings.theme or ("ansi-dark" if few_colours else ""),
        theme_is_set=bool(settings.theme),
        keys=settings.keys,
        no_color=bool(variables.get("NO_COLOR")),
        remembered=before,
        remembered_file=remembered_path,
        open_documentation=lambda: Engine.from_settings(
            settings.with_pages(Path(__file__).parents[1] / "docs"), background=False, complete=True
        ),
    )

    def engine_thread(post: Post) -> EngineThread:
        return EngineThread(
            lambda progress: Engine.from_settings(settings, progress=progress),
            None if settings.follows_index else IndexPaths.of(settings),
            post,
            ansi=chat_settings.ansi,
            follows_index=settings.follows_index,
        )

    return ChatApp(chat_settings, session, session.read(), engine_thread)


class _LogFile(logging.FileHandler):
    """A log that is made when it is needed; one that cannot be written must not end the chat."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: logging's own would print on the chat's screen."""
