"""A question's mistyped words → the words that were meant, where that is beyond doubt.

A mistyped word misses both searches: full text does not hold it, and the model splits it into pieces without meaning.
A word counts as mistyped when neither general English nor the notes have it and one slip of the fingers away there is
one that they do have: a letter left out, two letters swapped, a letter doubled. Other slips turn too many rare words
into common ones (moulting → mounting). After P. Norvig's spelling corrector, with the notes as the better dictionary.

An abbreviation that the notes do not have is read as the name in them that it stands for (DLQ: dead letter queue).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from assistant.text import word_frequency
from assistant.text.tokenizer import stem

_WORD = re.compile(r"(?<![\w'’./@-])[a-z]{4,24}(?![\w'’./@-])")
"""A plain lower-case word: names, code, paths and contractions are left alone, and what is longer than words are."""
_MOST = 12
"""Unknown words of a question that are looked at: where there are more, it is in another language."""
_ABBREVIATION = re.compile(r"(?<![\w'’./@-])(?P<letters>[A-Z]{3,5}|[a-z]{3,5}(?=s?(?![a-z])))s?(?![\w'’./@-])")
"""Three to five letters, large ones or small ones, and perhaps the s of several."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_COMMON = 0.55
"""Rarity in general English up to which a word is taken to be meant though the notes do not have it."""
_NOTED = 0.25
"""How much commoner a word counts that the notes have."""


def understood(
    text: str, frequencies: Callable[[Sequence[str]], Mapping[str, int]], name_of: Callable[[str], str | None]
) -> tuple[str, dict[str, str]]:
    """The text as it was meant, and each word that was read as another: `spelled_out`, then `repaired`."""
    written, names = spelled_out(text, frequencies, name_of)
    corrected, words = repaired(written, frequencies)
    return corrected, names | words


def repaired(text: str, frequencies: Callable[[Sequence[str]], Mapping[str, int]]) -> tuple[str, dict[str, str]]:
    """The text with its mistyped words corrected, and these words with what they were read as, in order of the
    alphabet; `frequencies` says how many passages hold each of some stems.
    """
    unknown = {word for word in _WORD.findall(text) if _strange(word)}
    if not 0 < len(unknown) <= _MOST:
        return text, {}
    held = frequencies(sorted(map(stem, unknown)))
    meant = {word: _meant(word, frequencies) for word in sorted(unknown) if not held.get(stem(word))}
    read_as = {word: other for word, other in meant.items() if other is not None}
    return _WORD.sub(lambda match: read_as.get(match[0], match[0]), text), read_as


def spelled_out(
    text: str, frequencies: Callable[[Sequence[str]], Mapping[str, int]], name_of: Callable[[str], str | None]
) -> tuple[str, dict[str, str]]:
    """The text with its unknown abbreviations written out, and these with what they were read as; `name_of` gives the
    name of the notes whose words have these initials.
    """
    written = {match[0]: match["letters"].lower() for match in _ABBREVIATION.finditer(text)}
    strange = {word: letters for word, letters in written.items() if word[:1].isupper() or _strange(letters)}
    if not strange:
        return text, {}
    held = frequencies(sorted({stem(word) for word in strange} | {stem(letters) for letters in strange.values()}))
    named = {
        word: name_of(letters)
        for word, letters in sorted(strange.items())
        if not held.get(stem(word)) and not held.get(stem(letters))
    }
    read_as = {word: name for word, name in named.items() if name is not None}
    return _ABBREVIATION.sub(lambda match: read_as.get(match[0], match[0]), text), read_as


def _strange(word: str) -> bool:
    """Whether general English has neither the word nor its American spelling."""
    spellings = {word, re.sub(r"is(?=e[drs]?$|es$|ing$|ation$)", "iz", word)}
    return all(word_frequency.rarity(stem(w)) >= word_frequency.UNKNOWN for w in spellings)


def _meant(word: str, frequencies: Callable[[Sequence[str]], Mapping[str, int]]) -> str | None:
    """The commonest word one slip away, those of the notes first; None where there is none."""
    near = _slips(word)
    noted = frequencies(sorted({stem(w) for w in near}))
    rated = []
    for other in near:
        rarity = word_frequency.rarity(stem(other))
        if noted.get(stem(other)):
            rated.append((rarity - _NOTED, other))
        elif rarity <= _COMMON:
            rated.append((rarity, other))
    return min(rated)[1] if rated else None


def _slips(word: str) -> list[str]:
    """Every string that becomes the word by one slip."""
    cuts = [(word[:n], word[n:]) for n in range(len(word) + 1)]
    left_out = {a + letter + b for a, b in cuts for letter in _LETTERS}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    doubled = {a + b[1:] for a, b in cuts if len(b) > 1 and b[0] == b[1]}
    return sorted((left_out | swapped | doubled) - {word})
