import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.errors import InputError
from asst.moments import Answer, Moment
from asst.outputs.json_lines import answer_record, as_lines, read_answers

GOOD = '{"video": "v", "query": "q", "duration_s": 9, "model": "m", "moments": []}'


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    video, query = draw(st.text()), draw(st.text())
    finite = st.floats(allow_nan=False, allow_infinity=False)
    moments = []
    for _ in range(draw(st.integers(0, 3))):
        start_s = draw(st.floats(0, 1e6))
        end_s = start_s + draw(st.floats(1e-3, 1e6))
        label = draw(st.none() | st.text())
        moments.append(Moment(start_s, end_s, draw(finite), query=query, video=video, label=label))
    return Answer(video, query, draw(st.floats(1e-3, 1e9)), draw(st.text()), tuple(moments))


@settings(deadline=None)
@given(st.lists(answers(), max_size=4))
def test_reading_gives_back_what_was_written(tmp_path_factory: pytest.TempPathFactory, given: list[Answer]) -> None:
    text = as_lines(map(answer_record, given))
    assert text.isascii()
    assert text.count("\n") == len(given)
    path = tmp_path_factory.mktemp("answers") / "answers.jsonl"
    path.write_text(text, encoding="ascii")
    assert read_answers(path) == given


def test_the_keys_are_the_documented_ones_and_numpy_numbers_are_written() -> None:
    moments = (Moment(*np.array([0.5, 2.0, 0.25], dtype=np.float32)), Moment(1.0, 2.0, 0.0, label="Jump"))
    assert json.loads(as_lines([answer_record(Answer("v.mp4", "q", 9.0, "similarity", moments))])) == {
        "video": "v.mp4",
        "query": "q",
        "duration_s": 9.0,
        "model": "similarity",
        "found": True,
        "moments": [
            {"start_s": 0.5, "end_s": 2.0, "score": 0.25},
            {"start_s": 1.0, "end_s": 2.0, "score": 0.0, "label": "Jump"},
        ],
    }


def test_what_was_not_convincing_is_written_and_read_as_weaker(tmp_path: Path) -> None:
    answer = Answer("v.mp4", "q", 9.0, "m", (), weaker=(Moment(1.0, 2.0, 0.1, query="q", video="v.mp4"),))
    (tmp_path / "a.jsonl").write_text(as_lines([answer_record(answer)]))
    (record,) = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert (record["found"], len(record["moments"])) == (False, 1)
    assert read_answers(tmp_path / "a.jsonl") == [answer]
    (tmp_path / "b.jsonl").write_text(f'{GOOD[:-1]}, "found": 1}}\n')
    with pytest.raises(InputError, match='"found" must be true or false'):
        read_answers(tmp_path / "b.jsonl")


def test_blank_lines_and_unknown_keys_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'\n{GOOD[:-1]}, "later": [1]}}\r\n\n', encoding="utf-8")
    assert read_answers(path) == [Answer("v", "q", 9.0, "m", ())]


def with_moment(text: str) -> str:
    return GOOD.replace("[]", f"[{text}]")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "[" * 100_000,
        GOOD.replace('"v"', "1"),
        GOOD.replace('"query": "q", ', ""),
        GOOD.replace("9", "0"),
        GOOD.replace("9", "true"),
        GOOD.replace("9", "NaN"),
        GOOD.replace("9", "1e999"),
        GOOD.replace("9", "9" * 400),
        GOOD.replace("[]", "{}"),
        with_moment("3"),
        with_moment('{"start_s": 1, "end_s": 2}'),
        with_moment('{"start_s": 2, "end_s": 1, "score": 0}'),
        with_moment('{"start_s": -1, "end_s": 1, "score": 0}'),
        with_moment('{"start_s": 0, "end_s": 1, "score": 0, "label": 7}'),
    ],
)
def test_a_malformed_line_is_named_by_file_and_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{GOOD}\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_answers(path)
    assert str(caught.value).startswith(f"{path}, line 2: not an answer (")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_and_a_missing_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"video": "\xff"}')
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_answers(path)
    with pytest.raises(InputError, match=r"cannot read .*none\.jsonl: .*; name a file of answers"):
        read_answers(tmp_path / "none.jsonl")
