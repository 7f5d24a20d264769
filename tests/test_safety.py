"""What the program never does: speak to a network, run a shell, load a pickle, evaluate text, build SQL from it."""

from __future__ import annotations

import ast
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from assistant.models import preparation
from assistant.storage.text_writer import KEPT_IDLE
from tests.asking import real_engine
from tests.command import Command, run

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "assistant").rglob("*.py"))
NOTE = "# Fruit\n\n## Apple\n\nAn apple keeps for seven months in a cool cellar.\n"
APPLE = "How long does an apple keep in a cellar?"

# Sits in every Python process that is started, children included; what it forbids is written down even where a library
# catches the error.
GUARD = """
import os, sys
_FORBIDDEN = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname",
              "socket.gethostbyaddr", "urllib.Request", "http.client.connect", "ftplib.connect", "smtplib.connect")
def _guard(event, arguments):
    if event not in _FORBIDDEN and event not in ("os.system", "pickle.find_class"):
        return
    if event.startswith("socket.") and len(arguments) > 1 and isinstance(arguments[1], (str, bytes)):
        return  # a Unix socket
    with open(os.environ["GUARD_LOG"], "a") as log:
        log.write(f"{event} {arguments!r}\\n")
    if event in _FORBIDDEN:
        raise PermissionError(f"{event} is forbidden here")
sys.addaudithook(_guard)
"""


@pytest.fixture
def guarded(surroundings: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which every attempt at a network, a system shell or a pickle is written down."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    (tmp_path / "log").touch()
    path = os.pathsep.join([str(tmp_path / "guard"), surroundings["PYTHONPATH"]])
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "fruit.md").write_text(NOTE)
    return {**surroundings, "PYTHONPATH": path, "GUARD_LOG": str(tmp_path / "log")}


def command(folder: Path, environment: dict[str, str]) -> Command:
    """On the notes of the folder, cut off from any network where this user may do that."""
    return Command(folder, environment, prefix=alone())


def alone() -> list[str]:
    """A network namespace without any interface, where this user may make one: native code is held off too."""
    words = ["unshare", "--net"] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["unshare", "-r", "--net"]
    if shutil.which(words[0]) and run([*words, "true"], os.environ).returncode == 0:
        return words
    return []


def test_the_guard_sees_what_it_is_there_for(guarded: dict[str, str], tmp_path: Path) -> None:
    program = (
        "import socket, pickle, os; pickle.loads(pickle.dumps(os.getcwd)); socket.create_connection(('127.0.0.1', 9))"
    )
    done = run([sys.executable, "-c", program], guarded)
    assert "is forbidden here" in done.stderr
    log = (tmp_path / "log").read_text()
    assert "pickle.find_class" in log
    assert "socket." in log


def test_no_network_for_the_whole_of_a_session(
    guarded: dict[str, str], tmp_path: Path, prepared: Path, documentation_index: Path
) -> None:
    """A first index, questions, a batch, the pages, doctor, the chat line by line: answered, and nothing was tried.

    Nor is anything left in the user's folders but our own: libraries gather there what they would send later.
    """
    cache, home = tmp_path / "cache", tmp_path / "home"
    home.mkdir()
    (cache / "notes-assistant").mkdir(parents=True, mode=0o700)
    models = Path(guarded["XDG_CACHE_HOME"], "notes-assistant", "models").resolve()
    (cache / "notes-assistant" / "models").symlink_to(models)
    shutil.copytree(ROOT / "assistant" / "docs", tmp_path / "pages")
    (tmp_path / "pages" / "what-is-stored-where.md").unlink()
    pages = shutil.copytree(documentation_index, cache / "notes-assistant" / "help")
    with closing(real_engine(tmp_path / "pages", pages, prepared, background=False)) as engine:
        for number in range(KEPT_IDLE + 2):  # until the vectors of the page are forgotten, too
            (tmp_path / "pages" / "new.md").write_text(f"# Page {number}\n")
            engine.update()
    guarded |= {"XDG_CACHE_HOME": str(cache), "HOME": str(home)}
    for words, stdin, says in (
        (["ask", APPLE], "", "seven months"),
        (["index"], "", "generation"),
        (["index", "--full"], "", "generation"),
        (["ask", "--json", "--explain", APPLE], "", "seven months"),
        (["ask", "--batch", "-"], f'{{"question": "{APPLE}"}}\n', "seven months"),
        (["topics"], "", "Apple"),
        (["search", APPLE], "", "seven months"),
        (["help", "what is stored where?"], "", "what-is-stored-where.md"),
        (["doctor"], "", "hash verified"),
        (["chat", "--plain", "--no-history"], f"{APPLE}\n", "seven months"),
    ):
        done = command(tmp_path, guarded).run(*words, stdin=stdin)
        assert says in done.stdout, (words, done.stderr)
    assert (tmp_path / "log").read_text() == ""
    assert [path.name for path in cache.iterdir()] == ["notes-assistant"]
    assert list(home.iterdir()) == []


def test_no_network_for_the_chat_on_a_terminal(guarded: dict[str, str], tmp_path: Path) -> None:
    """From the first paint to an answer and ctrl+q."""
    command(tmp_path, guarded).run("index")
    screen, process = started(tmp_path, guarded)
    try:
        wait_for(screen, b"notes")
        os.write(screen, APPLE.encode() + b"\r")
        wait_for(screen, b"seven months")
        os.write(screen, b"\x11")
        wait_for(screen, b"\x1b[?1049l")
    finally:
        process.terminate()
        process.wait()
        os.close(screen)
    assert (tmp_path / "log").read_text() == ""


def started(folder: Path, environment: dict[str, str]) -> tuple[int, subprocess.Popen[bytes]]:
    """The chat on a pseudo-terminal of 120x40."""
    screen, inside = pty.openpty()
    process = subprocess.Popen(
        command(folder, environment).words("chat", "--no-history"),
        cwd=folder,
        env={**environment, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"},
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    return screen, process


def wait_for(screen: int, part: bytes) -> None:
    """Reads until the part was written; words may be parted by styles."""
    seen, end = b"", time.monotonic() + 60
    while part not in seen and not all(word in seen for word in part.split()):
        assert time.monotonic() < end, seen[-2000:]
        if select.select([screen], [], [], 0.2)[0]:
            seen += os.read(screen, 65536)


def test_no_network_for_preparing_the_model(guarded: dict[str, str], tmp_path: Path) -> None:
    done = command(tmp_path, guarded).run("index", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "cache").glob("notes-assistant/models/*/model.onnx"))
    assert (tmp_path / "log").read_text() == ""


def test_no_network_for_a_model_of_a_folder(guarded: dict[str, str], tmp_path: Path) -> None:
    """By the libraries of the extra `models`, of which nothing else is heard either."""
    name = str(preparation.source(preparation.DEFAULT_MODEL))
    done = command(tmp_path, guarded).run("--model", name, "index", "--quiet")
    assert (done.returncode, done.stderr) == (0, "There was no index yet.\n")
    assert len(done.stdout.splitlines()) == 1
    assert [line for line in (tmp_path / "log").read_text().splitlines() if not line.startswith("pickle")] == []


# What a note is called, and what it says, never runs


NAMES = (
    *("$(touch ran).md", "`touch ran`.md", "; touch ran;.md", "-c !touch ran.md", "+!touch ran.md"),
    *("a\ntouch ran.md", "| touch ran.md", "%s.md", "' touch ran '.md", '" touch ran ".md'),
)
OPENING = """
import os, sys
from pathlib import Path
from assistant.system import editor
from assistant.system.settings import named_editor
for name in sys.argv[1:]:
    editor.start(editor.command(named_editor(os.environ), Path(name), 5))
"""
"""What `--open` does once it has its citation, without a question for each name."""


@pytest.mark.parametrize("editor", ["vi", "nvim -p", "code --wait", "subl", "emacs", "kate", "unknown-editor -x"])
def test_a_note_cannot_make_open_run_anything(editor: str, surroundings: dict[str, str], tmp_path: Path) -> None:
    """The editor gets the whole path as one word, absolute, so that it is no option either; no shell reads it."""
    paths = [tmp_path / "notes" / name for name in NAMES]
    program = tmp_path / "bin" / editor.split()[0]
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\0" "$@" >> "{tmp_path}/words"\n')
    program.chmod(0o755)
    words = [sys.executable, "-P", "-c", OPENING, *map(str, paths)]
    path = f"{program.parent}:{surroundings['PATH']}"
    done = run(words, {**surroundings, "EDITOR": editor, "PATH": path}, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    words = (tmp_path / "words").read_text().split("\0")
    places = [word.removesuffix(":5") for word in words if word.startswith("/")]
    assert places == list(map(str, paths))
    assert not list(tmp_path.rglob("ran"))


def test_open_itself_starts_the_editor_at_the_line(surroundings: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "$(touch ran).md").write_text(NOTE)
    editor = tmp_path / "ed itor"
    editor.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/words"\n')
    editor.chmod(0o755)
    done = command(tmp_path, surroundings).run("ask", "--open", "1", APPLE, EDITOR=f"'{editor}'")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "words").read_text() == f"+5\n--\n{folder}/$(touch ran).md\n"
    assert not list(tmp_path.rglob("ran"))


# What the source does not say


@cache
def trees() -> list[tuple[Path, ast.AST]]:
    """Every node of the package's source."""
    return [(path, node) for path in SOURCES for node in ast.walk(ast.parse(path.read_text("utf-8")))]


def called(node: ast.AST) -> str:
    """The dotted name of what a call calls; "" for no call."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def words_of(node: ast.Call) -> dict[str, str]:
    return {keyword.arg or "**": ast.unparse(keyword.value) for keyword in node.keywords}


def test_no_pickle_is_imported() -> None:
    wrong = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "copyreg", "dbm"}
    found = [
        (path.name, name)
        for path, node in trees()
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if name.split(".")[0] in wrong
    ]
    assert found == []
    loading = [
        (path.name, called(node)) for path, node in trees() if called(node) in ("np.load", "numpy.load", "torch.load")
    ]
    assert loading == []


def test_nothing_is_evaluated() -> None:
    """`compile` builds a tree only, modules are imported by names that stand in the source, YAML gives plain texts."""
    for path, node in trees():
        name = called(node)
        assert name not in ("eval", "exec", "__import__", "runpy.run_path", "code.interact"), (path.name, name)
        if not isinstance(node, ast.Call):
            continue
        if name == "compile":
            assert "ast.PyCF_ONLY_AST" in ast.unparse(node), path.name
        if name.endswith("import_module"):
            assert ast.unparse(node.args[0]) in ("IMPORTED[name]", "COMMANDS[name]"), path.name
        if name.startswith("yaml.") and name.split(".")[1] in ("load", "load_all", "compose", "compose_all"):
            assert words_of(node).get("Loader") in ("yaml.BaseLoader", "yaml.CBaseLoader"), path.name
        assert name not in ("yaml.unsafe_load", "yaml.full_load"), path.name


def test_no_shell_is_started() -> None:
    for path, node in trees():
        name = called(node)
        assert name not in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), path.name
        assert not name.startswith(("os.exec", "os.spawn", "pty.")), (path.name, name)
        if isinstance(node, ast.Call) and name.startswith("subprocess."):
            assert "shell" not in words_of(node), path.name
            assert not isinstance(node.args[0], (ast.Constant, ast.JoinedStr)), path.name


RUNNING = ("execute", "executemany", "executescript", "_all", "_change", "_change_many")
"""Methods whose first argument is a statement."""
INSERTED = {
    "table": "a table's own name, from the list of tables or from our _SUMS",
    "where": "one of our own conditions, handed down inside the store",
    "ranked": "our own ranking statement",
}
"""What stands in statements beside constants and numbers: never a text that came from outside."""


SQL_METHODS = ("rows", "each", "change", "change_many", "script")
"""Of `storage.database`, whose first argument is SQL; a method of another class may have such a name too."""


def test_sql_has_parameters_only() -> None:
    """A statement is a constant; what is inserted into it is a constant of the module too, or one of a few."""
    statements = 0
    for path, node in trees():
        if not isinstance(node, ast.Call) or not node.args:
            continue
        if called(node).rpartition(".")[2] not in (
            "execute",
            "executemany",
            "executescript",
            *SQL_METHODS,
        ):
            continue
        statements += 1
        for part in ast.walk(node.args[0]):
            assert not (isinstance(part, ast.BinOp) and isinstance(part.op, (ast.Mod, ast.Add))), ast.unparse(node)
            if isinstance(part, ast.FormattedValue):
                names = [ast.unparse(one) for one in ast.walk(part.value) if isinstance(one, ast.Name)]
                assert all(name.isupper() or name in INSERTED for name in names), (path.name, ast.unparse(node))
    assert statements > 40
