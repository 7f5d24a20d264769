"""The actions that hand something on: to the clipboard, to the editor, to a file."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

from textual.app import SuspendNotSupported

from assistant.errors import AssistantError
from assistant.records import Answer, Citation
from assistant.system import editor
from assistant.tui import clipboard, export
from assistant.tui.talking import Talking
from assistant.tui.widgets.dialogs import Entry, Naming, Picker, Reading
from assistant.tui.worker.messages import Told


class Copied(Told):
    """A text was handed on to `program`; "" where the terminal is to be asked."""

    def __init__(self, what: str, text: str, left_out: int, program: str) -> None:
        super().__init__()
        self.what, self.text, self.left_out, self.program = what, text, left_out, program


class Saved(Told):
    """A file was written, or `why` not."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__()
        self.path, self.why = path, why


class HandingOn(Talking):
    """Copy, edit, save."""

    async def action_editor(self) -> None:
        found = self._chosen_citation()
        if found is None:
            self.tell("There is no citation to open yet.")
            return
        answer, cited = found
        path = Path(answer.notes, cited.path)
        try:
            words = editor.command(self.chat.editor, path, cited.start_line)
            with self.suspend():
                self.heed_signals(False)
                try:
                    editor.start(words)
                finally:
                    self.heed_signals(True)
        except SuspendNotSupported:
            self.tell(f"The editor cannot be opened here. Open {path}:{cited.start_line}")
        except AssistantError as error:
            self.tell(f"{error} {path}:{cited.start_line}", warn=True)
        self.desk.look()

    def action_save(self) -> None:
        turns = [card.turn for card in self.transcript.cards() if card.turn.answer is not None]
        if not turns:
            self.tell("There is no answer to save yet.")
            return
        title = f"Questions about {self.chat.notes.name}"

        def named(name: str | None) -> None:
            if name and name.strip():
                path = self.chat.here / Path(name.strip()).expanduser()
                self.desk.run(lambda: self.post_message(_save(path, export.markdown(turns, path.parent, title))))

        def _save(path: Path, text: str) -> Saved:
            try:
                export.save(path, text, self.chat.notes)
            except AssistantError as error:
                return Saved(path, str(error))
            return Saved(path, "")

        free = export.free_path(self.chat.here, f"{self.chat.notes.name or 'notes'}-answers")
        self.push_screen(Naming("Save as", free.name), named)

    def on_saved(self, event: Saved) -> None:
        self.tell(event.why or f"Saved as {event.path}", warn=bool(event.why))

    def action_copy_answer(self) -> None:
        card = self.chosen_card()
        if card is not None and card.turn.answer is not None:
            self.copy("answer", clipboard.answer_text(card.turn.answer))

    def action_copy_snippet(self) -> None:
        card = self.chosen_card()
        snippets = card.turn.answer.snippets if card is not None and card.turn.answer is not None else ()
        if len(snippets) == 1:
            self.copy("snippet", snippets[0].code)
        elif snippets:
            entries = [Entry(f"{one.caption or 'Snippet'} · {one.language or 'no language'}") for one in snippets]

            def chosen(at: int | None) -> None:
                if at is not None:
                    self.copy("snippet", snippets[at].code)

            self.push_screen(Picker("Copy which snippet", entries), chosen)
        else:
            self.tell("This answer has no snippet.")

    def action_last_copy(self) -> None:
        self.push_screen(Reading("Last copy", self.copied or "Nothing was copied yet."))

    def copy(self, what: str, text: str) -> None:
        """In a thread of its own: a clipboard's program may hang."""
        kept, left_out = clipboard.clean(text)
        self.copied = kept
        way = self.chat.clipboard

        def hand_on() -> None:
            self.post_message(Copied(what, kept, left_out, clipboard.pipe(kept, way)))

        Thread(target=hand_on, name="copy", daemon=True).start()

    def on_copied(self, event: Copied) -> None:
        if event.program != "tmux":
            self.copy_to_clipboard(event.text)
        by = event.program or "the terminal (OSC 52)"
        controls = f"; {event.left_out} control characters left out" if event.left_out else ""
        self.tell(f"Copied the {event.what} by {by}{controls}")

    def _chosen_citation(self) -> tuple[Answer, Citation] | None:
        card = self.chosen_card()
        answer = card.turn.answer if card is not None else None
        if card is None or answer is None or not answer.citations:
            return None
        return answer, next((one for one in answer.citations if one.number == card.view.citation), answer.citations[0])
