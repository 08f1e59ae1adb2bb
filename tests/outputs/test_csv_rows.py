from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from asst.moments import Answer, Moment
from asst.outputs.exports import COLUMNS, csv_text


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    text = st.text(st.characters(exclude_categories=["Cs"]))
    moments = []
    for _ in range(draw(st.integers(0, 3))):
        start_s = draw(st.floats(0, 1e6))
        score = draw(st.floats(allow_nan=False, allow_infinity=False))
        moments.append(Moment(start_s, start_s + draw(st.floats(1e-3, 1e6)), score, label=draw(st.none() | text)))
    return Answer(draw(text), draw(text), 1e9, "m", tuple(moments))


@settings(deadline=None)
@given(st.lists(answers(), max_size=4))
def test_reading_gives_back_every_moment(given: list[Answer]) -> None:
    heading, *rows = csv.reader(io.StringIO(csv_text(given), newline=""), strict=True)
    assert tuple(heading) == COLUMNS
    read = [row[:-1] for row in rows]
    assert [(video, query, int(rank), *map(float, numbers), label) for video, query, rank, *numbers, label in read] == [
        (answer.video, answer.query, rank, moment.start_s, moment.end_s, moment.score, moment.label or "")
        for answer in given
        for rank, moment in enumerate(answer.moments, start=1)
    ]


def test_a_moment_of_another_video_or_sentence_names_its_own() -> None:
    found = Moment(1.0, 2.5, 0.5, query="a cat", video="b.mp4", label="Jump, high", confidence="sure")
    assert csv_text([Answer("", "a dog", 9.0, "m", (found,))]).splitlines() == [
        "video,query,rank,start_s,end_s,score,label,confidence",
        'b.mp4,a cat,1,1.0,2.5,0.5,"Jump, high",sure',
    ]
