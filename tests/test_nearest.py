"""Codes of eight bits propose, rows decide: what is found is what a search of all rows finds, to the last bit."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.storage.nearest import Coded, Flat, Matrix
from assistant.storage.sqlite import vector_file
from assistant.storage.state import VectorFile

NONE = np.zeros(0, dtype=np.int64)


def unit(matrix: Matrix) -> Matrix:
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), dtype=np.float32)


def drawn(seed: int, texts: int, dimension: int, spread: float) -> dict[int, Matrix]:
    """Texts of one to three rows in a few clusters: the less spread, the more they are alike; some are the same."""
    chance = np.random.default_rng(seed)
    middles = unit(chance.standard_normal((4, dimension), dtype=np.float32))
    found: dict[int, Matrix] = {}
    for number in range(texts):
        if number % 9 == 8:
            found[number] = found[number - 1]
            continue
        size = int(chance.integers(1, 4)) if number % 5 == 0 else 1
        noise = chance.standard_normal((size, dimension), dtype=np.float32) * np.float32(spread)
        found[number] = unit(middles[number % 4] + noise)
    return found


@given(
    st.integers(0, 2**32),
    st.integers(1, 1500),
    st.sampled_from([2, 8, 96]),
    st.sampled_from([0.001, 0.05, 1.0, 30.0]),
    st.integers(1, 200),
    st.sampled_from(["all", "some", "some dead"]),
)
@example(3, 1200, 8, 0.001, 20, "all")
@example(4, 1500, 96, 30.0, 168, "some dead")
def test_nothing_near_is_missed(seed: int, texts: int, dimension: int, spread: float, k: int, which: str) -> None:
    held = drawn(seed, texts, dimension, spread)
    some = np.array([number for number in held if number % 3 == 0], dtype=np.int64)
    only, dead = (some if which == "some" else None), (some if which == "some dead" else NONE)
    queries = np.concatenate([drawn(seed, 4, dimension, spread)[3], unit(np.ones((1, dimension), dtype=np.float32))])
    asked: list[int] = []

    def exact(ids: Collection[int]) -> dict[int, Matrix]:
        asked.extend(ids)
        return {number: held[number] for number in ids}

    coded, flat = Coded.of(dimension, lambda: held.items()), Flat.of(dimension, held.items())
    found, floors = coded.search(queries, k, only, dead, exact)
    whole, _ = flat.search(queries, flat.size, only, dead, exact)
    for best, floor, every in zip(found, floors.tolist(), whole, strict=True):
        assert best.items() <= every.items()
        assert {number for number, score in every.items() if score > floor} <= best.keys()
        rows = sum(len(held[number]) for number in best)
        assert rows >= min(k, sum(len(held[number]) for number in every))
    assert len(asked) == sum(map(len, found))


@pytest.mark.parametrize("texts", [vector_file.CODED_FROM - 1, vector_file.CODED_FROM])
def test_the_file_holds_codes_from_so_many_texts_and_comes_back_as_it_was(tmp_path: Path, texts: int) -> None:
    chance = np.random.default_rng(5)
    rows = unit(chance.standard_normal((texts, 16), dtype=np.float32))
    stamp = vector_file.write(tmp_path, 16, lambda: ((n, rows[n : n + 1]) for n in range(texts)), texts)
    assert bool(stamp.error) == (texts >= vector_file.CODED_FROM)
    assert [path.name for path in tmp_path.iterdir()] == [stamp.name]
    descriptor = vector_file.open_file(tmp_path, stamp)
    assert descriptor is not None
    back = vector_file.load(descriptor, stamp)
    assert (back.size, back.error) == (texts, stamp.error)
    (best,), _ = back.search(rows[:1], 1, None, NONE, lambda ids: {n: rows[n : n + 1] for n in ids})
    assert max(best, key=lambda n: best[n]) == 0
    (tmp_path / stamp.name).write_bytes((tmp_path / stamp.name).read_bytes()[:-1] + b"?")
    descriptor = vector_file.open_file(tmp_path, stamp)
    assert descriptor is not None
    with pytest.raises(vector_file.FileDamaged):
        vector_file.load(descriptor, stamp)
    assert vector_file.open_file(tmp_path, VectorFile("vectors-0.faiss", 1)) is None
