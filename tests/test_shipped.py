"""The models that ship: graph, base and adapter become what sentence-transformers and transformers make of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from assistant.errors import ModelUnusable
from assistant.models import assembling, base, preparation, shipped, tensor_file
from assistant.models.cross_encoder import CrossEncoder, ReadText
from assistant.models.encoder import ModelFiles, OnnxEncoder
from assistant.models.sessions import GRAPH, WEIGHTS

RANK = 4
TEXTS = (
    "a",
    "Kubernetes",
    "Which strategy gives zero downtime and instant rollback?",
    "**Traffic Switch**: all traffic moves at once; the old environment stays for a rollback.",
    "kubectl set image deployment/web web=registry.example/web:1.4.2 --record",
    "apiVersion: v1\nkind: Service\nspec:\n  ports:\n  - port: 8080\n",
    'resource "queue" "main" {\n  visibility_in_seconds = 30\n}',
    "Müller grüßt naïve Façade – “quoted” … 100 % ✓",
    "日本語のテキスト и немного русского",
    "    indented   and \t spaced   out    ",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "0 1 2 3 10 100 1000 3.14 2026-01-31 10.0.0.0/16",
)
QUESTION = "Which strategy gives zero downtime and instant rollback?"
Array = NDArray[np.float32]


def silent(text: str) -> None:
    """Progress nobody reads."""


@pytest.fixture(scope="module")
def original() -> dict[str, Array]:
    """The base's weights, without the positions' numbers."""
    folder = preparation.source(preparation.DEFAULT_MODEL)
    assert folder is not None
    tensors = tensor_file.parse((folder / base.WEIGHTS).read_bytes()).tensors
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items() if not name.endswith("position_ids")}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files that ship, without adapters, in place of them."""
    for path in shipped.DATA.iterdir():
        if path.suffix in (".onnx", ".json"):
            (tmp_path / "data").mkdir(exist_ok=True)
            shutil.copy(path, tmp_path / "data")
    monkeypatch.setattr(shipped, "DATA", tmp_path / "data")
    return tmp_path / "data"


def changes(original: dict[str, Array], *, head: bool) -> dict[str, Array]:
    """A random adapter of all linear layers and the words; with the reader's head, where it is asked for."""
    random = np.random.default_rng(7)
    made: dict[str, Array] = {}
    for name, weight in original.items():
        if weight.ndim == 2 and not name.startswith("pooler") and ("dense" in name or "self" in name or "word" in name):
            rows, columns = weight.shape
            made[f"{name}.lora_A"] = random.normal(0, 0.02, (RANK, columns)).astype(np.float32)
            made[f"{name}.lora_B"] = random.normal(0, 0.02, (rows, RANK)).astype(np.float32)
    if head:
        made["pooler.dense.weight"] = random.normal(0, 0.05, (384, 384)).astype(np.float32)
        made["pooler.dense.bias"] = random.normal(0, 0.5, 384).astype(np.float32)
        made["classifier.weight"] = random.normal(0, 0.5, (1, 384)).astype(np.float32)
        made["classifier.bias"] = np.array([0.75], dtype=np.float32)
        made["span.weight"] = random.normal(0, 0.5, (2, 384)).astype(np.float32)
        made["span.bias"] = np.array([0.5, -0.25], dtype=np.float32)
    return made


def expected(original: dict[str, Array], adapter: dict[str, Array], scale: float) -> dict[str, Array]:
    """What the adapter makes of the weights, straight from its definition."""
    halves = {name: tensor.astype(np.float16).astype(np.float32) for name, tensor in adapter.items()}
    made = {**original, **{name: one for name, one in halves.items() if ".lora_" not in name}}
    for name, low in halves.items():
        if name.endswith(".lora_A"):
            parameter = name.removesuffix(".lora_A")
            made[parameter] = original[parameter] + scale * (halves[f"{parameter}.lora_B"] @ low)
    return made


def encode(files: ModelFiles) -> Array:
    return np.concatenate([rows[:1] for rows in OnnxEncoder(files).passages(TEXTS)])


def reference(weights: dict[str, Array]) -> Array:
    """What sentence-transformers makes of the texts with these weights."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(preparation.source(preparation.DEFAULT_MODEL)), device="cpu")
    model[0].auto_model.load_state_dict({name: torch.tensor(one) for name, one in weights.items()})
    return np.asarray(model.encode(list(TEXTS), normalize_embeddings=True))


@pytest.mark.parametrize("adapted", [False, True], ids=["base", "adapter"])
def test_the_encoder_agrees_with_sentence_transformers(
    data: Path, tmp_path: Path, original: dict[str, Array], adapted: bool
) -> None:
    """With an adapter and without one; an adapter gives another identity, and changes the rows."""
    plain = preparation.prepare(preparation.DEFAULT_MODEL, tmp_path / "cache", silent)
    assert (plain.dimension, plain.max_tokens) == (384, 256)
    if not adapted:
        assert least_cosine(encode(plain), reference(original)) >= 0.9999
        return
    made = changes(original, head=False)
    (data / "encoder.safetensors").write_bytes(assembling.pack(made, 2.0))
    assert preparation.prepared(preparation.DEFAULT_MODEL, tmp_path / "cache") is None
    files = preparation.prepare(preparation.DEFAULT_MODEL, tmp_path / "cache", silent)
    assert files.identity != plain.identity
    assert least_cosine(encode(files), reference(expected(original, made, 2.0))) >= 0.9999
    assert least_cosine(encode(files), encode(plain)) < 0.999
    (data / "encoder.safetensors").unlink()
    assert preparation.prepare(preparation.DEFAULT_MODEL, tmp_path / "cache", silent) == plain


def least_cosine(one: Array, other: Array) -> float:
    return float(np.sum(one * other, axis=1).min())


@pytest.fixture(scope="module")
def readers(original: dict[str, Array], tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelFiles]:
    """By kind, the readers with a random adapter, in a cache of their own."""
    folder = tmp_path_factory.mktemp("reader")
    for path in shipped.DATA.glob("reader*"):
        shutil.copy(path, folder)
    (folder / "reader.safetensors").write_bytes(assembling.pack(changes(original, head=True), 2.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "DATA", folder)
        assert preparation.prepared_reader(folder / "cache") is None
        exact = preparation.prepare_reader(folder / "cache", silent, shipped.READER)
        files = preparation.prepare_reader(folder / "cache", silent)
        assert preparation.prepared_reader(folder / "cache") == files != exact
    return {shipped.READER: exact, shipped.READER_INT8: files}


@pytest.fixture(scope="module")
def reader(readers: dict[str, ModelFiles]) -> ModelFiles:
    """The one with the matrices as they are."""
    return readers[shipped.READER]


@pytest.fixture(scope="module", params=[shipped.READER, shipped.READER_INT8])
def each_reader(request: pytest.FixtureRequest, readers: dict[str, ModelFiles]) -> ModelFiles:
    return readers[request.param]


def test_the_reader_agrees_with_transformers(reader: ModelFiles, original: dict[str, Array], root: Path) -> None:
    """Logits of pairs and of tokens within 0.02, also of pairs that are cut and of texts with a separator in them."""
    sys.path.insert(0, str(root / "scripts"))
    try:
        import graphs
    finally:
        sys.path.remove(str(root / "scripts"))
    import torch
    from transformers import AutoTokenizer

    source = preparation.source(preparation.DEFAULT_MODEL)
    assert source is not None
    model = graphs.reader(source, expected(original, changes(original, head=True), 2.0))
    tokenizer = AutoTokenizer.from_pretrained(source)
    texts = [*TEXTS, "Heading [SEP] the text below it", "queues deliver each message once " * 60]
    theirs, their_spans = [], []
    for text in texts:
        pair = tokenizer(QUESTION, text, truncation="only_second", max_length=160, padding=False, return_tensors="pt")
        with torch.no_grad():
            found = model(**pair, output_hidden_states=True)
            theirs.append(float(found.logits[0, 0]))
            of_text = torch.tensor([kind == 1 for kind in pair.sequence_ids(0)])
            their_spans.append(model.span(found.hidden_states[-1][0, of_text]).numpy())
    ours = CrossEncoder(reader).read(QUESTION, texts)
    assert all(one.logit.dtype == one.spans.dtype == np.float32 for one in ours)
    assert np.ptp(theirs) > 0.1
    np.testing.assert_allclose([one.logit for one in ours], theirs, atol=0.02)
    for one, spans in zip(ours, their_spans, strict=True):
        assert one.spans.shape == spans.shape == one.places.shape
        np.testing.assert_allclose(one.spans, spans, atol=0.02)


def test_matrices_of_eight_bits_give_nearly_the_same(readers: dict[str, ModelFiles]) -> None:
    """A quarter of the bytes of attention and of half the feed-forward matrices, and logits that differ by a small part
    of what tells the texts apart."""
    exact, files = readers[shipped.READER], readers[shipped.READER_INT8]
    saved = (exact.folder / WEIGHTS).stat().st_size - (files.folder / WEIGHTS).stat().st_size
    quantised = 6 * 4 * 384 * 384 + 3 * 2 * 384 * 1536
    assert 2.9 * quantised < saved < 3 * quantised
    texts = [*TEXTS, "Heading [SEP] the text below it"]
    wanted, found = CrossEncoder(exact).read(QUESTION, texts), CrossEncoder(files).read(QUESTION, texts)
    logits = np.array([[one.logit, other.logit] for one, other in zip(wanted, found, strict=True)])
    spans = np.concatenate([np.stack([a.spans, b.spans], axis=-1) for a, b in zip(wanted, found, strict=True)])
    assert np.abs(np.diff(logits, axis=1)).mean() < 0.2 * logits[:, 0].std()
    assert np.corrcoef(spans[..., 0].ravel(), spans[..., 1].ravel())[0, 1] > 0.97
    assert not np.array_equal(logits[:, 0], logits[:, 1])


def test_a_pair_has_the_same_bits_in_any_company(each_reader: ModelFiles) -> None:
    """Two threads share a session; a question and a text are read up to their limits, and no further."""
    reader = each_reader
    encoder = CrossEncoder(reader)
    encoder.warm()
    texts = [f"{text} {number}" for number, text in enumerate(TEXTS * 3)]
    together = bits(encoder.read(QUESTION, texts))
    assert bits(encoder.read(QUESTION, texts)) == together
    assert [bits(CrossEncoder(reader).read(QUESTION, [text]))[0] for text in texts[:5]] == together[:5]
    assert encoder.read(QUESTION, []) == []
    long, asked = "word " * 400, "why " * 64
    whole = bits(encoder.read(asked, [long]))
    assert bits(encoder.read(asked + "not read", [long + "not read"])) == whole
    assert bits(encoder.read(asked, ["word " * 93])) == whole
    assert bits(encoder.read(asked, ["word " * 92])) != whole


def bits(found: list[ReadText]) -> list[tuple[bytes, bytes]]:
    return [(one.logit.tobytes(), one.spans.tobytes()) for one in found]


@pytest.mark.parametrize("text", ["", "[SEP]", "[CLS][SEP][PAD]", "\x00", "日本語", "x" * 200_000])
def test_any_pair_has_a_score(each_reader: ModelFiles, text: str) -> None:
    found = CrossEncoder(each_reader).read(text, [text, "plain"])
    assert len(found) == 2
    assert all(np.isfinite(one.logit) and np.isfinite(one.spans).all() for one in found)


def test_without_its_adapter_the_reader_is_refused(data: Path, tmp_path: Path) -> None:
    """The base alone has no head that scores."""
    assert shipped.adapter(shipped.READER) is None
    assert preparation.prepared_reader(tmp_path / "cache") is None
    with pytest.raises(ModelUnusable, match="reader cannot be put together") as refused:
        preparation.prepare_reader(tmp_path / "cache", silent)
    assert "pip install" in refused.value.hint


def test_a_process_prepares_the_default_model_without_the_packages_of_the_extra(tmp_path: Path, root: Path) -> None:
    """No child, no torch; what is made is for its owner alone."""
    code = """if True:
        import sys
        from pathlib import Path
        for name in ("torch", "sentence_transformers", "transformers", "onnx", "onnxscript", "huggingface_hub"):
            sys.modules[name] = None
        import subprocess
        subprocess.Popen = None
        from assistant.models import preparation
        from assistant.models.encoder import OnnxEncoder
        files = preparation.prepare(preparation.DEFAULT_MODEL, Path(sys.argv[1]), lambda text: print(text))
        print(OnnxEncoder(files).question("which one?").shape)
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.stdout.splitlines() == ["Preparing the model (done once, takes a few seconds)", "(384,)"], done.stderr
    made = list((tmp_path / "cache").rglob("*"))
    assert {GRAPH, WEIGHTS} <= {path.name for path in made}
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []
    assert not list((tmp_path / "cache" / "models").glob(".partial-*"))


def test_a_damaged_model_is_put_together_again(tmp_path: Path) -> None:
    first = preparation.prepare(preparation.DEFAULT_MODEL, tmp_path, silent)
    (first.folder / WEIGHTS).write_bytes(b"")
    (tmp_path / "models" / ".partial-left").mkdir()
    assert preparation.prepared(preparation.DEFAULT_MODEL, tmp_path) is None
    assert preparation.prepare(preparation.DEFAULT_MODEL, tmp_path, silent) == first
    assert OnnxEncoder(first).question("queue").shape == (384,)
    assert not list((tmp_path / "models").glob(".partial-*"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:999])


@pytest.mark.parametrize(
    ("name", "spoil", "reason"),
    [
        ("encoder.onnx", cut, "cannot be put together"),
        ("encoder.json", cut, "cannot be put together"),
        ("encoder.safetensors", cut, "cannot be put together"),
        ("encoder.json", Path.unlink, "cannot be read"),
    ],
)
def test_damaged_files_of_the_package_are_named_with_their_remedy(
    data: Path, tmp_path: Path, original: dict[str, Array], name: str, spoil: Callable[[Path], None], reason: str
) -> None:
    (data / "encoder.safetensors").write_bytes(assembling.pack(changes(original, head=False), 1.0))
    spoil(data / name)
    with pytest.raises(ModelUnusable, match=reason) as caught:
        preparation.prepare(preparation.DEFAULT_MODEL, tmp_path / "cache", silent)
    assert str(data) in str(caught.value)
    assert "pip install --force-reinstall --no-deps notes-assistant" in caught.value.hint


@pytest.mark.parametrize(
    ("adapter", "metadata"),
    [
        ({"pooler.dense.bias": np.zeros(384, np.float16)}, {"scale": "1", "base_sha256": "0" * 64}),
        ({"pooler.dense.bias": np.zeros(384, np.float16)}, {}),
        ({"pooler.dense.weight.lora_A": np.zeros((4, 384), np.float16)}, None),
        ({"no.such.weight.lora_A": np.zeros((4, 3)), "no.such.weight.lora_B": np.zeros((3, 4))}, None),
        ({"pooler.dense.weight.lora_A": np.zeros((4, 3)), "pooler.dense.weight.lora_B": np.zeros((384, 4))}, None),
        ({"pooler.dense.bias": np.zeros(3, np.float16)}, None),
    ],
    ids=["another base", "no base", "half a pair", "unknown parameter", "wrong pair", "wrong shape"],
)
def test_an_adapter_that_does_not_fit_is_refused(
    original: dict[str, Array], tmp_path: Path, adapter: dict[str, Array], metadata: dict[str, str] | None
) -> None:
    """Where it is merged, or at the latest where it is laid out."""
    parsed = tensor_file.parse(
        assembling.pack(adapter, 1.0)
        if metadata is None
        else tensor_file.serialise({name: one.astype(np.float16) for name, one in adapter.items()}, metadata)
    )
    slots = assembling.layout((shipped.DATA / "reader.json").read_text()).weights
    pooler = tuple(slot for slot in slots if slot.parameter.startswith("pooler"))
    whole = tensor_file.TensorFile({}, dict(original))
    with pytest.raises((ValueError, KeyError)):
        assembling.write(assembling.merged(whole, parsed), pooler, tmp_path / "weights")


def test_the_committed_graphs_are_what_the_script_makes(root: Path, tmp_path: Path) -> None:
    """Byte for byte, with the packages of constraints.txt; run `scripts/export_graphs` where they differ."""
    subprocess.run(
        [sys.executable, "-P", str(root / "scripts" / "export_graphs"), "--to", str(tmp_path)],
        check=True,
        capture_output=True,
    )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "encoder.json", "encoder.onnx", "reader-int8.json", "reader-int8.onnx", "reader.json", "reader.onnx",
    ]  # fmt: skip
    assert [name for name in names if (tmp_path / name).read_bytes() != (shipped.DATA / name).read_bytes()] == []


def test_both_graphs_are_fused_as_far_as_they_can_be(reader: ModelFiles, tmp_path: Path) -> None:
    """Every layer's normalisation and activation; a graph that came without shapes would have slower ones."""
    import onnx

    for files in (reader, preparation.prepare(preparation.DEFAULT_MODEL, tmp_path, silent)):
        nodes = [node.op_type for node in onnx.load(files.folder / GRAPH, load_external_data=False).graph.node]
        assert (nodes.count("SkipLayerNormalization"), nodes.count("BiasGelu")) == (12, 6)


def test_a_graph_has_no_path_of_the_machine_that_made_it() -> None:
    for path in shipped.DATA.glob("*.onnx"):
        content = path.read_bytes()
        assert len(content) < 100_000
        assert b"site-packages" not in content
        assert b".py" not in content


@given(
    st.dictionaries(
        st.text(), arrays.arrays(st.sampled_from([np.float16, np.float32, np.int64]), arrays.array_shapes(min_dims=0))
    )
)
def test_a_tensor_file_reads_back_as_it_was_written(tensors: dict[str, NDArray[np.generic]]) -> None:
    tensors.pop("__metadata__", None)
    data = tensor_file.serialise(tensors, {"scale": "2.0"})
    made = tensor_file.parse(data)
    assert made.metadata == {"scale": "2.0"}
    assert made.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert made.tensors[name].dtype == tensor.dtype
        assert made.tensors[name].shape == tensor.shape
        assert made.tensors[name].tobytes() == tensor.tobytes()


def test_the_safetensors_library_reads_what_is_written() -> None:
    from safetensors.numpy import load

    tensors: dict[str, NDArray[np.generic]] = {
        "b": np.arange(6, dtype=np.float16).reshape(2, 3),
        "a": np.array(1.5, dtype=np.float32),
    }
    made = load(tensor_file.serialise(tensors, {"scale": "1"}))
    assert {name: one.tolist() for name, one in made.items()} == {name: one.tolist() for name, one in tensors.items()}


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F16", "shape": [3], "data_offsets": [0, 4]}},
        {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1]}},
        {"a": None},
        [],
    ],
)
def test_what_is_no_tensor_file_is_refused(header: object) -> None:
    text = json.dumps(header).encode()
    for data in (len(text).to_bytes(8, "little") + text + b"\0" * 4, b"", b"\xff" * 9, text):
        with pytest.raises(ValueError, match="no safetensors file"):
            tensor_file.parse(data)
