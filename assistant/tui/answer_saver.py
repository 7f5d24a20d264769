"""Saving the answers on the screen as a Markdown file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from assistant.errors import AssistantError
from assistant.tui.chat_settings import ChatSettings
from assistant.tui.history.turn import Turn
from assistant.tui.view import ChatView
from assistant.tui.widgets.dialogs import Naming
from assistant.tui.worker.engine_thread import EngineThread
from assistant.tui.worker.messages import AnswersSaved


class AnswerSaver:
    """Writes the answers on the screen to a Markdown file, in the engine's thread."""

    def __init__(self, view: ChatView, engine_thread: EngineThread, settings: ChatSettings) -> None:
        self._view = view
        self._engine_thread = engine_thread
        self._notes = settings.notes
        self._title = settings.title
        self._working_folder = settings.working_folder

    def save(self) -> None:
        """Every answer on the screen, in a file that the user names."""
        turns = [card.turn for card in self._view.transcript.cards() if card.turn.answer is not None]
        if not turns:
            self._view.toast("There is no answer to save yet.")
            return

        def named(name: str | None) -> None:
            if name and name.strip():
                path = self._working_folder / Path(name.strip()).expanduser()
                self._engine_thread.run(lambda: self._write(path, turns))

        self._view.app.push_screen(Naming("Save as", self._proposal()), named)

    def _proposal(self) -> str:
        """A path that can be written: in the working folder where that will do; "" where no folder will."""
        from assistant.tui import export  # not needed for the first frame

        folders = [self._working_folder]
        with suppress(RuntimeError):  # there is no home
            folders.append(Path("~").expanduser())
        folders.append(Path(tempfile.gettempdir()))
        folder = next((one for one in folders if export.takes_files(one, self._notes)), None)
        if folder is None:
            return ""
        free = export.free_path(folder, f"{self._title or 'notes'}-answers")
        return free.name if folder == self._working_folder else str(free)

    def saved(self, event: AnswersSaved) -> None:
        """Says where the file is, or why it was not written."""
        self._view.toast(event.trouble or f"Saved as {event.path}", warn=bool(event.trouble))

    def _write(self, path: Path, turns: Sequence[Turn]) -> None:
        """In the engine's thread."""
        from assistant.tui import export

        text = export.markdown(turns, path.parent, f"Questions about {self._title}")
        trouble = ""
        try:
            export.save(path, text, self._notes)
        except AssistantError as error:
            trouble = str(error)
        self._view.app.post_message(AnswersSaved(path, trouble))
