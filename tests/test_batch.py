"""Batch lines become requests, and whatever else they hold becomes the line's own error."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli.batch import lines, piped
from assistant.errors import BadRequest
from assistant.records import Request
from assistant.text.sanitize import replace_surrogates

LIKE = Request("", limit=3)


def one(text: str) -> tuple[str | None, Request | BadRequest]:
    (found,) = lines(io.BytesIO(text.encode("utf-8", "surrogatepass")), LIKE)
    return found


def test_a_line_is_a_request_with_the_options_of_the_command() -> None:
    name, request = one('{"id": "7", "question": "q", "conversation": "c", "options": {"B": "b", "A": "a"}, "more": 1}')
    assert name == "7"
    assert isinstance(request, Request)
    assert request == Request("q", id="7", conversation="c", options={"B": "b", "A": "a"}, limit=3)
    assert list(request.options or ()) == ["B", "A"]


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        '{"question": 1}',
        '{"question": "q", "id": 1}',
        '{"question": "q", "conversation": 1}',
        '{"question": "q", "options": []}',
        '{"question": "q", "options": {"A": 1}}',
        "[" * 100_000,
        '{"question": "q"',
        "9" * 10_000,
    ],
)
def test_a_bad_line_is_an_error(text: str) -> None:
    assert isinstance(one(text)[1], BadRequest)


def test_the_error_of_a_line_keeps_its_id() -> None:
    assert one('{"id": "x", "question": 1}')[0] == "x"


def test_blank_lines_and_a_bom_are_passed_over() -> None:
    stream = io.BytesIO(b'\xef\xbb\xbf{"question": "a"}\n\n  \r\n{"question": "b"}\r\n')
    assert [r.question for _, r in lines(stream, LIKE) if isinstance(r, Request)] == ["a", "b"]


def test_lone_surrogates_and_bytes_that_are_not_utf8_are_replaced() -> None:
    name, request = one(r'{"id": "\ud800", "question": "\udc00 \ud83d\ude00"}')
    assert name == "\ufffd"
    assert isinstance(request, Request)
    assert request.question == "\ufffd 😀"
    assert piped(io.BytesIO(b"\xef\xbb\xbfa\xffb")) == "a\ufffdb"
    assert replace_surrogates("a\udcff") == "a\ufffd"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_any_json_is_a_request_or_an_error(value: object) -> None:
    one(json.dumps(value))
    one(json.dumps({"question": "q", "id": value, "conversation": value, "options": value}))
