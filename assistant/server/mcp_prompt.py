"""The MCP prompt that has a model answer from the notes and cite them, and what the server tells of itself."""

from __future__ import annotations

from mcp import types

from assistant.errors import BadRequest

INSTRUCTIONS = (
    "Answers from the user's own Markdown notes. Call `ask` for a question and `search` for passages on a subject; "
    "`read` gives the lines around a citation. Quote what the notes say word for word and cite each quotation as "
    "path:line. Where `ask` says not_in_notes, say that the notes do not answer the question."
)
PROMPT = types.Prompt(
    name="answer_from_notes",
    title="Answer from my notes",
    description="Answers a question from the notes alone, with quotations and their places.",
    arguments=[types.PromptArgument(name="question", description="The question.", required=True)],
)
_TEXT = """Answer this question from my notes:

{question}

1. Call the tool `ask` with the question. If its outcome is partial or not_in_notes, try `search` with other words.
2. Call `read` where you need the lines around a citation.
3. Say only what the notes say. Quote the lines that matter word for word, and cite each quotation as path:line, as the
tools give it. Show code as it stands in the notes.
4. If the notes do not answer the question, or only a part of it, say so and name what is missing. Mark what you
add from elsewhere as not from my notes."""


def prompt(name: str, arguments: dict[str, str] | None) -> types.GetPromptResult:
    """The prompt with its question; BadRequest."""
    if name != PROMPT.name:
        raise BadRequest(f"There is no prompt {name}.", f"The prompt is {PROMPT.name}.")
    question = (arguments or {}).get("question", "").strip()
    if not question:
        raise BadRequest("No question was given.", "Give the argument `question`.")
    content = types.TextContent(type="text", text=_TEXT.format(question=question))
    return types.GetPromptResult(
        description=PROMPT.description, messages=[types.PromptMessage(role="user", content=content)]
    )
