"""Elements of HTML from texts: whatever is not made by `element` is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

_VOID = frozenset({"br", "hr", "input", "link", "meta"})
_REFUSED = ("style", "srcdoc")
"""Attributes that the page's policy does not allow; so are all that begin with `on`."""


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that a browser may be given as it is."""

    markup: str


Child = Html | str | None
Attribute = str | int | bool | None
"""True for an attribute without a value; False and None for none."""


def element(tag: str, *children: Child | Iterable[Child], **attributes: Attribute) -> Html:
    """An element; texts are escaped, None is left out.

    `class_` is the attribute class, `aria_label` is aria-label. ValueError for an attribute that would run a script or
    carry a style.
    """
    opening = tag + "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{joined(*children).markup}</{tag}>")


def joined(*children: Child | Iterable[Child]) -> Html:
    """The children one behind the other."""
    parts = list[str]()
    for child in children:
        if isinstance(child, Html):
            parts.append(child.markup)
        elif isinstance(child, str):
            parts.append(escape(child))
        elif child is not None:
            parts.append(joined(*child).markup)
    return Html("".join(parts))


def _attribute(name: str, value: Attribute) -> str:
    name = name.rstrip("_").replace("_", "-")
    if name.startswith("on") or name in _REFUSED:
        raise ValueError(f"No element of the page may have the attribute {name}.")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
