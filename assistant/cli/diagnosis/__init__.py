"""What is installed, which model and index there are and how they fare → findings, each problem with its remedy.

Looks only: nothing is built, downloaded, written or fixed.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from assistant.cli.diagnosis import index, installation, model, server, team_index
from assistant.cli.diagnosis.finding import Finding
from assistant.errors import AssistantError, NoNotes
from assistant.system.collection import Collection
from assistant.system.settings import Settings, user_cache


def examine(
    settings: Settings | AssistantError,
    environment: Mapping[str, str],
    options: Sequence[str],
    now: float,
    encoding: str,
) -> list[Finding]:
    """Every finding, in the order in which a reader would look.

    `settings` may be the error that kept them from being loaded; `options` are the words that led to them, which a
    remedy repeats; `now` is in seconds since the epoch; `encoding` is that of stdout.
    """
    program = shlex.join(["assistant", *options])
    findings = [*installation.python(), *installation.packages(), *installation.command(environment)]
    if isinstance(settings, AssistantError):
        remedy = "assistant --notes DIR doctor" if isinstance(settings, NoNotes) else settings.hint
        findings.append(Finding("notes", settings.message, remedy))
        cache = user_cache(environment)
    else:
        findings += model.model(settings, program)
        findings += index.notes(settings)
        if isinstance(settings.index, Collection):
            findings += team_index.index(settings.index, settings.folder, program)
        else:
            findings += index.index(settings, settings.index, program, now)
        cache = settings.cache
    return [
        *findings,
        *model.caches(cache),
        *server.mcp(),
        *server.server(),
        *installation.terminal(environment, encoding),
    ]
