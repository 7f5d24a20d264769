"""Mending an answer where it stands: the question becomes a sentence of the user's own vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.records import Answer
from assistant.system import permissions
from assistant.text import sanitize
from assistant.topics import vocabulary
from assistant.tui.conversation import Conversation
from assistant.tui.history.turn import Turn
from assistant.tui.view import ChatView
from assistant.tui.widgets.dialogs import Naming, Picker
from assistant.tui.worker.engine_thread import EngineThread
from assistant.tui.worker.messages import VocabularyWritten

_OTHER = "Another name …"
_NEW = 0o666
"""Mode of a new vocabulary file, less the umask: a note like the others."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A vocabulary file as it is and as it is to be; None where it does not exist yet."""

    before: str | None
    after: str


class AnswerMender:
    """Asks what the chosen answer should have been, shows what it would write, and writes it once that is confirmed."""

    def __init__(
        self, view: ChatView, engine_thread: EngineThread, conversation: Conversation, notes: Path | None
    ) -> None:
        """`notes` None for an index that does not learn of what is written here."""
        self._view = view
        self._engine_thread = engine_thread
        self._conversation = conversation
        self._file = (notes or Path()) / vocabulary.USER_FILE
        self._mends = notes is not None
        self._turn: Turn | None = None
        """Whose question is asked again once the index knows the sentence."""
        self._written = False

    def mend(self) -> None:
        """Asks for the right name, of the answer's own and of the headings over its lines, or another one."""
        card = self._view.chosen_card()
        answer = card.turn.answer if card is not None else None
        if card is None or answer is None:
            self._view.toast("There is no answer to mend yet.")
            return
        if not self._mends:
            self._view.toast(
                f"This index is written elsewhere. Add the sentence to {vocabulary.USER_FILE} beside the notes, and run"
                " `assistant index` there."
            )
            return
        offered = _offered(answer)

        def picked(at: int | None) -> None:
            if at is None:
                return
            if at < len(offered):
                self._propose(offered[at][0], card.turn)
            else:
                self._view.app.push_screen(Naming("The right name", ""), named)

        def named(name: str | None) -> None:
            if name and name.strip():
                self._propose(name, card.turn)

        entries = [*(f"{name}   {why}" for name, why in offered), _OTHER]
        self._view.app.push_screen(Picker("What should it have been?", entries), picked)

    def written(self, event: VocabularyWritten) -> None:
        """Says what was written, or why nothing was; the index is brought up to date."""
        if event.trouble:
            self._view.toast(event.trouble, warn=True)
            self._turn = None
        else:
            self._view.toast(f"Saved in {self._file.name}. The question is asked again.")
            self._engine_thread.look()
            self._written = True

    def index_ready(self) -> None:
        """The index is up to date: asks the question again whose sentence it now has."""
        turn = self._turn
        if self._written and turn is not None:
            self._written, self._turn = False, None
            self._conversation.ask(turn.question, turn.under, turn)

    def _propose(self, name: str, turn: Turn) -> None:
        """Shows the change as a diff; writes it where the user accepts it."""
        answer = turn.answer
        sentence = turn.question if answer is None else answer.standalone_question or answer.question
        try:
            before = self._file.read_text("utf-8") if self._file.exists() else None
            after = vocabulary.with_sentence(before or "", name, sentence)
            vocabulary.parse(after, self._file.name)
        except (OSError, UnicodeDecodeError, vocabulary.VocabularyError) as error:
            self._view.toast(f"{self._file.name} cannot be changed: {error}. Mend the file by hand.", warn=True)
            return
        change = _Change(before, after)
        if change.before == change.after:
            self._view.toast(f"This sentence stands in {self._file.name} already.")
            return

        def confirmed(accepted: bool | None) -> None:
            if accepted:
                self._turn = turn
                self._engine_thread.run(lambda: self._write(change))

        from assistant.tui.widgets.confirmation import Confirmation  # not needed for the first frame

        self._view.app.push_screen(Confirmation(f"Write to {self._file}", _diff(change), "writes"), confirmed)

    def _write(self, change: _Change) -> None:
        """In the engine's thread."""
        trouble = ""
        try:
            now = self._file.read_text("utf-8") if self._file.exists() else None
            if now != change.before:
                trouble = f"{self._file.name} was changed meanwhile. Try again."
            else:
                permissions.replace(self._file, change.after, _NEW)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            trouble = f"{self._file} cannot be written: {reason}."
        self._view.app.post_message(VocabularyWritten(trouble))


def _offered(answer: Answer) -> list[tuple[str, str]]:
    """Names, the answer's own first, each with what it is; then what stands over the cited lines."""
    found: dict[str, str] = {}
    own = [answer.verdict, *answer.alternatives] if answer.verdict is not None else []
    for place, candidate in enumerate(own):
        found.setdefault(candidate.name, "runner-up" if place else "the verdict")
    for citation in answer.citations:
        line = " ".join(citation.quote.split())
        found.setdefault(citation.heading_path[-1], f"over “{sanitize.line(line)[:60]}”")
    return list(found.items())


def _diff(change: _Change) -> Sequence[str]:
    import difflib

    lines = difflib.unified_diff((change.before or "").splitlines(), change.after.splitlines(), lineterm="", n=2)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]
