"""What the commands of the prompt do, and their list above it while one is typed."""

from __future__ import annotations

from assistant.tui.appearance import Appearance
from assistant.tui.documentation import Documentation
from assistant.tui.slash_commands import Entry, SlashCommand, matching
from assistant.tui.source_opener import SourceOpener
from assistant.tui.view import ChatView


class SlashRunner:
    """What cannot be run is given back to the prompt, with a toast that says why."""

    def __init__(
        self, view: ChatView, appearance: Appearance, opener: SourceOpener, documentation: Documentation
    ) -> None:
        self._view = view
        self._opener = opener
        self._hidden = False
        """Whether the list stays away until another command is begun."""
        self._with_words = {
            "help": self._help,
            "open": self._open,
            "theme": appearance.choose_theme,
        }
        self._documentation = documentation

    # The list.

    @property
    def is_listing(self) -> bool:
        """Whether keys of the prompt act on the list."""
        return bool(self._view.slash_list.display) and self._view.prompt.has_focus

    def typed(self) -> None:
        """Lists what the text of the prompt may become."""
        text = self._view.prompt.text
        self._hidden = self._hidden and text.startswith("/")
        shown = self._view.prompt.has_focus and not self._hidden
        self._view.slash_list.offer(matching(text) if shown else ())

    def leave(self) -> None:
        """Hides the list: the prompt has lost the focus."""
        self._view.slash_list.offer(())

    def take_key(self, key: str) -> bool:
        """What a key of the prompt does to the list; False where it is the prompt's own."""
        self.typed()  # letters typed just before may not have been listed yet
        command = self._view.slash_list.marked
        if command is None:
            return False
        if key in ("up", "down"):
            self._view.slash_list.move(1 if key == "down" else -1)
        elif key == "tab":
            self._complete(command)
        elif key == "enter":
            self.pick(command)
        elif key == "escape":
            self._hidden = True
            self.typed()
        else:
            return False
        return True

    def pick(self, command: SlashCommand) -> None:
        """Runs a command of the list."""
        self._view.prompt.text = ""
        self.typed()
        self.run(Entry(f"/{command.name}", command))

    def _complete(self, command: SlashCommand) -> None:
        self._view.prompt.fill(f"/{command.name}{' ' if command.words else ''}")
        self.typed()

    # The commands.

    def run(self, entry: Entry) -> None:
        """A command, or one that was mistyped."""
        command = entry.command
        app = self._view.app
        if command is None:
            word = entry.text.strip()
            known = "is no command" if len(word) > 1 else "begins a command"
            self._refuse(entry, f"{word} {known}. Did you mean /{entry.nearest}?")
        elif not entry.words:
            app.call_later(app.run_action, command.action)
        elif command.name not in self._with_words:
            self._refuse(entry, f"/{command.name} takes no words. To ask it as a question, put a space in front.")
        elif not self._with_words[command.name](entry.words):
            self._view.prompt.give_back(entry.text)

    def _refuse(self, entry: Entry, why: str) -> None:
        self._view.toast(why, warn=True)
        self._view.prompt.give_back(entry.text)

    def _help(self, words: str) -> bool:
        if not self._documentation.ask(words):
            self._view.app.call_later(self._view.app.run_action, "help")
        return True

    def _open(self, words: str) -> bool:
        number = int(words) if words.isascii() and words.isdecimal() and len(words) < 4 else 0
        if not number:
            self._view.toast(f"Not a citation's number: {words}. Type one, such as /open 2.", warn=True)
            return False
        if self._view.chosen_card() is None:
            self._opener.open_chosen()  # says that there is nothing to open
        else:
            self._opener.cite_chosen(number)
        return True
