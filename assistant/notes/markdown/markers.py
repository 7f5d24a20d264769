"""Lines that tell a site generator what to do, and what a title in them says: MkDocs, Docusaurus, Hugo, Jekyll, GitHub.

Only lines are looked at here; where they stand is for the block rules to know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_CHARACTERS, MAX_LINES = 1_000, 30
"""Of a marker, and lines of one: what is longer is prose or an attack."""
_NAME = r"[A-Za-z][\w.-]*"
ATTRIBUTE = r"""(?:[#.][\w:-]+|[\w:-]+=(?:"[^"{}\n]*"|'[^'{}\n]*'|[^\s{}"']+))"""
ATTRIBUTES = rf"\s*{ATTRIBUTE}(?:\s+{ATTRIBUTE})*\s*"
_CONTAINER = re.compile(
    r"""(?:!!!|\?\?\?\+?)\ ?(?:(?P<type>[\w-]+)(?:\ +(?:inline|end))*\s*$"""
    r"""|(?:[\w-]+(?:\ +[\w-]+)*)?\s*"(?P<title>.*)"\s*$)|===[!+]*\s*"(?P<tab>.+)"\s*$""",
    re.VERBOSE,
)
"""A type alone (beside where it floats), since a line that goes on after `!!!` may be prose; or a title in quotes."""
_DIRECTIVE = re.compile(
    rf":{{3,}}[ \t]*(?:\{{(?P<braced>[^{{}}]*)\}}|(?P<name>{_NAME}))?"
    rf"[ \t]*(?:\[(?P<label>.*)\])?(?P<title>[^{{}}]*)(?:\{{[^{{}}]*\}})?\s*$"
)
_ALERT = re.compile(r"\[!(?P<type>[A-Za-z][\w-]*)\][+-]?(?![(\[])\s*(?P<title>.*)$", re.DOTALL)
_SNIPPET = re.compile(r"-+8<-+(?P<rest>\s.*)?$")
_ATTRIBUTE_LINE = re.compile(rf"\{{(?::{{1,2}}{ATTRIBUTES}|(?=\s*[#.]){ATTRIBUTES}|::?\s*toc\s*|::/?\w[^{{}}]*)\}}\s*$")
_CONTENTS = re.compile(r"\[(?:TOC|\[_?TOC_?\])\]\s*$", re.IGNORECASE)
_TEMPLATE = (("{{<", ">}}"), ("{{%", "%}}"), ("{{", "}}"), ("{%", "%}"), ("{#", "#}"))
"""What opens a tag of a template and what closes it; longer ones first."""
_COMPONENT = re.compile(r"<(?P<end>/?)(?P<name>[A-Z][\w.]*)(?=[\s/>]|$)")
_TITLED = re.compile(r"""\s(?:label|title)=\{?(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')""")
_IMPORT = re.compile(
    r"""import\s+(?:(?:type\s+)?[\w$*{][\w$*{},\s]*\sfrom\s+)?(?P<mark>["'])[^"']+(?P=mark)\s*;?\s*$"""
)
_IMPORT_OPENS = re.compile(r"import\s+(?:[\w$]+\s*,\s*)?\{[\w$,\s]*$")
_EXPORT = re.compile(
    r"export\s+(?:(?:const|let|var)\s+[\w${\[][^=]*=|(?:default\s+)?(?:async\s+)?function\b.*\(|class\s.*\{|default\s*[({\[]"
    r"|default\s+[\w$.]+;?\s*$|\{|\*\s+from\s)"
)
_GENERIC = frozenset(
    word
    for words in (
        "abstract attention bug caution check cite danger details done error example expand fail failure faq",
        "help hint important info information missing more note notes question quote success summary tip tips",
        "tldr todo warning",
    )
    for word in words.split()
)


@dataclass(frozen=True, slots=True)
class Marker:
    """A run of lines that is markup and nothing else."""

    lines: int = 1
    title: str = ""
    """Of what stands in it, with its marks; "" where there is none or it says only "Note"."""
    opens: str = ""
    """What it opens and a later marker closes: colons, or the name of a component."""
    closes: str = ""


def container(text: str) -> Marker | None:
    """An admonition or tab, whose content is indented below it (`!!! note "Title"`, `??? tip`, `=== "Tab"`)."""
    match = _CONTAINER.match(text) if text.startswith(("!!!", "???", "===")) else None
    return Marker(title=telling(match["title"] or match["tab"] or "")) if match else None


def alert(text: str) -> Marker | None:
    """The first line of a quotation that is one of GitHub's alerts or a callout (`[!NOTE]`, `[!tip]- Title`)."""
    match = _ALERT.match(text)
    return Marker(title=telling(match["title"]), opens="[!") if match and len(match["title"].split()) <= 9 else None


def without_alert(text: str) -> str:
    """A paragraph without the mark of an alert that shares its first line."""
    match = _ALERT.match(text)
    return match["title"] if match else text


def telling(title: str) -> str:
    """A title, or "" for one that is only the name of a kind of admonition."""
    bare = title.strip()
    return "" if bare.strip("*_:!. ").casefold() in _GENERIC else bare


def single(text: str) -> Marker | None:
    """A line that is an attribute list, a place for the table of contents, a directive or one of its ends."""
    if text.startswith(":::"):
        return _directive(text)
    if (text[0] == "{" and _ATTRIBUTE_LINE.match(text)) or (text[0] == "[" and _CONTENTS.match(text)):
        return Marker()
    return None


def _directive(text: str) -> Marker | None:
    if not text.strip(": \t"):
        return Marker(closes=":::")
    match = _DIRECTIVE.match(text)
    if match is None or not (match["name"] or match["braced"]):
        return None
    titled = _TITLED.search(f" {match['braced'] or ''}")
    title = match["label"] or match["title"] or (titled and (titled["double"] or titled["single"])) or ""
    return Marker(title=telling(title), opens=":::")


def reader(text: str) -> Callable[[Sequence[str]], Marker | None] | None:
    """What reads the markers of one or more lines of which this may be the first; None where it is none."""
    if text.startswith("-"):
        return snippet if _SNIPPET.match(text) else None
    if text.startswith(("{{", "{%", "{#")):
        return template
    if text.startswith("<"):
        return component if _COMPONENT.match(text) else None
    return module if _IMPORT.match(text) or _IMPORT_OPENS.match(text) or _EXPORT.match(text) else None


def snippet(lines: Sequence[str]) -> Marker | None:
    """An included file (`--8<-- "file"`), or several between two such marks; `lines` begin with the mark."""
    match = _SNIPPET.match(lines[0])
    if match is None or (match["rest"] or "").strip():
        return Marker() if match else None
    return Marker(lines=next((n for n, line in enumerate(lines[1:], 2) if _SNIPPET.match(line.strip())), 1))


def template(lines: Sequence[str]) -> Marker | None:
    """Lines of nothing but tags of a template language or shortcodes; the last tag may go on for some lines."""
    return _run(lines, _template_end)


def component(lines: Sequence[str]) -> Marker | None:
    """Lines of nothing but tags of MDX components, which begin with a capital; a tag may go on for some lines."""
    match = _COMPONENT.match(lines[0])
    found = _run(lines, _tag_end) if match else None
    if match is None or found is None:
        return None
    tags = " ".join(lines[: found.lines])
    if match["end"]:
        return Marker(found.lines, closes=match["name"])
    last = [tag for tag in _COMPONENT.finditer(tags) if not tag["end"]][-1]
    if f"</{last['name']}" in tags or tags.rstrip().endswith("/>"):
        return found
    titled = _TITLED.search(tags, last.end())
    return Marker(found.lines, telling((titled["double"] or titled["single"] or "") if titled else ""), last["name"])


def module(lines: Sequence[str]) -> Marker | None:
    """Statements of MDX at the top of a block (`import X from "y"`, `export const x = …`)."""
    if _EXPORT.match(lines[0]):
        return Marker(len(lines))
    for count in range(1, len(lines) + 1):
        if _IMPORT.match(" ".join(lines[:count])):
            return Marker(count)
    return None


def _run(lines: Sequence[str], tag_end: Callable[[str, int], int]) -> Marker | None:
    """As many lines as the tags take that stand on the first; None where a tag does not end or text follows."""
    text, position = "\n".join(lines), 0
    while True:
        position = tag_end(text, position)
        if position < 0:
            return None
        rest = len(text) - len(text[position:].lstrip(" \t"))
        if rest == len(text) or text[rest] == "\n":
            return Marker(text.count("\n", 0, position) + 1)
        position = rest


def _template_end(text: str, start: int) -> int:
    """Behind the tag that stands at `start`; -1 where none does or it does not end."""
    closer = next((closer for opener, closer in _TEMPLATE if text.startswith(opener, start)), "")
    end = text.find(closer, start + 2) if closer else -1
    return end + len(closer) if end >= 0 else -1


def _tag_end(text: str, start: int) -> int:
    """As `_template_end`, for a component's tag: braces and quotes in it may hold what ends it elsewhere."""
    match = _COMPONENT.match(text, start)
    position, depth, quote = (match.end() if match else len(text)), 0, ""
    while position < len(text):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "{}":
            depth += 1 if character == "{" else -1
        elif character == ">" and depth <= 0:
            return position + 1
        position += 1
    return -1
