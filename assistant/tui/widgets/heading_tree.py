"""The tree of the notes and their headings, to choose one; nodes are made as they come into view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Tree
from textual.widgets.tree import TreeNode

from assistant.text import sanitize
from assistant.tui.outline import Entry, Outline

_MOST = 500
"""Headings that are unfolded from the start, and that match what is typed, at the most."""
_NOTES = 200
"""Notes that are added at once; the row below them brings the next ones."""
_Tree = Tree[Entry | None]
_Node = TreeNode[Entry | None]


@dataclass(frozen=True, slots=True)
class Picked:
    """What the user has chosen in the tree."""

    entry: Entry
    ask: bool
    """Whether to ask under it; else it is to be opened."""


class HeadingTree(ModalScreen[Picked | None]):
    """Notes, their headings below them; typing leaves those with the words. Returns what was chosen, or None."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Close", show=False),
        Binding("down", "move(1)", "Next", show=False, priority=True),
        Binding("up", "move(-1)", "Previous", show=False, priority=True),
        Binding("right", "unfold(True)", "Unfold", show=False, priority=True),
        Binding("left", "unfold(False)", "Fold", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    HeadingTree { align: center middle; background: $background 60%; }
    HeadingTree > Vertical { width: 80%; max-width: 100; height: 80%; max-height: 30; border: round $border;
                             background: $surface; }
    HeadingTree Input { border: none; height: 1; padding: 0 1; background: $surface; }
    HeadingTree Tree { height: 1fr; background: $surface; padding: 0 1; overflow-x: hidden;
                       scrollbar-size-vertical: 1; }
    """
    FOOTER = "type to narrow · arrows · enter chooses · escape closes"
    ENTER_ASKS = True
    """Whether enter asks under the heading; else it opens it."""

    def __init__(self, title: str, outline: Outline | None) -> None:
        """Without an outline it comes later, by `show`."""
        super().__init__()
        self._title = title
        self._outline = outline
        self._typed = ""
        """What the tree was narrowed by last."""
        self._waiting: list[Entry] = []
        """Notes that have no node yet, in order."""
        self._more: _Node | None = None
        """The row that stands for them."""
        self._levels = 0
        """Levels of headings that are unfolded from the start."""

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(sanitize.line(self._title))
            box.border_subtitle = Content(self.FOOTER)
            yield Input(placeholder="Type to narrow the tree", compact=True)
            tree: _Tree = Tree(Text(""))
            tree.show_root = False
            tree.auto_expand = False
            tree.can_focus = False  # its arrows work while words are typed
            yield tree

    def on_mount(self) -> None:
        self._grow("")

    def show(self, outline: Outline) -> None:
        """The headings, where they were not there from the start; what was typed narrows them."""
        self._outline = outline
        self._grow(self.query_one(Input).value)

    def on_input_changed(self) -> None:
        self._narrow()

    def on_input_submitted(self) -> None:
        self._narrow()
        self._take(self._tree.cursor_node)

    def on_tree_node_selected(self, event: Tree.NodeSelected[Entry | None]) -> None:
        self._take(event.node)

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Entry | None]) -> None:
        self._fill(event.node)

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Entry | None]) -> None:
        if event.node is self._more:
            self._show_more()

    def action_move(self, by: int) -> None:
        if by > 0:
            self._tree.action_cursor_down()
        else:
            self._tree.action_cursor_up()

    def action_unfold(self, whether: bool) -> None:
        """Only where nothing is typed: in a text left and right move the cursor."""
        node = self._tree.cursor_node
        if self.query_one(Input).value or node is None:
            raise SkipAction
        if whether:
            self._fill(node)
            node.expand()
        elif node.is_expanded and node.children:
            node.collapse()
        elif node.parent is not None and not node.parent.is_root:
            self._tree.move_cursor(node.parent)

    @property
    def _tree(self) -> _Tree:
        return self.query_one(Tree)

    def _narrow(self) -> None:
        """By what stands in the input now: its messages come late where keys come in a burst."""
        typed = self.query_one(Input).value
        if typed != self._typed:
            self._grow(typed)

    def _take(self, node: _Node | None, *, ask: bool | None = None) -> None:
        if node is not None and node.data is not None:
            self.dismiss(Picked(node.data, self.ENTER_ASKS if ask is None else ask))

    # How it is filled.

    def _grow(self, typed: str) -> None:
        """Fills the tree with the entries that have all the typed words, each below its parents."""
        self._typed, self._waiting, self._more = typed, [], None
        self._tree.clear()
        if self._outline is None or not self._outline.entries:
            self._say("No headings are indexed yet." if self._outline is not None else "Reading the headings…")
        elif typed.strip():
            self._show_matches(self._outline, typed)
        else:
            self._levels = self._outline.depth_of(_MOST)
            self._waiting = list(self._outline.notes)
            self._show_more()

    def _show_more(self) -> None:
        """The next notes, and the cursor on the first of them."""
        tree, notes = self._tree, self._waiting[:_NOTES]
        del self._waiting[:_NOTES]
        if self._more is not None:
            self._more.remove()
            self._more = None
        nodes = [self._put(tree.root, note) for note in notes]
        if self._waiting:
            self._more = tree.root.add_leaf(Text(f"… {len(self._waiting):,} more notes"))
        if nodes:
            self._move_to(nodes[0])

    def _put(self, above: _Node, entry: Entry) -> _Node:
        """A node, and those below it where there is room for so many levels; others are made as it is unfolded."""
        unfolded = len(entry.heading_path) < self._levels and bool(entry.children)
        node = self._add(above, entry, unfolded=unfolded)
        if unfolded:
            self._fill(node)
        return node

    def _fill(self, node: _Node) -> None:
        if node.data is not None and not node.children:
            for entry in node.data.children:
                self._put(node, entry)

    def _show_matches(self, outline: Outline, typed: str) -> None:
        """All unfolded down to the entries that match; what stands below those can be unfolded."""
        matches = outline.with_words(typed)
        shown = matches.entries[:_MOST]
        above = {id(entry) for one in shown for entry in one.ancestors}
        nodes: dict[int, _Node] = {}
        self._levels = 0
        for one in shown:
            for entry in (*reversed(list(one.ancestors)), one):
                if id(entry) not in nodes:
                    parent = self._tree.root if entry.parent is None else nodes[id(entry.parent)]
                    nodes[id(entry)] = self._add(parent, entry, unfolded=id(entry) in above)
        if len(matches.entries) > _MOST:
            self._say(f"… {len(matches.entries) - _MOST:,} more: type to narrow")
        if matches.first is None:
            self._say("No match. Type less of it.")
        else:
            self._move_to(nodes.get(id(matches.first)) or next(iter(nodes.values())))

    def _add(self, above: _Node, entry: Entry, *, unfolded: bool) -> _Node:
        label = Text(sanitize.line(entry.label))
        return above.add(label, entry, expand=unfolded, allow_expand=bool(entry.children))

    def _say(self, text: str) -> None:
        self._tree.root.add_leaf(Text(text))

    def _move_to(self, node: _Node) -> None:
        if self._tree.last_line >= 0:  # counts the lines, after which a node knows its own
            self._tree.move_cursor(node)
