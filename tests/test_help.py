"""The help screens fit a terminal of 80x24 and show examples; shells complete the command."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import click
import pytest

from assistant.cli import pages
from assistant.cli.app import COMMANDS, group
from tests.command import PROGRAM, run

NAMES = ("assistant", "notes-assistant")
SOURCED = {
    # What each shell would offer behind `NAME as`, once what the documentation says has been run in it.
    "bash": """
eval "$(_{variable}_COMPLETE=bash_source {name})"
COMP_WORDS=({name} as) COMP_CWORD=1
_{function}_completion {name}
printf '%s\\n' "${{COMPREPLY[@]}}"
""",
    "zsh": """
autoload -Uz compinit && compinit -D -u
eval "$(_{variable}_COMPLETE=zsh_source {name})"
[[ -n $_comps[{name}] ]] || exit 9
words=({name} as) CURRENT=2
_describe() {{ print -l -- ${{(P)3}} }}
compadd() {{ }}
_{function}_completion
""",
    "fish": "_{variable}_COMPLETE=fish_source {name} | source; complete -C '{name} as'",
}


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder to put on the path, with the two commands of this checkout."""
    for name in NAMES:
        (tmp_path / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m assistant "$@"\n')
        (tmp_path / name).chmod(0o755)
    return tmp_path


def helped(command: str, surroundings: dict[str, str]) -> str:
    return run([*PROGRAM, *command.split(), "--help"], {**surroundings, "COLUMNS": "80"}).stdout


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_a_help_screen_fits_and_shows_an_example(command: str, surroundings: dict[str, str]) -> None:
    """With a row left for the prompt; no short sentence is cut."""
    rows = helped(command, surroundings).splitlines()
    assert len(rows) <= 23
    assert max(map(len, rows)) <= 80
    assert any(re.match(rf"    assistant .*{command}", row) for row in rows)
    assert not any(row.endswith("...") and not row.startswith("Usage") for row in rows)


def test_each_option_and_argument_says_what_it_does() -> None:
    context = click.Context(group)
    for command in (group, *(group.get_command(context, name) for name in COMMANDS)):
        assert command is not None
        for one in command.params:
            assert not isinstance(one, click.Option) or one.help, (command.name, one.name)


@pytest.mark.parametrize("shell", SOURCED)
@pytest.mark.parametrize("name", NAMES)
def test_a_shell_completes_the_command(
    shell: str, name: str, commands: Path, surroundings: dict[str, str], tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    script = SOURCED[shell].format(name=name, function=name.replace("-", "_"), variable=name.replace("-", "_").upper())
    home = {"PATH": f"{commands}:{surroundings['PATH']}", "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)}
    done = run([shell, "-c", script], {**surroundings, **home})
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^(plain,)?ask\b", done.stdout, re.MULTILINE), done.stdout


def completed(words: str, surroundings: dict[str, str], shell: str = "bash") -> list[str]:
    """What is offered for the last of the words."""
    pressed = {
        "_ASSISTANT_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    return run(PROGRAM, {**surroundings, **pressed}).stdout.split()


def test_commands_options_choices_pages_and_paths_are_offered(surroundings: dict[str, str]) -> None:
    assert completed("assistant d", surroundings) == ["plain,doctor"]
    assert completed("assistant ask --ba", surroundings) == ["plain,--batch"]
    assert completed("assistant ask --format q", surroundings) == ["plain,quickfix"]
    assert completed("assistant help from", surroundings) == ["plain,from-python"]
    assert completed("assistant --notes /e", surroundings) == ["dir,/e"]
    assert completed("assistant ask --batch q", surroundings) == ["file,q"]
    assert {f"plain,{page.name}" for page in pages.pages()} == set(completed("assistant help ", surroundings))
