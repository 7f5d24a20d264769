"""The notes that ship are the author's, byte for byte."""

from hashlib import sha256
from pathlib import Path

NAME = "application-deployment-and-integration.md"
SHA256 = "c3f13f8a5b322a2f30e2e21e43497b56a17f64be4cf7bd8d87f91a2b3662b6b4"


def test_the_notes_are_the_authors(root: Path) -> None:
    """No formatter, line-end conversion or helpful correction has touched them."""
    assert sha256((root / "corpus" / NAME).read_bytes()).hexdigest() == SHA256


def test_the_notes_are_those_in_shared(root: Path, shared: Path) -> None:
    assert (root / "corpus" / NAME).read_bytes() == (shared / "notes" / NAME).read_bytes()
