"""Questions about the program itself, answered from its documentation pages in a thread of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from threading import Thread

from assistant.engine import Engine
from assistant.errors import AssistantError
from assistant.tui.view import ChatView
from assistant.tui.widgets.dialogs import Reading
from assistant.tui.worker.messages import DocumentationRead

_COLUMNS = 90
"""That an answer is laid out in at the most."""
_log = logging.getLogger("assistant.chat")


class Documentation:
    """Opens its engine for each question and closes it again: few are asked."""

    def __init__(self, view: ChatView, open_engine: Callable[[], Engine] | None) -> None:
        """Without `open_engine` there is nothing to ask."""
        self._view = view
        self._open_engine = open_engine

    def ask(self, question: str) -> bool:
        """The answer is shown when it comes; False where there is nothing to ask."""
        open_engine = self._open_engine
        if open_engine is None:
            return False
        app = self._view.app
        columns = max(min(_COLUMNS, app.size.width * 8 // 10 - 8), 20)

        def answer() -> None:
            app.post_message(DocumentationRead(question, _answer(open_engine, question, columns)))

        Thread(target=answer, name="documentation", daemon=True).start()
        self._view.toast("Looking in the documentation …")
        return True

    def show(self, event: DocumentationRead) -> None:
        """The answer, in a text to read."""
        self._view.app.push_screen(Reading(f"Help: {event.question}", event.text))


def _answer(open_engine: Callable[[], Engine], question: str, columns: int) -> str:
    """The answer, or why there is none; never raises."""
    from assistant.rendering import terminal

    try:
        with closing(open_engine()) as engine:
            found = terminal.text(engine.ask(question), columns, colour=False)
    except AssistantError as error:
        return f"{error}\n\nPress f1 for the keys and commands."
    except Exception as error:  # noqa: BLE001 - the chat goes on; the log file has the traceback
        _log.exception("the documentation could not be asked")
        return f"Internal error ({type(error).__name__}). See the log. Press f1 for the keys and commands."
    return f"{found}\n\nMore: f1 lists the keys and commands; `assistant help` lists the pages."
