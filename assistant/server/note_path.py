"""The path of a note in an address: any characters, also line breaks, which a file's name may have."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class _NotePath(Convertor[str]):
    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


NOTE = "{path:note}"
"""The part of a route that takes it."""
register_url_convertor("note", _NotePath())
