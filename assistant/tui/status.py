"""What the status line says of the index, and the context strip of the next question and the answers."""

from __future__ import annotations

from assistant.tui.view import ChatView
from assistant.tui.widgets.status_bars import Follows
from assistant.tui.worker.messages import IndexProgress, NotesGone, OverviewRead, Trouble


class Status:
    """Keeps what the two rows show."""

    def __init__(self, view: ChatView, folder: str) -> None:
        self._view = view
        self._folder = folder
        """Name of the notes folder."""
        self._progress = "starting"
        self._counts: tuple[int, int] | None = None
        """Notes and passages; None before the first overview."""
        self._refused = 0
        """Notes that could not be read."""
        self._trouble = ""
        self._below = False
        """Whether a new answer is out of view, below."""
        self._stands_alone = False
        self.subject = ""
        """What the next question would lean on; "" for nothing."""
        self.scope: tuple[str, ...] = ()
        """The heading path that the next question is asked under; empty for all notes."""

    @property
    def has_overview(self) -> bool:
        """Whether the index was counted yet."""
        return self._counts is not None

    @property
    def index(self) -> str:
        """What the status line says of the index."""
        if self._progress or not self._refused:
            return self._progress or "index fresh"
        return f"index: {self._refused} note{'' if self._refused == 1 else 's'} could not be read (f5)"

    def overview(self, event: OverviewRead) -> None:
        """Keeps the counts where the event has none."""
        overview = event.overview
        if overview is not None:
            self._trouble = ""
            self._counts, self._refused = (overview.notes, overview.passages), len(overview.refused)
            self._view.welcome.show(overview, trouble="")
        self.show()

    def notes_gone(self, event: NotesGone) -> None:
        """Counts nothing any more; says why once."""
        self._counts = (0, 0)
        self._view.welcome.show(trouble=event.text)
        self._progress = "no notes"
        self.show()
        if event.text != self._trouble:
            self._view.toast(event.text, warn=True)
        self._trouble = event.text

    def progress(self, event: IndexProgress) -> None:
        """What is being done to the index; nothing where its text is ""."""
        self._progress = event.text
        self._view.welcome.show(progress=event)
        self.show()

    def trouble(self, event: Trouble) -> None:
        """Shows a toast, unless the last trouble was the same."""
        if self._counts is None:
            self._view.welcome.show(trouble=event.text)
        self._progress = ""
        self.show()
        if event.text != self._trouble:  # each look at the notes would say the same again
            self._view.toast(event.text, warn=True)
        self._trouble = event.text

    def set_subject(self, subject: str) -> None:
        """What the next question would lean on; "" for nothing."""
        self.subject = subject
        self.show()

    def set_typed(self, *, stands_alone: bool) -> None:
        """Whether what is typed now leans on nothing, though there is a subject."""
        if stands_alone != self._stands_alone:
            self._stands_alone = stands_alone
            self.show()

    def set_scope(self, heading_path: tuple[str, ...]) -> None:
        """The heading path that the next question is asked under; empty for all notes."""
        self.scope = heading_path
        self.show()

    def take_scope(self) -> tuple[str, ...]:
        """The heading path for the question that is asked now; it counts for that one alone."""
        scope, self.scope = self.scope, ()
        return scope

    def drop_scope(self) -> bool:
        """The next question looks in all notes; whether it was to be asked under a heading."""
        if not self.scope:
            return False
        self.set_scope(())
        return True

    def scrolled(self) -> None:
        """Takes away the notice of an answer below once the reader is there."""
        if self._below and self._view.transcript.at_end():
            self.show()

    def show(self, *, below: bool | None = None) -> None:
        """Draws both rows; `below` says whether an answer came out of view, None that none came."""
        view = self._view
        self._below = not view.transcript.at_end() if below is None and self._below else bool(below)
        view.status_line.state(self._folder, self._counts, self.index)
        subject = Follows(self.subject, self.scope, stands_alone=self._stands_alone)
        view.context_strip.state(subject, below=self._below, chosen=view.transcript.chosen_position())
