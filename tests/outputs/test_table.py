import io

import pytest

from asst.moments import Answer, Curve, Moment
from asst.outputs.table import write_detections_table, write_table


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def answer(*moments: Moment, query: str = "a dog runs", curve: Curve | None = None) -> Answer:
    return Answer("a.mp4", query, 10.0, "similarity", moments, curve=curve, threshold=0.25)


def written(*answers: Answer, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    write_table(answers, stream)
    return stream.getvalue()


def test_each_moment_has_its_rank_times_score_and_place() -> None:
    lines = written(answer(Moment(2.5, 5.0, 0.5), Moment(0.0, 10.0, 0.25))).splitlines()
    assert lines[0] == "a dog runs"
    assert lines[2].split() == ["1", "0:02.5", "0:05.0", "0.500", "." * 10 + "#" * 10 + "." * 20]
    assert lines[3].split() == ["2", "0:00.0", "0:10.0", "0.250", "#" * 40]


def test_the_bar_shows_a_moment_shorter_than_a_cell_and_one_past_the_end() -> None:
    bars = [line.split()[-1] for line in written(answer(Moment(9.999, 10.0), Moment(9.0, 12.0))).splitlines()[2:]]
    assert bars == ["." * 39 + "#", "." * 36 + "#" * 4]


def test_a_pipe_gets_no_colour_and_only_ascii() -> None:
    text = written(answer(Moment(1.0, 2.0)), answer())
    assert "\x1b" not in text
    assert text.isascii()


def test_a_terminal_gets_colour_and_blocks() -> None:
    text = written(answer(Moment(1.0, 2.0)), stream=Terminal())
    assert "\x1b[1;32m" + "\N{FULL BLOCK}" * 4 + "\x1b[0m" in text


def test_nothing_found_is_one_line_with_the_best_score_and_the_threshold() -> None:
    nothing = Answer("a.mp4", "a dog runs", 10.0, "similarity", (), threshold=0.25, best_score=0.2)
    assert written(nothing) == "a dog runs: nothing found (best score 0.200, threshold 0.250)\n"
    assert written(Answer("a.mp4", "x", 1.0, "m", ())) == "x: nothing found\n"


def test_the_best_guess_follows_where_nothing_was_found() -> None:
    guesses = (Moment(1.0, 2.0, 0.2), Moment(4.0, 5.0, 0.1))
    lines = written(Answer("a.mp4", "a dog runs", 10.0, "similarity", (), weaker=guesses)).splitlines()
    assert lines[0] == "a dog runs: nothing found"
    assert [line.split()[:4] for line in lines[2:]] == [["1", "0:01.0", "0:02.0", "0.200"]]


def test_weaker_moments_are_counted_and_shown_on_demand() -> None:
    found = Moment(1.0, 2.0, 0.8, confidence="sure"), Moment(3.0, 4.0, 0.3, confidence="weak")
    weaker = (Moment(5.0, 6.0, 0.1, confidence="weak"),)
    both = Answer("a.mp4", "a dog runs", 10.0, "similarity", found, weaker=weaker)
    lines = written(both).splitlines()
    assert lines[0] == "a dog runs: 2 found, 1 weaker (--all)"
    assert [line.split()[3:5] for line in lines[2:]] == [["sure", "0.800"], ["weak", "0.300"]]
    stream = io.StringIO()
    write_table([both], stream, every=True)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "a dog runs"
    assert lines[4].split()[:5] == ["3", "0:05.0", "0:06.0", "weak", "0.100"]


def test_the_word_and_the_number_of_a_score_agree() -> None:
    text = written(answer(Moment(1.0, 2.0, 0.74999, confidence="likely"), Moment(3.0, 4.0, 0.4999, confidence="weak")))
    assert [line.split()[3:5] for line in text.splitlines()[2:4]] == [["likely", "0.749"], ["weak", "0.499"]]


def test_moments_of_many_videos_stand_by_video_and_are_numbered_on() -> None:
    found = tuple(Moment(1.0, 2.0, score, video=video) for video, score in (("/b.mp4", 0.9), ("/a.mp4", 0.8)))
    stream = io.StringIO()
    each = tuple(Answer(video, "a dog", length_s, "m", ()) for video, length_s in (("/b.mp4", 10.0), ("/a.mp4", 20.0)))
    write_table([Answer("", "a dog", 30.0, "m", found, by_video=each)], stream)
    lines = stream.getvalue().splitlines()
    assert [lines[k].strip() for k in (0, 1, 4)] == ["a dog", "/b.mp4", "/a.mp4"]
    assert [lines[k].split()[0] for k in (3, 6)] == ["1", "2"]
    assert lines[2].endswith("0:10.0")
    assert lines[5].endswith("0:20.0")


def test_a_long_sentence_stays_on_one_line_of_a_pipe() -> None:
    sentence = "word " * 60 + "end"
    assert written(answer(Moment(1.0, 2.0), query=sentence)).splitlines()[0] == sentence


def test_a_sentence_is_printed_as_it_is_but_cannot_steer_the_terminal() -> None:
    text = written(answer(query="[red]a :cat: \x1b[2J"), answer(Moment(1.0, 2.0), query="[bold]\x07"))
    assert "[red]a :cat: \N{REPLACEMENT CHARACTER}[2J: nothing found" in text
    assert "[bold]\N{REPLACEMENT CHARACTER}\n" in text


def test_labels_have_a_column_where_there_are_any() -> None:
    lines = written(answer(Moment(1.0, 2.0, label="HighJump"), Moment(3.0, 4.0))).splitlines()
    assert lines[1].split()[-1] == "label"
    assert lines[2].split()[-1] == "HighJump"


@pytest.mark.parametrize("columns", ["1", "10", "20", "30"])
def test_a_narrow_terminal_cuts_no_figure(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    found = [
        Moment(1.5, 1234.5, 0.123, video="/a b/" + "x" * 50 + ".mp4", label="HighJump"),
        Moment(35000.5, 36000.5, -10.123, video="/y.mp4", label="B"),
    ]
    streams = [io.StringIO() for _ in range(3)]
    write_table([Answer("v", "a dog", 36001.0, "m", tuple(found))], streams[0])
    each = tuple(Answer(moment.video or "", "a dog", 36001.0, "m", ()) for moment in found)
    write_table([Answer("", "a dog", 36001.0, "m", tuple(found), by_video=each)], streams[1])
    write_detections_table(Answer("v", "", 36001.0, "m", tuple(found)), streams[2])
    for stream in streams:
        words = stream.getvalue().split()
        assert {"start", "end", "score", "0:01.5", "20:34.5", "9:43:20.5", "10:00:00.5", "0.123", "-10.123"} <= set(
            words
        )
        assert "\N{HORIZONTAL ELLIPSIS}" not in stream.getvalue()
    assert "x" * 50 + ".mp4" in streams[1].getvalue()
    assert "HighJump" in streams[2].getvalue()
