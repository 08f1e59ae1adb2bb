import math
import re

import numpy as np
import pytest

from asst.moments import Answer, Curve, Moment
from asst.outputs.report.chart import PATH_HEIGHT, PATH_WIDTH, draw


def answer(times_s: list[float], scores: list[float], *moments: Moment, threshold: float | None = None) -> Answer:
    return Answer("v", "q", 10.0, "m", moments, Curve(np.array(times_s), np.array(scores)), threshold)


def points(path: str | None) -> list[tuple[float, float]]:
    assert path is not None
    return [(float(x), float(y)) for x, y in re.findall(r"([-\d.]+),([-\d.]+)", path)]


def test_the_path_follows_the_scores_across_the_whole_video() -> None:
    (left, low), (middle, high), (right, half) = points(draw(answer([0.0, 5.0, 10.0], [0.0, 1.0, 0.5])).path)
    assert (left, middle, right) == (0.0, 500.0, PATH_WIDTH)
    assert 0 <= high < half < low <= PATH_HEIGHT
    assert half == pytest.approx((low + high) / 2)


def test_the_threshold_stands_where_the_curve_has_that_score_and_inside_the_box() -> None:
    chart = draw(answer([0.0, 5.0, 10.0], [0.1, 0.2, 0.3], threshold=0.2))
    assert chart.threshold_y == pytest.approx(points(chart.path)[1][1])
    above = draw(answer([0.0, 10.0], [0.1, 0.2], threshold=0.9)).threshold_y
    assert above is not None
    assert 0 <= above < 20


def test_a_flat_curve_and_one_of_one_point_are_drawn() -> None:
    assert points(draw(answer([0.0, 10.0], [0.3, 0.3])).path) == [(0.0, 50.0), (1000.0, 50.0)]
    assert draw(answer([5.0], [0.3])).path == "M500.0,50.0h0"


def test_the_path_breaks_where_the_video_was_not_looked_at() -> None:
    chart = draw(answer([0.0, 2.0, 3.0, 8.0, 9.0], [0.0, 1.0, math.nan, 0.5, 0.5], threshold=0.2))
    assert chart.path is not None
    first, second = re.findall(r"M[^M]+", chart.path)
    assert [x for x, _ in points(first)] == [0.0, 200.0]
    assert [x for x, _ in points(second)] == [800.0, 900.0]
    assert chart.threshold_y is not None
    assert "highest at 0:02: 1.000" in chart.description


def test_a_long_curve_keeps_its_peak() -> None:
    times_s = np.linspace(0.0, 10.0, 36_001)
    scores = np.zeros(36_001)
    scores[18_000] = 1.0
    drawn = points(draw(Answer("v", "q", 10.0, "m", (), Curve(times_s, scores))).path)
    assert len(drawn) <= PATH_WIDTH
    peak = min(drawn, key=lambda point: point[1])
    assert peak[0] == pytest.approx(500.0, abs=1.0)
    assert peak[1] < 10


def test_bands_lie_along_the_video_and_never_leave_it() -> None:
    chart = draw(Answer("v", "q", 10.0, "m", (Moment(2.0, 4.5), Moment(9.0, 12.0))))
    assert [(band.x, band.width) for band in chart.bands] == [(20.0, 25.0), (90.0, 10.0)]
    assert chart.path is None


def test_the_description_says_what_the_drawing_shows() -> None:
    words = draw(answer([1.0, 6.5], [0.1, 0.75], Moment(6.0, 7.0), threshold=0.2)).description
    assert "0:06 to 0:07" in words
    assert "highest at 0:06.5: 0.750" in words
    assert "threshold is 0.200" in words
    assert "No moment found" in draw(answer([1.0], [0.1])).description
