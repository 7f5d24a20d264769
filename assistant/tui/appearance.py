"""The theme and the width of the source pane: chosen, shown, and remembered for the next start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from assistant.tui import remembered
from assistant.tui.chat_settings import ChatSettings
from assistant.tui.remembered import NARROWEST, WIDEST
from assistant.tui.view import ChatView
from assistant.tui.widgets.theme_picker import ThemePicker
from assistant.tui.worker.messages import Trouble

_STEP = 5
"""Per cent of the width by which a key makes the source pane wider or narrower."""
SHARES = range(NARROWEST, WIDEST + 1, _STEP)
"""The widths there are, in per cent."""
SHARES_CSS = "\n".join(
    f"Screen.-wide #source.-share-{share} {{ width: {share}%; max-width: 100%; }}" for share in SHARES
)


class Appearance:
    """What is chosen by the user stays; a preview is taken back."""

    def __init__(self, view: ChatView, settings: ChatSettings) -> None:
        self._view = view
        self._settings = settings
        self._share = 0
        """Per cent that the source pane takes; 0 for what the style sheet gives it."""
        self._before = ""
        """The theme from before a preview; "" while none is on."""
        self._changes: dict[str, Any] = {}
        """What was chosen since the start."""
        self._writing = Lock()

    def start(self) -> None:
        """Shows what the settings name, else what is remembered; a toast where the settings' theme is unknown."""
        app, settings = self._view.app, self._settings
        if settings.first_theme in app.available_themes:
            app.theme = settings.first_theme
        elif settings.theme:
            self._view.toast(f"Unknown theme: {settings.theme}. Choose one in the palette (ctrl+p).", warn=True)
        if settings.remembered.source_width:
            self._show_share(settings.remembered.source_width)

    # The theme.

    def pick_theme(self) -> None:
        """Lists the themes; one is shown while it is highlighted."""
        self._before = self._view.app.theme
        self._view.app.push_screen(ThemePicker(self.choose_theme, self._before))

    def preview(self, name: str) -> None:
        """Shows a theme for as long as the list of themes is open; without effect after that."""
        app = self._view.app
        theme = app.available_themes.get(name)
        if self._before and theme is not None:
            # The terminal's own colours cannot be dimmed behind the list: they would be black on black.
            app.theme = self._before if theme.ansi and not self._settings.ansi else name

    def end_preview(self) -> None:
        """Puts back the theme from before the list was opened."""
        if self._before:
            self._view.app.theme, self._before = self._before, ""

    def choose_theme(self, name: str) -> bool:
        """Shows a theme and remembers it; False, with a toast, where there is none of that name."""
        app = self._view.app
        wanted = next((one for one in app.available_themes if one.casefold() == name.casefold()), "")
        if not wanted:
            self._view.toast(f"Unknown theme: {name}. Type /theme for the list.", warn=True)
            return False
        app.theme = wanted
        self._remember(theme=wanted)
        if self._settings.theme_is_set and self._settings.theme != wanted:
            self._view.toast(f"The next start has {self._settings.theme} again, the theme of assistant.toml.")
        return True

    # The source pane.

    def resize_source(self, by: int) -> None:
        """Wider by that many steps, or narrower where `by` is negative, within NARROWEST and WIDEST."""
        pane = self._view.source_pane
        if not pane.is_open:
            self._view.toast("The source is closed. Open it with ctrl+o.")
        elif self._view.source_covers_answers:
            self._view.toast("The source takes the whole width here. Make the terminal wider to see both.")
        else:
            total = max(self._view.app.size.width, 1)
            now = self._share or round(pane.outer_size.width * 100 / total / _STEP) * _STEP
            share = max(NARROWEST, min(now + by * _STEP, WIDEST))
            self._show_share(share)
            self._remember(source_width=share)

    def _show_share(self, share: int) -> None:
        """The nearest width there is."""
        share = min(SHARES, key=lambda one: abs(one - share))
        pane = self._view.source_pane
        pane.remove_class(f"-share-{self._share}")
        pane.add_class(f"-share-{share}")
        self._share = share

    # The file.

    def _remember(self, **changes: str | int) -> None:
        """In a thread that the end of the program waits for: a choice right before quitting counts, too."""
        path = self._settings.remembered_file
        self._changes |= changes
        if path is not None:
            Thread(target=self._write, args=(path,), name="remember").start()

    def _write(self, path: Path) -> None:
        """What another chat has remembered meanwhile stays where nothing else was chosen here."""
        try:
            with self._writing:
                remembered.write(path, replace(remembered.read(path), **self._changes))
        except OSError as error:
            self._view.app.post_message(
                Trouble(f"Not remembered: {path}: {error.strerror}. Make it writable for you, or use --no-history.")
            )
