"""What every test may ask for: the shared folder, golden files, and how many examples a law gets."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = 25

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
