"""The encoder gives sentence-transformers' vectors, the same bits every time, and never cuts a text in silence."""

import hashlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.errors import ModelUnusable
from assistant.models import assembling, preparation, shipped, tensor_file
from assistant.models import encoder as encoder_module
from assistant.models.encoder import Encoder, ModelFiles, OnnxEncoder, cut
from assistant.models.sessions import GRAPH, TOKENIZER, WEIGHTS, Session
from tests.hashing_encoder import HashingEncoder


@pytest.fixture(scope="module")
def files(prepared: Path) -> ModelFiles:
    return preparation.prepare(preparation.DEFAULT_MODEL, prepared, lambda text: None)


@pytest.fixture(scope="module")
def encoder(files: ModelFiles) -> OnnxEncoder:
    return OnnxEncoder(files)


@pytest.fixture(scope="module")
def texts(root: Path) -> list[str]:
    """Two hundred different texts of the corpus: single lines and paragraphs, all through the note."""
    note = (root / "corpus" / "application-deployment-and-integration.md").read_text(encoding="utf-8")
    parts = dict.fromkeys(part.strip() for part in [*note.split("\n"), *note.split("\n\n")] if part.strip())
    every = list(parts)
    chosen = every[:: len(every) // 200][:200]
    assert len(chosen) == 200
    return chosen


def test_a_passage_is_encoded_up_to_its_limit(encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone and among others: a line of megabytes must not take minutes."""
    monkeypatch.setattr(encoder_module, "LONGEST", 3000)
    text = "a canary release goes to a few users first " * 200
    (alone,) = encoder.passages([text])
    (expected,) = encoder.passages([text[:3000]])
    among = list(encoder.passages([text, "short", text]))
    assert 1 < len(alone) < 10
    assert bits(alone) == bits(expected) == bits(among[0]) == bits(among[2])


def bits(rows: NDArray[np.float32]) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()


def program(code: str, *arguments: str, root: Path) -> subprocess.CompletedProcess[str]:
    """Runs code in a fresh interpreter that can import the package."""
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": "7"},
    )


def test_two_hundred_texts_agree_with_sentence_transformers(encoder: OnnxEncoder, texts: list[str]) -> None:
    """Cosine at least 0.9999 for every one of them, under the session options that ship."""
    import torch
    from sentence_transformers import SentenceTransformer

    source, adapter = preparation.source(preparation.DEFAULT_MODEL), shipped.adapter(shipped.ENCODER)
    assert source is not None
    assert adapter is not None
    model = SentenceTransformer(str(source), device="cpu")
    base = tensor_file.parse((source / "model.safetensors").read_bytes())
    merged = assembling.merged(base, tensor_file.parse(adapter.read_bytes()))
    model[0].auto_model.load_state_dict({name: torch.tensor(one) for name, one in merged.items()}, strict=False)
    reference = model.encode(texts, normalize_embeddings=True)
    ours = np.stack([rows[0] for rows in encoder.passages(texts)])
    assert float(np.sum(ours * reference, axis=1).min()) >= 0.9999
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-6)


def test_a_second_run_and_a_second_process_give_the_same_bits(
    encoder: OnnxEncoder, files: ModelFiles, texts: list[str], root: Path
) -> None:
    """Two threads share the session; neither they nor a new process nor another hash seed change a bit."""
    some = texts[::4]
    first = [bits(rows) for rows in encoder.passages(some)]
    assert [bits(rows) for rows in encoder.passages(some)] == first
    assert [bits(rows) for text in some for rows in encoder.passages([text])] == first
    code = """if True:
        import hashlib, sys
        from pathlib import Path
        from assistant.models.encoder import ModelFiles, OnnxEncoder
        folder, dimension, limit, *texts = sys.argv[1:]
        encoder = OnnxEncoder(ModelFiles("", Path(folder), "", int(dimension), int(limit)))
        for rows in encoder.passages(texts):
            print(hashlib.sha256(rows.tobytes()).hexdigest())
    """
    done = program(code, str(files.folder), str(files.dimension), str(files.max_tokens), *some, root=root)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == first


def test_a_text_over_the_limit_gets_several_rows(encoder: OnnxEncoder) -> None:
    """What stands only at its end is found, and a text that just fits has one row."""
    long = "rolling updates replace pods " * 100 + "and the queue retries a message"
    (rows,) = encoder.passages([long])
    assert rows.shape[0] > 1
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    asked = encoder.question("does the queue retry a message?")
    assert (rows @ asked).argmax() == len(rows) - 1
    assert next(encoder.passages(["word " * 254])).shape[0] == 1
    assert next(encoder.passages(["word " * 255])).shape[0] == 2


def test_an_over_long_question_is_the_mean_of_its_windows(encoder: OnnxEncoder) -> None:
    """One unit row that looks like each of them."""
    long = "Which strategy gives zero downtime? " * 100
    row = encoder.question(long)
    assert row.shape == (encoder.dimension,)
    assert float(np.linalg.norm(row)) == pytest.approx(1, abs=1e-6)
    (rows,) = encoder.passages([long])
    assert float((rows @ row).min()) > 0.9


@pytest.mark.parametrize("text", ["", " ", "\x00", "\x1b[31m", "日本語", "é" * 3000, "x" * 100_000, "\u202e"])
def test_any_text_has_unit_rows(encoder: OnnxEncoder, text: str) -> None:
    """Nothing is too odd to be encoded."""
    (rows,) = encoder.passages([text])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_rows_come_in_the_order_of_the_texts_and_may_be_left_early(encoder: OnnxEncoder) -> None:
    """Also when they are far more than are in flight."""
    texts = [f"text number {number}" * (number % 7 + 1) for number in range(40)]
    together = [bits(rows) for rows in encoder.passages(texts)]
    assert together == [bits(next(encoder.passages([text]))) for text in texts]
    rows = encoder.passages(texts)
    assert isinstance(rows, Iterator)
    assert bits(next(rows)) == together[0]
    del rows
    assert list(encoder.passages([])) == []


def test_what_is_encoded_ahead_has_the_same_bits_and_is_encoded_once(
    encoder: OnnxEncoder, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = texts[:8]
    alone = [bits(encoder.question(text)) for text in asked]
    encoded: list[str] = []
    plain = Session.ids

    def noting(self: Session, text: str) -> list[int]:
        encoded.append(text)
        return plain(self, text)

    monkeypatch.setattr(Session, "ids", noting)
    encoder.ahead(["never asked for", "nor this"])
    encoder.ahead(asked)
    assert [bits(encoder.question(text)) for text in asked] == alone
    assert sorted(text for text in encoded if text in asked) == sorted(asked)
    assert bits(encoder.question(asked[0])) == alone[0]
    encoder.ahead([])


@pytest.mark.parametrize("damaged", [GRAPH, WEIGHTS, TOKENIZER])
def test_a_damaged_export_is_named_with_its_remedy(files: ModelFiles, tmp_path: Path, damaged: str) -> None:
    """Not a traceback of the library; the second text says so too."""
    for name in (GRAPH, WEIGHTS, TOKENIZER):
        (tmp_path / name).symlink_to(files.folder / name)
    (tmp_path / damaged).unlink()
    (tmp_path / damaged).write_bytes(b"\x00damaged")
    encoder = OnnxEncoder(replace(files, folder=tmp_path))
    encoder.warm()
    for _ in range(2):
        with pytest.raises(ModelUnusable, match="Delete that folder"):
            encoder.question("anything")


def test_construction_loads_nothing_and_a_process_may_end_while_it_warms(files: ModelFiles, root: Path) -> None:
    """`ask` opens the index meanwhile, or finds that there is nothing to ask."""
    code = """if True:
        import sys
        from pathlib import Path
        from assistant.models.encoder import ModelFiles, OnnxEncoder
        encoder = OnnxEncoder(ModelFiles("", Path(sys.argv[1]), "", 384, 256))
        assert not {"onnxruntime", "tokenizers", "torch"} & set(sys.modules)
        encoder.warm()
    """
    done = program(code, str(files.folder), root=root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_both_encoders_are_encoders(files: ModelFiles) -> None:
    """The protocol holds for the real one and for the one laws use; their identities differ."""
    encoders: list[Encoder] = [OnnxEncoder(files), HashingEncoder()]
    assert len({encoder.identity for encoder in encoders}) == 2
    assert [encoder.dimension for encoder in encoders] == [384, 64]


@given(st.lists(st.text()), st.integers(1, 96))
def test_hashed_rows_are_unit_rows_of_the_words_alone(texts: list[str], dimension: int) -> None:
    """The same words in any case give the same row, in any company."""
    encoder = HashingEncoder(dimension)
    for text, rows in zip(texts, encoder.passages(texts), strict=True):
        assert rows.shape == (1, dimension)
        assert float(np.linalg.norm(rows)) == pytest.approx(1, abs=1e-5)
        assert np.array_equal(rows[0], encoder.question(text))


@given(st.integers(1, 40), st.integers(0, 400))
def test_windows_cover_a_text_and_overlap(room: int, extra: int) -> None:
    """Every id is in a window, none is over the limit, neighbours share a quarter, and all are whole."""
    ids = list(range(room + extra))
    parts = list(cut(ids, room))
    assert [len(part) for part in parts] == [room] * len(parts)
    assert sorted({each for part in parts for each in part}) == ids
    for one, next_one in itertools.pairwise(parts):
        assert len(set(one) & set(next_one)) >= room // 4
        assert one[0] < next_one[0]
