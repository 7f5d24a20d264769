"""Which span is the narrowest around a line: held against looking at each."""

from hypothesis import given
from hypothesis import strategies as st

from assistant.text.line_spans import narrowest

LINES = st.integers(1, 30)
SPANS = st.lists(st.tuples(LINES, st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])))


@given(st.lists(LINES), SPANS)
def test_the_narrowest_span_is_found(lines: list[int], spans: list[tuple[int, int]]) -> None:
    """The first of equals; a line that lies in none is left out."""
    expected = {}
    for line in lines:
        around = [(end - start, place) for place, (start, end) in enumerate(spans) if start <= line <= end]
        if around:
            expected[line] = min(around)[1]
    assert narrowest(lines, spans) == expected


def test_a_hundred_thousand_nested_spans_are_swept_once() -> None:
    """Looking at each would be ten thousand million steps, and the run would hang here."""
    many = 100_000
    found = narrowest(range(1, 2 * many + 1), [(place + 1, 2 * many - place) for place in range(many)])
    assert found == {line: min(line, 2 * many + 1 - line) - 1 for line in range(1, 2 * many + 1)}
