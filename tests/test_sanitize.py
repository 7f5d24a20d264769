"""Nothing that a terminal obeys gets through, and what gets through fits."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text import sanitize

ANY = st.text(st.characters(exclude_categories=[]), max_size=60) | st.text("a\t\n\r \x1b\u202e日é\ud800", max_size=30)
OBEYED = {"Cc", "Cf", "Zl", "Zp", "Cs"}
JOINERS = "\u200c\u200d"
DRAWN = (
    (0x0600, 0x0605),
    *((code, code) for code in (0x06DD, 0x070F, 0x08E2, 0x110BD, 0x110CD)),
    *((0x0890, 0x0891), (0x13430, 0x1343F)),
)
"""Format characters that have a glyph: signs of Arabic, Syriac, Kaithi and hieroglyphs."""


def _obeyed(letter: str) -> bool:
    drawn = any(first <= ord(letter) <= last for first, last in DRAWN)
    return unicodedata.category(letter) in OBEYED and letter not in JOINERS and not drawn


def test_every_character_that_a_terminal_obeys_is_made_visible() -> None:
    """All of Unicode: what changes is what has no glyph of its own, and joiners stay for emoji and scripts."""
    obeyed = [letter for letter in map(chr, range(0x110000)) if _obeyed(letter)]
    for letter in obeyed:
        assert not any(map(_obeyed, sanitize.line(letter))), f"U+{ord(letter):04X}"
    kept = "".join(letter for letter in map(chr, range(0x110000)) if unicodedata.category(letter)[0] in "LMNPS")
    assert sanitize.line(kept) == kept


@pytest.mark.parametrize(
    ("text", "line", "block"),
    [
        ("plain", "plain", "plain"),
        ("red \x1b[31m", "red ␛[31m", "red ␛[31m"),
        ("a\nb", "a␊b", "a\nb"),
        ("a\r\nb\rc", "a␍␊b␍c", "a\nb␍c"),
        ("a\tb", "a b", "a   b"),
        ("evil\u202etxt", "evil<U+202E>txt", "evil<U+202E>txt"),
        ("\x9b31m\x7f\x00", "<U+009B>31m␡␀", "<U+009B>31m␡␀"),
        ("a\u2028b\ud800", "a<U+2028>b<U+D800>", "a<U+2028>b<U+D800>"),
        ("👩\u200d🚀 naïve 日本", "👩\u200d🚀 naïve 日本", "👩\u200d🚀 naïve 日本"),
    ],
)
def test_what_is_shown(text: str, line: str, block: str) -> None:
    """Pictures for controls, code points for what has none, everything else as it is."""
    assert sanitize.line(text) == line
    assert sanitize.block(text) == block


@given(ANY)
def test_safe_text_is_safe_and_stays_as_it_is(text: str) -> None:
    """One line is one line, and showing twice changes nothing."""
    line, block = sanitize.line(text), sanitize.block(text)
    assert not any(map(_obeyed, line))
    assert not any(map(_obeyed, block.replace("\n", "")))
    assert block.count("\n") == text.count("\n")
    assert sanitize.line(line) == line
    assert sanitize.block(block) == block
    line.encode()


@given(ANY, st.integers(2, 30))
def test_wrapped_text_fits_and_loses_nothing_but_blanks(text: str, columns: int) -> None:
    """Every row fits, and together they are the text."""
    rows = sanitize.wrap(sanitize.block(text), columns)
    assert rows
    assert all(sanitize.width(row) <= columns for row in rows)
    assert "".join("".join(rows).split()) == "".join(sanitize.block(text).split())


@given(ANY, st.integers(1, 30))
def test_clipped_text_fits(text: str, columns: int) -> None:
    """What fits is left alone; what does not is cut and says so."""
    line = sanitize.line(text)
    clipped = sanitize.clip(line, columns)
    if sanitize.width(line) <= columns:
        assert clipped == line
    else:
        assert sanitize.width(clipped) <= columns
        assert clipped.endswith("…")


def test_the_quick_width_is_the_slow_one() -> None:
    """Every letter of the basic plane, alone and behind one that is known to be narrow."""
    for letter in map(chr, range(0x20, 0xD800)):
        if sanitize.line(letter) == letter:
            assert sanitize.width(f"│{letter}") == 1 + sanitize.width(f"日{letter}") - 2


def test_width_counts_columns() -> None:
    """Wide letters take two, combining marks none."""
    assert [sanitize.width(text) for text in ("abc", "日本", "e\u0301", "│ →", "")] == [3, 4, 1, 3, 0]
