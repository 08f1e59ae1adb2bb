"""Tokens of queries: found by id or line, read when they are asked for, and then kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asst.data.query_tokens import QueryTokens
from asst.data.record import Record
from asst.errors import InputError


def record(id: str) -> Record:
    return Record(id, "v", "train", "a door", 9.0, ((1.0, 2.0),), ((1.0, 2.0),))


def save(path: Path, rows: int, value: float = 1.0) -> None:
    path.parent.mkdir(exist_ok=True)
    np.savez(path, last_hidden_state=np.full((rows, 4), value, np.float16), pooler_output=np.full(4, value + 1))


def test_tokens_are_read_when_they_are_asked_for_and_then_kept(tmp_path: Path) -> None:
    for name in ("qid7", "8"):
        save(tmp_path / f"{name}.npz", 5)
    found = QueryTokens(tmp_path, most=3).of([record("7"), record("8")])
    (tmp_path / "8.npz").write_bytes(b"damaged")
    assert found[0].shape == (3, 4)
    assert found[0].dtype == np.float32
    with pytest.raises(InputError, match=r"cannot read .*8\.npz"):
        found[1]
    save(tmp_path / "8.npz", 2)
    assert found[1].shape == (2, 4)
    (tmp_path / "8.npz").unlink()
    assert found[1].shape == (2, 4)


def test_a_pooled_vector_is_a_sentence_of_one_token_and_has_length_one_if_asked_for(tmp_path: Path) -> None:
    save(tmp_path / "qid7.npz", 5)
    tokens = QueryTokens(tmp_path, "pooler_output", normalize=True)
    with pytest.raises(RuntimeError, match="no query"):
        _ = tokens.dimension
    np.testing.assert_allclose(tokens.of([record("7")])[0], [[0.5] * 4], rtol=1e-4)
    assert tokens.dimension == 4


def test_lines_are_counted_from_what_the_files_are(tmp_path: Path) -> None:
    for at in (1, 2):
        save(tmp_path / "train" / f"qid{at}.npz", 1, at)
    records = [record("train-1"), record("train-2")]
    path = tmp_path / "{file}"
    assert [QueryTokens(path, by="order", first=1).of(records)[at][0, 0] for at in (0, 1)] == [1, 2]
    with pytest.raises(InputError, match=r"1 query has no tokens: qid0 \(.*train has qid1, qid2\)"):
        QueryTokens(path, by="order").of(records)
    with pytest.raises(InputError, match=r"no tokens of queries at .*val; name their folder"):
        QueryTokens(path, by="order").of([record("val-1")])
    with pytest.raises(InputError, match=r"the query 7 does not say its file; name the folder without \{file\}"):
        QueryTokens(path).of([record("7")])


def test_a_number_that_is_not_finite_is_told_with_its_query(tmp_path: Path) -> None:
    save(tmp_path / "qid7.npz", 2, np.nan)
    with pytest.raises(InputError, match="qid7: holds a number that is not finite"):
        QueryTokens(tmp_path).of([record("7")])
