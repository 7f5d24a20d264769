"""The sample of questions, asked once for all tests of the evaluation."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assistant import Assistant
from tests.evaluation import scoring, sets
from tests.evaluation.scoring import Result


@pytest.fixture(scope="session")
def results(prepared: Path, corpus_index: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """The judged answers. One index goes from one set's notes to the next, so it keeps the vocabulary's vectors."""
    folder = tmp_path_factory.mktemp("sample")
    (folder / "notes-assistant").mkdir(mode=0o700)
    (folder / "notes-assistant" / "models").symlink_to(prepared / "models")
    shutil.copytree(corpus_index, folder / "index")
    found = []
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(folder))
        for name in ("MODEL", "CONSTANTS", "NOTES", "INDEX"):
            environment.delenv(f"ASSISTANT_{name}", raising=False)
        environment.chdir(folder)
        for name in sets.SAMPLED:
            notes = sets.known()[name].notes(folder)
            with Assistant(notes, index=folder / "index") as assistant:
                assistant.update()
                found += scoring.ask(assistant, sets.sample(name))
    return found
