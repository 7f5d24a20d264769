"""`assistant doctor`: examines the installation and prints each problem with its remedy."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

import click

from assistant.cli import diagnosis
from assistant.cli.diagnosis.finding import Finding
from assistant.cli.options import common_options, location_options, settings_of
from assistant.errors import AssistantError
from assistant.exit_codes import Exit
from assistant.system.settings import Settings
from assistant.system.streams import write
from assistant.text import sanitize


@click.command("doctor", short_help="Report problems and the commands that fix them.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
@common_options(hidden=True)
@click.pass_context
def command(context: click.Context, as_json: bool) -> int:
    """Check packages, model, index, notes and terminal; print a fix for each problem.

    \b
      assistant doctor
      assistant doctor --json | jq .healthy

    Exit code: 0 healthy, 3 not.
    """
    settings: Settings | AssistantError
    try:
        settings = settings_of(context)
    except AssistantError as error:
        settings = error  # what is installed can be examined all the same
    encoding = (sys.stdout and sys.stdout.encoding) or "unknown"
    findings = diagnosis.examine(settings, os.environ, location_options(context), time.time(), encoding)
    healthy = all(finding.healthy for finding in findings)
    write(_as_json(findings, healthy) if as_json else _as_text(findings))
    return Exit.ANSWERED if healthy else Exit.CANNOT


def _as_json(findings: Sequence[Finding], healthy: bool) -> str:
    return json.dumps({"healthy": healthy, "findings": [asdict(finding) for finding in findings]}) + "\n"


def _as_text(findings: Sequence[Finding]) -> str:
    rows = []
    for finding in findings:
        rows.append(sanitize.line(f"{'✓' if finding.healthy else '✗'} {finding.part}: {finding.says}"))
        if finding.remedy:
            rows.append(sanitize.line(f"    fix: {finding.remedy}"))
    return "\n".join(rows) + "\n"
