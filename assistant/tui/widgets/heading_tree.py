"""The tree of the notes' headings, to choose one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

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

if TYPE_CHECKING:
    from assistant.indexing.overview import Heading

_MOST = 500
"""Headings that stand in the tree at once; typing narrows them down."""
_Tree = Tree["Heading | None"]
_Node = TreeNode["Heading | None"]


class HeadingTree(ModalScreen["Heading | None"]):
    """Notes, their headings below them; typing leaves those with the words. Returns the chosen heading, or None."""

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

    def __init__(self, title: str, headings: Sequence[Heading]) -> None:
        """`headings` by note and line."""
        super().__init__()
        self._title = title
        self._headings = headings

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(sanitize.line(self._title))
            box.border_subtitle = Content("type to narrow · arrows · enter chooses · escape closes")
            yield Input(placeholder="Type to narrow the tree", compact=True)
            tree: _Tree = Tree(Text(""))
            tree.show_root = False
            tree.auto_expand = False
            tree.can_focus = False  # its arrows work while words are typed
            yield tree

    def on_mount(self) -> None:
        self._grow("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._grow(event.value)

    def on_input_submitted(self) -> None:
        self._take(self._tree.cursor_node)

    def on_tree_node_selected(self, event: Tree.NodeSelected[Heading | None]) -> None:
        self._take(event.node)

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
            node.expand()
        elif node.is_expanded and node.children:
            node.collapse()
        elif node.parent is not None and not node.parent.is_root:
            self._tree.move_cursor(node.parent)

    @property
    def _tree(self) -> _Tree:
        return self.query_one(Tree)

    def _take(self, node: _Node | None) -> None:
        if node is None:
            return
        if node.data is not None:
            self.dismiss(node.data)
        else:
            node.toggle()

    def _grow(self, typed: str) -> None:
        """Fills the tree with the headings that have all the typed words, each below its parents."""
        words = typed.casefold().split()
        matching = [one for one in self._headings if all(word in _name(one).casefold() for word in words)]
        places = {(one.path, one.heading_path): one for one in self._headings}
        tree = self._tree
        tree.clear()
        grown: dict[tuple[str, tuple[str, ...]], _Node] = {}
        first: _Node | None = None
        for one in matching[:_MOST]:
            node = tree.root
            for depth in range(len(one.heading_path) + 1):
                place = (one.path, one.heading_path[:depth])
                if place not in grown:
                    label = Text(sanitize.line(one.heading_path[depth - 1] if depth else one.path))
                    grown[place] = node.add(label, places.get(place), expand=True)
                node = grown[place]
            first = first or node
        for node in grown.values():
            node.allow_expand = bool(node.children)
        if len(matching) > _MOST:
            tree.root.add_leaf(Text(f"… {len(matching) - _MOST:,} more: type to narrow"))
        if first is not None and tree.last_line >= 0:  # counts the lines, after which a node knows its own
            tree.move_cursor(first if words else tree.root.children[0])


def _name(heading: Heading) -> str:
    """The text that typed words are looked for in."""
    return (
        heading.heading_path[-1] if len(heading.heading_path) > 1 else " ".join((heading.path, *heading.heading_path))
    )
