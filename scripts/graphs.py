"""The base model to ONNX graphs without weights: the encoder's, from ids to a row, and the reader's, from pairs to a
logit a pair and two a token; the reader's once more with matrices of 8 bits."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import external_data_helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from assistant.models import base, tensor_file
from assistant.models.assembling import RAW
from assistant.models.sessions import GRAPH
from assistant.models.shipped import ENCODER, READER, READER_INT8

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer
    from transformers import BertForSequenceClassification

READER_TOKENS = 160
"""Of question and passage together; the reader is trained on pairs of at most so many."""
_ALIGNMENT = 64  # bytes
_QUANTISED = re.compile(r"encoder\.layer\.(?:\d+\.attention|[3-5])\.")
"""Begins the names of matrices that are quantised: all but the feed-forward ones of the first three layers, from which
most of the error comes."""
_PARTS = {"_quantized": "int8", "_scale": "scale"}
"""How the names of a quantised parameter's parts end, and what `assembling` calls them."""
_OWN = ("classifier.", "span.")
_HEAD = ("pooler.", *_OWN)
"""Begin the names of the parameters that only the reader has."""


def write(folder: Path) -> None:
    """Writes NAME.onnx and NAME.json of each graph into the folder."""
    source = base.folder()
    if source is None:
        raise SystemExit(f"The base is not installed. {base.INSTALL}")
    original = tensor_file.parse((source / base.WEIGHTS).read_bytes()).tensors
    width = original["pooler.dense.bias"].size
    shapes = {name: tensor.shape for name, tensor in original.items() if not name.endswith("position_ids")}
    shapes |= {"classifier.weight": (1, width), "classifier.bias": (1,), "span.weight": (2, width), "span.bias": (2,)}
    # Not the real weights: the exporter leaves out what real ones happen to make needless, such as a bias of zeros.
    random = np.random.default_rng(0)
    weights = {name: random.standard_normal(shape).astype(np.float32) for name, shape in sorted(shapes.items())}
    with TemporaryDirectory() as scratch:
        model = _encoder(source)
        encoder = {name: torch.tensor(one) for name, one in weights.items() if not name.startswith(_OWN)}
        model[0].auto_model.load_state_dict(encoder)
        _export_encoder(model, Path(scratch, GRAPH))
        used = {name: one for name, one in weights.items() if not name.startswith(_HEAD)}
        facts = {"dimension": width, "max_tokens": int(model.max_seq_length or 0)}
        _save(folder, ENCODER, onnx.load(Path(scratch, GRAPH)), used, facts)
    with TemporaryDirectory() as scratch:
        _export_reader(reader(source, weights), Path(scratch, GRAPH))
        facts = {"dimension": 1, "max_tokens": READER_TOKENS}
        _save(folder, READER, onnx.load(Path(scratch, GRAPH)), weights, facts)
        quantised = _quantised(onnx.load(Path(scratch, GRAPH)), weights, Path(scratch))
        _save(folder, READER_INT8, quantised, weights, facts)


def reader(source: Path, weights: Mapping[str, NDArray[np.float32]]) -> BertForSequenceClassification:
    """The cross-encoder in transformers, with weights by the base's names for them and those of its heads; `span` is
    the one of the tokens."""
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig.from_pretrained(source, num_labels=1, attn_implementation="eager")
    model = BertForSequenceClassification(config)
    model.span = torch.nn.Linear(config.hidden_size, 2)
    state = {
        name if name.startswith(_OWN) else f"bert.{name}": torch.tensor(np.asarray(tensor, dtype=np.float32))
        for name, tensor in weights.items()
        if not name.endswith("position_ids")
    }
    model.load_state_dict(state)
    return model.eval()


def _encoder(source: Path) -> SentenceTransformer:
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    from sentence_transformers import SentenceTransformer

    settings = {"use_safetensors": True, "attn_implementation": "eager", "dtype": "float32"}
    return SentenceTransformer(str(source), device="cpu", local_files_only=True, model_kwargs=settings).eval()


def _export_encoder(model: SentenceTransformer, path: Path) -> None:
    """From token ids (1, n) to a row (1, d): transformer and pooling are one graph."""

    def forward(input_ids: torch.Tensor) -> torch.Tensor:
        # One text, unpadded: a mask has nothing to hide.
        row: torch.Tensor = model({"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids)})[
            "sentence_embedding"
        ]
        return row

    pipeline = torch.nn.Module()
    pipeline.add_module("model", model)
    pipeline.forward = forward
    sample = torch.tensor([[101, 2029, 5656, 3957, 5717, 2043, 102], [101, 2129, 2003, 1037, 7020, 2015, 102]])
    with torch.no_grad():
        torch.onnx.export(
            pipeline.eval(),
            (sample,),
            str(path),
            input_names=["input_ids"],
            output_names=["row"],
            dynamic_shapes=({0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO},),
            external_data=True,
            dynamo=True,
        )


def _export_reader(model: BertForSequenceClassification, path: Path) -> None:
    def forward(
        input_ids: torch.Tensor, token_type_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = model.bert(input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask)
        return model.classifier(hidden.pooler_output)[:, 0], model.span(hidden.last_hidden_state)

    pipeline = torch.nn.Module()
    pipeline.add_module("model", model)
    pipeline.forward = forward
    ids = torch.tensor([[101, 2029, 5656, 102, 2630, 2665, 102], [101, 2129, 2003, 102, 7020, 2015, 102]])
    types = torch.tensor([[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1]])
    names = ("input_ids", "token_type_ids", "attention_mask")
    pairs, tokens = torch.export.Dim("pairs", min=1, max=4096), torch.export.Dim("tokens", min=3, max=512)
    with torch.no_grad():
        torch.onnx.export(
            pipeline.eval(),
            (ids, types, torch.ones_like(ids)),
            str(path),
            input_names=list(names),
            output_names=["logits", "spans"],
            dynamic_shapes=tuple({0: pairs, 1: tokens} for _ in names),
            external_data=True,
            dynamo=True,
        )


def _save(
    folder: Path,
    kind: str,
    model: onnx.ModelProto,
    weights: Mapping[str, NDArray[np.float32]],
    facts: Mapping[str, int],
) -> None:
    """The graph with its weights taken out, and its map; `weights` are the parameters it has to have."""
    places = _name_weights(kind, model, weights)
    placed, end = [], 0
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.name.endswith((*_PARTS, "_zero_point")):
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))  # as bytes; the quantiser lists numbers
        if tensor.name not in places:
            continue
        start = -(-end // _ALIGNMENT) * _ALIGNMENT
        end = start + values.nbytes
        placed.append(places[tensor.name] | {"offset": start, "shape": list(values.shape)})
        external_data_helper.set_external_data(tensor, RAW, start, values.nbytes)
        tensor.ClearField("raw_data")
    missing = weights.keys() - {str(one["parameter"]) for one in placed}
    if missing:
        raise SystemExit(f"{kind}: the graph does without {', '.join(sorted(missing))}")
    _strip(model)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{kind}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    lines = ",\n".join(f"  {json.dumps(one)}" for one in placed)
    head = "".join(f' "{name}": {value},\n' for name, value in sorted(facts.items()))
    (folder / f"{kind}.json").write_text(f'{{\n{head} "weights": [\n{lines}\n ]\n}}\n', encoding="utf-8")
    print(f"{kind}: {len(placed)} weights, {(folder / f'{kind}.onnx').stat().st_size:,} bytes of graph")


def _name_weights(
    kind: str, model: onnx.ModelProto, weights: Mapping[str, NDArray[np.float32]]
) -> dict[str, dict[str, object]]:
    """Names each initializer that is a parameter, or a part of one, after it; by that name, what it is made from."""
    places: dict[str, dict[str, object]] = {}
    for tensor in model.graph.initializer:
        if tensor.name.endswith(tuple(_PARTS)):
            parameter, part = tensor.name.rsplit("_", 1)
            places[tensor.name] = {"parameter": parameter, "transposed": True, "part": _PARTS[f"_{part}"]}
            continue
        values = numpy_helper.to_array(tensor)
        found = _parameter(values, weights)
        if found is not None:
            _rename(model.graph, tensor.name, found[0])
            tensor.name = found[0]
            places[tensor.name] = {"parameter": found[0], "transposed": found[1]}
        elif values.dtype.kind == "f" and values.size > 1:
            raise SystemExit(f"{kind}: {tensor.name} {values.shape} is no parameter of the base")
    return places


def _quantised(model: onnx.ModelProto, weights: Mapping[str, NDArray[np.float32]], scratch: Path) -> onnx.ModelProto:
    """The graph with matrices of 8 bits: each row of outputs has a scale of its own, what they are multiplied with is
    quantised as it comes. All others stay as they are."""
    _name_weights(READER_INT8, model, weights)
    matrices = [n for n in model.graph.node if n.op_type == "MatMul" and _QUANTISED.match(n.input[1])]
    onnx.save(model, scratch / "plain.onnx")
    quantize_dynamic(
        scratch / "plain.onnx",
        scratch / "quantised.onnx",
        per_channel=True,
        weight_type=QuantType.QInt8,
        reduce_range=True,
        nodes_to_quantize=[n.name for n in matrices],
    )
    return onnx.load(scratch / "quantised.onnx")


def _parameter(values: NDArray[np.float32], weights: Mapping[str, NDArray[np.float32]]) -> tuple[str, bool] | None:
    """Name of the parameter with these values, and whether it is transposed; None for a constant of the graph."""
    if values.dtype != np.float32:
        return None
    for name, weight in weights.items():
        if weight.shape == values.shape and np.array_equal(weight, values):
            return name, False
        if weight.ndim == 2 and weight.T.shape == values.shape and np.array_equal(weight.T, values):
            return name, True
    return None


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for number, name in enumerate(node.input):
            if name == old:
                node.input[number] = new


def _strip(model: onnx.ModelProto) -> None:
    """Takes out what the exporter wrote for its own developers, paths of the machine among it. The shapes between nodes
    stay: without them fewer nodes are fused."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    model.ClearField("producer_version")
