"""Fixtures of every test: shared folder, model, environment, PostgreSQL, schema, golden files; examples of a property
test."""

import fcntl
import gc
import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator

from assistant.models import preparation
from assistant.system.collection import Collection, IndexPlace
from tests import postgres_server
from tests.asking import real_engine
from tests.command import PROGRAM, run
from tests.postgres_server import Server

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = 25
LONGEST = (
    "evaluation/test_sample.py",
    "test_hostile.py",
    "test_launchers.py",
    "test_shipped.py",
    "tui/test_tui_keys.py",
    "test_docs.py",
    "test_encoder.py",
    "evaluation/test_plainly.py",
    "tui/test_tui_real.py",
    "tui/test_find.py",
    "test_mcp.py",
)
"""Files that take half a minute and more. They begin first, so that no process is left alone with one at the end."""

NOT_QUICK = (
    *("evaluation/", "tui/", "test_concurrency", "test_crash", "test_encoder", "test_hostile", "test_imports"),
    *(
        "test_incremental",
        "test_index_manager",
        "test_launchers",
        "test_mcp",
        "test_model",
        "test_page",
        "test_postgres",
    ),
    *(
        "test_published_index",
        "test_safety",
        "test_scale",
        "test_serve",
        "test_shipped",
        "test_stores_alike",
        "test_team",
    ),
    *("test_training_data", "test_watch", "test_wheel"),
)
"""How the files begin that `--quick` leaves out: tests of processes, servers, the chat, models and whole answers."""
_PROCESSES = {"surroundings", "documented", "documentation_index", "corpus_index", "postgres", "new_collection"}
"""Fixtures and their parameters that start a process, or take as long."""

scale = float(os.environ.get("ASSISTANT_TEST_SCALE", "1"))
settings.register_profile(
    "assistant",
    max_examples=max(1, round(EXAMPLES * scale)),
    # At the everyday size every run has the same examples, so that red means the code changed; longer runs explore.
    derandomize=scale <= 1,
    deadline=None,  # no test depends on a time
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("assistant")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell starts what runs in the background; the processes that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """pytest now collects garbage five times. A process of pytest-xdist that takes more than five seconds for it gets a
    SIGINT, so what lives on is left out after one whole collection."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what starts a process, a server or the chat")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the longest files first; the others stay in their order."""
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    if config.getoption("--quick"):
        left_out = [item for item in items if _takes_long(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _takes_long(item)]


def _takes_long(item: pytest.Item) -> bool:
    """Whether it starts a process, a server or the chat, or takes as long."""
    parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
    asked = {*getattr(item, "fixturenames", ()), *(one for one in parameters if isinstance(one, str))}
    name = item.path.relative_to(ROOT / "tests").as_posix()
    return name.startswith(NOT_QUICK) or not asked.isdisjoint(_PROCESSES)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the checkout; the test is skipped where there is none."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared beside the checkout")
    return folder


@pytest.fixture(scope="session")
def judge(shared: Path) -> Any:
    """The module of the shared judge; nothing is written beside it, as an import would."""
    file = shared / "eval" / "score.py"
    module = sys.modules["score"] = ModuleType("score")  # dataclasses look their module up
    module.__file__ = str(file)
    exec(compile(file.read_text("utf-8"), file, "exec"), module.__dict__)
    return module


@pytest.fixture(scope="session")
def prepared(pytestconfig: pytest.Config) -> Path:
    """A cache folder with the models that ship, which are prepared once and kept between runs."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("models")
    preparation.prepare(preparation.DEFAULT_MODEL, folder, lambda text: None)
    preparation.prepare_reader(folder, lambda text: None)
    return folder


@pytest.fixture(scope="session")
def surroundings(root: Path, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment for the command as a process: none of the caller's settings, a cache that has the model."""
    cache = tmp_path_factory.mktemp("cache")
    (cache / "notes-assistant").mkdir(mode=0o700)
    (cache / "notes-assistant" / "models").symlink_to(prepared / "models")
    ours = ("ASSISTANT_N", "ASSISTANT_I", "ASSISTANT_M", "ASSISTANT_C")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    for name in ("VISUAL", "EDITOR", "NO_COLOR", "COLUMNS", "LINES"):
        kept.pop(name, None)
    return {**kept, "PYTHONPATH": str(root), "XDG_CACHE_HOME": str(cache), "TERM": "xterm"}


@pytest.fixture(scope="session")
def corpus_index(
    root: Path, prepared: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished index of the shipped notes, to be copied: most of an index's time goes into the vocabulary's vectors,
    which one of other notes takes over from it. The processes of a run, and later runs, share one, kept up to date."""
    with _kept(pytestconfig, "corpus-index") as index:
        with closing(real_engine(root / "corpus", index, prepared, background=False)) as engine:
            engine.update()
        return _copied(index, tmp_path_factory)


@pytest.fixture(scope="session")
def documentation_index(
    surroundings: dict[str, str], prepared: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished index of the documentation pages, made by the command and shared as that of the shipped notes is."""
    with _kept(pytestconfig, "documentation-index") as index:
        cache = index / "notes-assistant"
        if not cache.is_dir():
            cache.mkdir(parents=True, mode=0o700)
            (cache / "models").symlink_to(prepared / "models")
        words = [*PROGRAM, "help", "where", "is", "the", "index", "kept?"]
        done = run(words, {**surroundings, "XDG_CACHE_HOME": str(index)}, folder=tmp_path_factory.mktemp("here"))
        assert done.returncode == 0, done.stderr
        return _copied(cache / "help", tmp_path_factory)


@pytest.fixture(scope="session")
def documented(surroundings: dict[str, str], documentation_index: Path) -> dict[str, str]:
    """The same environment, once `assistant help` has its index there."""
    shutil.copytree(documentation_index, Path(surroundings["XDG_CACHE_HOME"], "notes-assistant", "help"))
    return surroundings


@contextmanager
def _kept(pytestconfig: pytest.Config, name: str) -> Iterator[Path]:
    """The place of an index that is kept between runs, for one process at a time."""
    assert pytestconfig.cache is not None
    kept = pytestconfig.cache.mkdir(name)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield kept / "index"


def _copied(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(index, tmp_path_factory.mktemp("index") / "index")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The test process's own server, started when it is first needed; the test is skipped where there can be none."""
    if postgres_server.binaries() is None:
        pytest.skip("needs PostgreSQL with pgvector")
    with postgres_server.running() as server:
        yield server


@pytest.fixture(scope="session")
def new_collection(postgres: Server) -> Callable[[], Collection]:
    """Makes addresses of collections that are not there yet, of one database."""
    numbers = itertools.count(1)
    return lambda: Collection.parse(postgres.address(f"test {next(numbers)}"))


@pytest.fixture
def collection(new_collection: Callable[[], Collection]) -> Collection:
    """The address of a collection that is not there yet."""
    return new_collection()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def new_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], IndexPlace]:
    """Makes places for an index in which there is none yet: folders, then collections of a database."""
    if request.param == "sqlite":
        return lambda: tmp_path_factory.mktemp("index") / "index"
    make: Callable[[], Collection] = request.getfixturevalue("new_collection")
    return make


@pytest.fixture
def place(new_place: Callable[[], IndexPlace]) -> IndexPlace:
    """A place for an index in which there is none yet: a folder, then a collection of a database."""
    return new_place()


@pytest.fixture(scope="session")
def schema() -> Draft202012Validator:
    """The JSON answer's schema, as the package ships it."""
    path = ROOT / "assistant" / "data" / "answer.schema.json"
    return Draft202012Validator(json.loads(path.read_text("utf-8")))


@pytest.fixture(scope="session")
def valid(schema: Draft202012Validator) -> Callable[[str], dict[str, Any]]:
    """Reads a line of output, which must fit the schema."""

    def check(line: str) -> dict[str, Any]:
        assert line.isascii()
        record: dict[str, Any] = json.loads(line)
        schema.validate(record)
        return record

    return check


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, bytes], None]:
    """Compares bytes with a committed file, or writes it under `--snapshot-update` (which also renews screens)."""

    def compare(path: Path, actual: bytes) -> None:
        if request.config.getoption("update_snapshots", default=False):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(actual)
        assert path.is_file(), f"{path.name} is missing: write it with --snapshot-update and read it"
        assert actual.decode() == path.read_bytes().decode()

    return compare
