"""The JSON that requests and answers are, with units in the names; the OpenAPI document is made of these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from asst.library.corrections import Verdict
from asst.moments import Confidence

Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Content = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16,64}$")]
Seconds = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccessBody(_Body):
    """The token of a server that others can reach."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class Strip(BaseModel):
    """A row of small pictures in one file."""

    url: str
    pictures: int


class VideoAnswer(BaseModel):
    """A video of the library, by the hash of its content.

    `folder` is the name of the file's folder. It is empty for a video that came through the page, which is `uploaded`,
    and deleted when it is removed. `playable` says whether browsers can be expected to play the file, which is at
    `media`. The size is in pixels, as displayed.
    """

    id: str
    name: str
    folder: str
    uploaded: bool
    duration_s: float
    width: int
    height: int
    playable: bool
    media: str
    strip: Strip


class TimeCodeAnswer(BaseModel):
    """How timelines count a video's frames: the first one's number, how many a second, whether numbers are dropped."""

    first_frame: int
    rate: float
    drop_frame: bool


class OneVideoAnswer(VideoAnswer):
    """One of them: when its first picture is shown by the file's own clock, which players count by; frames a second."""

    start_s: float
    rate: float
    time_code: TimeCodeAnswer


class VideosAnswer(BaseModel):
    """Some of the videos; how many there are with that name, and how long they are together."""

    total: int
    hours: float
    videos: list[VideoAnswer]


class UploadLimits(BaseModel):
    """What can be uploaded."""

    bytes_most: int
    seconds_most: float
    endings: list[str]


class StatusAnswer(BaseModel):
    """What is served."""

    version: str
    model: str
    ready: bool
    videos: int
    hours: float
    upload: UploadLimits


class MomentAnswer(BaseModel):
    """A span of a video."""

    start_s: float
    end_s: float
    score: float


class SaidAnswer(BaseModel):
    """What a user said of a moment that the model had `proposed`; ``span`` gives its real ends."""

    id: str
    verdict: Verdict
    start_s: float
    end_s: float
    proposed: MomentAnswer | None


class RankedMoment(MomentAnswer):
    """A span with a picture from its middle, and what was said of it before; its score is then 1 or 0.

    `found` says whether it reaches the threshold; `confidence` is a word for its score, where that is a probability.
    """

    found: bool
    confidence: Confidence | None = None
    picture: str
    said: SaidAnswer | None


class FoundMoment(RankedMoment):
    """The same, of one of the videos."""

    video: VideoAnswer


class CurveAnswer(BaseModel):
    """The score at each instant."""

    times_s: list[float]
    scores: list[float]


class SearchBody(_Body):
    """A sentence asked of all videos; ``in`` is a pattern of file names, ``name`` a part of a file's or folder's.

    ``video`` asks one video alone, ``curves`` for the score over time of the videos that something is found in.
    """

    query: Query
    top: Annotated[int, Field(ge=1, le=200)] = 10
    within: Annotated[str | None, Field(alias="in", max_length=500)] = None
    name: Annotated[str, Field(max_length=200)] = ""
    video: Content | None = None
    curves: bool = False
    min_score: Score | None = None


class ScaleAnswer(BaseModel):
    """The scores from which a moment is sure, and likely; below that it is weak."""

    sure: float
    likely: float


class SentenceAnswer(BaseModel):
    """What there is to say of a sentence; `understood` says whether a word of it is known."""

    query: str
    understood: bool
    model: str
    threshold: float | None
    scale: ScaleAnswer | None
    found: bool
    best_score: float | None


class SearchAnswer(SentenceAnswer):
    """What a search found, best first."""

    moments: list[FoundMoment]
    curves: dict[str, CurveAnswer]
    faults: list[str]


class LocateBody(_Body):
    """A sentence asked of one video."""

    query: Query
    top: Annotated[int, Field(ge=1, le=50)] = 5
    min_score: Score | None = None
    attention: bool = True


class AttentionAnswer(BaseModel):
    """The share of each word at each instant; a row of weights a word.

    A word is `telling` if it has a meaning of its own, and is looked at clearly more at some instant than at most.
    """

    words: list[str]
    telling: list[bool]
    times_s: list[float]
    weights: list[list[float]]
    layers: list[str]


class LocateAnswer(SentenceAnswer):
    """What one video says of a sentence."""

    video: VideoAnswer
    duration_s: float
    moments: list[RankedMoment]
    curve: CurveAnswer | None
    attention: AttentionAnswer | None


JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


class JobAnswer(BaseModel):
    """A file that is being indexed; `left_s` says for how long still."""

    id: str
    kind: Literal["index"] = "index"
    name: str
    state: JobState
    done_s: float
    total_s: float
    left_s: float | None
    message: str
    video: str | None


class JobsAnswer(BaseModel):
    """All jobs since the server started, oldest first."""

    jobs: list[JobAnswer]


class UploadAnswer(BaseModel):
    """What an upload started."""

    job: JobAnswer


class ProposedBody(_Body):
    """What the model said."""

    start_s: Seconds
    end_s: Seconds
    score: Score


class CorrectionBody(_Body):
    """What a user says of an answer; ``span`` gives the moment's real ends."""

    video: Content
    query: Query
    verdict: Verdict
    start_s: Seconds
    end_s: Seconds
    proposed: ProposedBody | None = None


class CorrectionAnswer(SaidAnswer):
    """A correction that is kept."""

    video: str
    name: str
    query: str
    made_at: str


class CorrectionsAnswer(BaseModel):
    """In the order they were made."""

    corrections: list[CorrectionAnswer]


class ChosenMoment(_Body):
    """A moment to take away; ``query`` names it there."""

    video: Content
    start_s: Seconds
    end_s: Seconds
    query: Query
    score: Score = 0.0


class ExportBody(_Body):
    """Moments of any videos, in the order that they are to stand in."""

    format: Literal["edl", "fcpxml", "otio", "csv", "srt", "vtt", "mp4"]
    moments: Annotated[list[ChosenMoment], Field(min_length=1, max_length=1000)]
