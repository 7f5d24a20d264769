"""Python, the installed packages, the command on the path, and the terminal."""

from __future__ import annotations

import importlib
import platform
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import assistant
from assistant.cli.diagnosis.finding import DISTRIBUTION, Finding, pip_install
from assistant.models import base, sessions
from assistant.system.settings import few_colours, terminal_clipboard

IMPORTED = {
    "PyStemmer": "Stemmer",
    "PyYAML": "yaml",
    "click": "click",
    "faiss-cpu": "faiss",
    "markdown-it-py": "markdown_it",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "rich": "rich",
    "starlette": "starlette",
    "textual": "textual",
    "tokenizers": "tokenizers",
    "tree-sitter": "tree_sitter",
    "tree-sitter-bash": "tree_sitter_bash",
    "tree-sitter-hcl": "tree_sitter_hcl",
    "uvicorn": "uvicorn",
    "watchfiles": "watchfiles",
}
"""Package → module that is imported to see whether it can be."""
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:(>=|==)\s*([0-9.]+))?")
_CLIPBOARD = {"tmux": "through tmux (`tmux set -g set-clipboard on`)", "osc52": "likely", "local": "likely"}


def python() -> Iterator[Finding]:
    """Version and path of this Python, with a remedy where it is older than 3.11."""
    supported = sys.version_info >= (3, 11)
    remedy = "" if supported else "python3.12 -m pip install ."
    yield Finding("python", f"Python {platform.python_version()} ({sys.executable})", remedy)


def packages() -> Iterator[Finding]:
    """Those that the program requires in its own metadata, against the ranges that stand there, and the base of the
    default model."""
    try:
        required = [one for one in metadata.requires(DISTRIBUTION) or () if "extra ==" not in one]
    except metadata.PackageNotFoundError:
        checkout = Path(assistant.__file__).parents[1]
        yield Finding("packages", f"{DISTRIBUTION} is not installed", pip_install(str(checkout)))
        return
    sound = [f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}"]
    for requirement in sorted({*required, base.REQUIREMENT}, key=str.lower):
        parts = _REQUIREMENT.match(requirement)
        if parts is None:
            continue
        name, relation, version = parts.groups()
        problem = _package_problem(name, relation, version)
        if problem:
            reinstall = pip_install("--force-reinstall", "--no-deps", requirement.split(";")[0].strip())
            yield Finding("packages", problem, reinstall)
        else:
            sound.append(f"{name} {metadata.version(name)}")
    yield Finding("packages", ", ".join(sound))


def _package_problem(name: str, relation: str | None, required: str) -> str:
    """What is wrong with an installed package; "" where nothing is."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is not installed"
    if relation and (version != required if relation == "==" else _numbers(version) < _numbers(required)):
        return f"{name} is {version}, {relation}{required} is required"
    if name in IMPORTED:
        sessions.disable_telemetry()
        try:
            importlib.import_module(IMPORTED[name])
        except Exception as error:  # noqa: BLE001 - a half installed library fails in any way
            reason = (str(error).splitlines() or [""])[0][:120]
            return f"{name} {version} cannot be loaded ({type(error).__name__}: {reason})"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


def command(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Another program may have the same name, and stand first on the path."""
    prefix = Path(sys.prefix).resolve()
    for name in ("assistant", DISTRIBUTION):
        path = shutil.which(name, path=environment.get("PATH"))
        if path is None:
            continue
        if prefix in Path(path).absolute().parents or prefix in Path(path).resolve().parents:
            yield Finding("command", f"{name} is {path}")
        else:
            remedy = f"alias {name}={shlex.quote(str(prefix / 'bin' / name))}"
            yield Finding("command", f"{name} is {path}, which is not this installation", remedy)


def terminal(environment: Mapping[str, str], encoding: str) -> Iterator[Finding]:
    """`encoding` is that of stdout."""
    name = environment.get("TERM") or "unknown"
    if environment.get("NO_COLOR"):
        colours = "none (NO_COLOR)"
    elif name in ("dumb", "unknown"):
        colours = "none"
    else:
        colours = environment.get("COLORTERM") or ("16" if few_colours(environment) else "256 or more")
    copying = "unlikely" if name in ("dumb", "unknown", "linux") else _CLIPBOARD[terminal_clipboard(environment)]
    yield Finding("terminal", f"TERM {name}, colours {colours}, copying by OSC 52 {copying}, encoding {encoding}")
    if encoding.lower().replace("-", "") not in ("utf8", "utf8sig"):
        yield Finding("terminal", f"{encoding} cannot encode bars and arrows", "export LC_ALL=C.UTF-8")
