"""What the app does with each message of its threads: passes it to the part that it is for."""

from __future__ import annotations

from assistant.tui.answer_copier import AnswerCopier
from assistant.tui.answer_mender import AnswerMender
from assistant.tui.answer_saver import AnswerSaver
from assistant.tui.change_marker import ChangeMarker
from assistant.tui.conversation import Conversation
from assistant.tui.documentation import Documentation
from assistant.tui.finder import Finder
from assistant.tui.link_follower import LinkFollower
from assistant.tui.note_browser import NoteBrowser
from assistant.tui.source_opener import SourceOpener
from assistant.tui.status import Status
from assistant.tui.suggestions import Suggestions
from assistant.tui.view import ChatView
from assistant.tui.worker import messages


class WorkerHandlers:
    """For the app alone, which has these parts."""

    change_marker: ChangeMarker
    conversation: Conversation
    copier: AnswerCopier
    documentation: Documentation
    finder: Finder
    link_follower: LinkFollower
    mender: AnswerMender
    note_browser: NoteBrowser
    opener: SourceOpener
    saver: AnswerSaver
    status: Status
    suggestions: Suggestions
    view: ChatView

    def on_overview_read(self, event: messages.OverviewRead) -> None:
        self.status.overview(event)

    def on_suggestions_read(self, event: messages.SuggestionsRead) -> None:
        self.suggestions.read(event)

    def on_index_progress(self, event: messages.IndexProgress) -> None:
        self.status.progress(event)
        if not event.text:
            self.mender.index_ready()
            self.suggestions.look()

    def on_trouble(self, event: messages.Trouble) -> None:
        self.status.trouble(event)

    def on_follow_up_checked(self, event: messages.FollowUpChecked) -> None:
        self.conversation.follow_up_checked(event)

    def on_follow_up_subject(self, event: messages.FollowUpSubject) -> None:
        self.status.set_subject(event.name)

    def on_question_waiting(self, event: messages.QuestionWaiting) -> None:
        self.conversation.question_waiting(event.number, event.reason)

    def on_question_started(self, event: messages.QuestionStarted) -> None:
        self.conversation.question_started(event.number)

    def on_question_failed(self, event: messages.QuestionFailed) -> None:
        self.conversation.question_failed(event)

    def on_question_answered(self, event: messages.QuestionAnswered) -> None:
        card = self.conversation.question_answered(event)
        if card is not None:
            self.opener.follow_newest(card)

    def on_outline_read(self, event: messages.OutlineRead) -> None:
        self.note_browser.show(event.outline)

    def on_candidate_located(self, event: messages.CandidateLocated) -> None:
        self.opener.open_heading(event)

    def on_link_resolved(self, event: messages.LinkResolved) -> None:
        self.link_follower.resolved(event)

    def on_backlinks_awaited(self, event: messages.BacklinksAwaited) -> None:
        self.link_follower.backlinks_awaited(event)

    def on_backlinks_read(self, event: messages.BacklinksRead) -> None:
        self.link_follower.show_backlinks(event)

    def on_note_read(self, event: messages.NoteRead) -> None:
        self.view.source_pane.show(event.path, event.text, event.trouble, event.blocks)
        self.finder.recount()

    def on_chunk_parsed(self, event: messages.ChunkParsed) -> None:
        self.view.source_pane.view.parsed(event.text, event.chunk, event.blocks)

    def on_fence_coloured(self, event: messages.FenceColoured) -> None:
        self.view.source_pane.coloured(event.digest, event.first, event.lines)

    def on_snippets_coloured(self, event: messages.SnippetsColoured) -> None:
        card = self.view.transcript.card(event.number)
        if card is not None:
            card.show(colours=event.colours)

    def on_digests_read(self, event: messages.DigestsRead) -> None:
        self.change_marker.digests_read(event.digests)
        self.opener.reload_changed(event.digests)

    def on_quotes_checked(self, event: messages.QuotesChecked) -> None:
        self.change_marker.quotes_checked(event)

    def on_notes_gone(self, event: messages.NotesGone) -> None:
        self.status.notes_gone(event)

    def on_documentation_read(self, event: messages.DocumentationRead) -> None:
        self.documentation.show(event)

    def on_text_copied(self, event: messages.TextCopied) -> None:
        self.copier.copied(event)

    def on_answers_saved(self, event: messages.AnswersSaved) -> None:
        self.saver.saved(event)

    def on_vocabulary_written(self, event: messages.VocabularyWritten) -> None:
        self.mender.written(event)

    def on_session_forgotten(self) -> None:
        self.view.toast("Session deleted.")
