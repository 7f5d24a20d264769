"""The info string behind a fence's marks → the name of its language."""

from __future__ import annotations

import re

_ALIASES = {
    alias: name
    for name, aliases in {
        "python": "py python3 py3 pycon ipython",
        "yaml": "yml",
        "terraform": "tf hcl",
        "bash": "sh shell zsh console shell-session shellsession sh-session bash-session terminal",
        "javascript": "js node mjs",
        "typescript": "ts",
        "go": "golang",
        "ruby": "rb",
        "rust": "rs",
        "cpp": "c++ cc cxx",
        "csharp": "c# cs",
        "markdown": "md",
        "dockerfile": "docker",
        "powershell": "ps1 pwsh",
        "kotlin": "kt",
        "makefile": "make mk",
        "protobuf": "proto",
        "text": "txt plain plaintext",
    }.items()
    for alias in aliases.split()
}
_TRANSCRIPTS = frozenset(
    ("console", "shell-session", "shellsession", "sh-session", "bash-session", "terminal", "pycon", "ipython")
)
"""Words for what a terminal showed: commands with their prompts and output."""


def language(info: str) -> str:
    """The canonical name of an info string's language; an unknown word itself in lower case, "" for none."""
    word = _first_word(info)
    return _ALIASES.get(word, word)


def is_transcript(info: str) -> bool:
    """Whether a fence shows a terminal session, output and all, instead of code alone."""
    return _first_word(info) in _TRANSCRIPTS


def _first_word(info: str) -> str:
    """First word of an info string less braces, dots and attributes, lower-cased."""
    for word in re.split(r"[\s{},;:]+", info):
        if word and "=" not in word and not word.startswith("#"):
            return word.lstrip(".").removeprefix("language-").lower()
    return ""
