"""The OpenAPI document as a page: its paths and records as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_CSS = """:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1rem; }
th, td { border: 1px solid; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
caption { text-align: left; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
"""
STYLE = "/api.css"
_HEAD = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API – notes-assistant</title>
<link rel="stylesheet" href="{STYLE}">
</head>
<body>
<main>
"""


def style() -> str:
    """The page's style sheet."""
    return _CSS


def page(document: Mapping[str, Any]) -> str:
    """The page of an OpenAPI document, without scripts."""
    return "".join(_lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield _HEAD
    yield f"<h1>API of {escape(info['title'])} {escape(info['version'])}</h1>\n<p>{escape(info['description'])}\n"
    yield 'All of it as <a href="/api/v1/openapi.json">an OpenAPI document</a>.</p>\n<h2>Paths</h2>\n'
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from _operation(f"{method.upper()} {path}", operation)
    yield "<h2>Records</h2>\n"
    for name, schema in document["components"]["schemas"].items():
        yield f'<h3 id="{escape(name)}">{escape(name)}</h3>\n<p>{escape(schema.get("description", ""))}</p>\n'
        required = schema.get("required", [])
        rows = [
            (field, _type(one), "yes" if field in required else "no", one.get("description", ""))
            for field, one in schema.get("properties", {}).items()
        ]
        yield _table(f"Fields of {name}", ("Field", "Type", "Required", "What it is"), rows)
    yield "</main>\n</body>\n</html>\n"


def _operation(title: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h3><code>{escape(title)}</code></h3>\n<p>{escape(operation['summary'])}.</p>\n"
    rows = [
        (one["name"], _type(one["schema"]), one["in"], one["description"]) for one in operation.get("parameters", ())
    ]
    if rows:
        yield _table(f"Parameters of {title}", ("Name", "Type", "Where", "What it is"), rows)
    content = operation.get("requestBody", {}).get("content", {})
    for kind, one in content.items():
        yield f"<p>Body: <code>{escape(kind)}</code>, {_type(one['schema'])}.</p>\n"
    for status, response in operation["responses"].items():
        for kind, one in response["content"].items():
            said = f"{escape(response['description'])} <code>{escape(kind)}</code>, {_type(one['schema'])}"
            events = ", ".join(f"<code>{escape(name)}</code>" for name in one.get("x-events", ()))
            yield f"<p>{escape(status)}: {said}{f': events {events}' if events else ''}.</p>\n"


def _table(caption: str, names: tuple[str, ...], rows: list[tuple[str, str, str, str]]) -> str:
    """The second column is HTML already."""
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = "".join(
        f'<tr><th scope="row"><code>{escape(first)}</code></th><td>{kind}</td><td>{escape(third)}</td>'
        f"<td>{escape(last)}</td></tr>\n"
        for first, kind, third, last in rows
    )
    return (
        f'<div class="wide"><table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody>\n</table></div>\n"
    )


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    if "prefixItems" in schema:
        return f"list of {len(schema['prefixItems'])}: {_type(schema['prefixItems'][0])}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties']) or 'anything'}"
    bounds = f" from {schema['minimum']} to {schema['maximum']}" if "maximum" in schema else ""
    return escape(str(schema.get("type", "anything"))) + bounds
