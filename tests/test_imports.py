"""What a question loads: the libraries that make it slow stay out."""

import os
import subprocess
import sys
from pathlib import Path

from tests.asking import APPLE, FRUIT

SLOW = {
    "torch",
    "sentence_transformers",
    "transformers",
    "onnx",
    "onnxscript",
    "textual",
    "markdown_it",
    "yaml",
    "rich",
}
SERVING = {"mcp", "mcp_types", "starlette", "uvicorn", "pydantic", "pydantic_core", "anyio", "sse_starlette", "httpx2"}
"""What only `mcp` and `serve` need."""
SERVERS = {"psycopg", "psycopg_binary", "pgvector"}
"""What only an index in a database needs."""
WRITERS = {"assistant.indexing.build", "assistant.storage.writer", "assistant.storage.sqlite.integrity"}


def test_a_question_on_a_fresh_index_loads_no_slow_library(tmp_path: Path, surroundings: dict[str, str]) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "fruit.md").write_text(FRUIT)
    os.utime(tmp_path / "notes" / "fruit.md", (1, 1))  # saved so long ago that it need not be read again
    program = [sys.executable, "-P", "-X", "importtime", "-m", "assistant"]
    program += ["--notes", str(tmp_path / "notes"), "--index", str(tmp_path / "index")]
    subprocess.run([*program, "index"], check=True, capture_output=True, env=surroundings)
    asked = subprocess.run(
        [*program, "ask", APPLE],
        capture_output=True,
        text=True,
        check=False,
        env=surroundings,
    )
    assert "cool cellar" in asked.stdout, asked.stderr[-2000:]
    lines = [line for line in asked.stderr.splitlines() if line.startswith("import time:")]
    modules = {line.rpartition("|")[2].strip() for line in lines}
    loaded = {name.partition(".")[0] for name in modules}
    assert {"onnxruntime", "tokenizers", "faiss"} <= loaded
    assert not loaded & (SLOW | SERVING | SERVERS)
    assert not modules & WRITERS
    assert not [name for name in modules if name.startswith("assistant.storage.postgres")]


def test_the_chat_loads_nothing_that_only_a_server_needs(tmp_path: Path, surroundings: dict[str, str]) -> None:
    """Nor does any command before it is called."""
    program = (
        "import sys, pkgutil, importlib, assistant.tui\n"
        "from assistant.cli import app, ask, chat, doctor, help, index, mcp, topics\n"
        "for one in pkgutil.walk_packages(assistant.tui.__path__, 'assistant.tui.'):\n"
        "    importlib.import_module(one.name)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True, env=surroundings
    )
    loaded = set(done.stdout.split())
    assert "textual" in loaded
    assert not loaded & SERVING
