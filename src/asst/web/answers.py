"""The JSON that requests and answers are, with units in the names; the OpenAPI document is made of these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Content = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16,64}$")]
Seconds = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Strip(BaseModel):
    """A row of small pictures in one file."""

    url: str
    pictures: int


class VideoAnswer(BaseModel):
    """A video of the library; `playable` says whether browsers can be expected to."""

    id: str
    name: str
    duration_s: float
    width: int
    height: int
    playable: bool
    media: str
    strip: Strip


class OneVideoAnswer(VideoAnswer):
    """One of them; `start_s` is when its first picture is shown by the file's own clock, which players count by."""

    start_s: float


class VideosAnswer(BaseModel):
    """Some of the videos, by name."""

    total: int
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


class FoundMoment(MomentAnswer):
    """A span of one of the videos, with a picture from its middle."""

    video: VideoAnswer
    picture: str


class SearchBody(_Body):
    """A sentence asked of all videos; ``in`` is a pattern of file names."""

    query: Query
    top: Annotated[int, Field(ge=1, le=200)] = 10
    within: Annotated[str | None, Field(alias="in", max_length=500)] = None
    min_score: Score | None = None


class SearchAnswer(BaseModel):
    """What a search found, best first; `understood` says whether a word of the sentence is known."""

    query: str
    understood: bool
    model: str
    threshold: float | None
    found: bool
    best_score: float | None
    moments: list[FoundMoment]
    faults: list[str]


class LocateBody(_Body):
    """A sentence asked of one video."""

    query: Query
    top: Annotated[int, Field(ge=1, le=50)] = 5
    min_score: Score | None = None
    attention: bool = True


class CurveAnswer(BaseModel):
    """The score at each instant."""

    times_s: list[float]
    scores: list[float]


class AttentionAnswer(BaseModel):
    """The share of each word at each instant; a row of weights a word."""

    words: list[str]
    times_s: list[float]
    weights: list[list[float]]
    layers: list[str]


class LocateAnswer(BaseModel):
    """What one video says of a sentence; `understood` as of a search."""

    video: VideoAnswer
    query: str
    understood: bool
    duration_s: float
    model: str
    threshold: float | None
    best_score: float | None
    found: bool
    moments: list[MomentAnswer]
    curve: CurveAnswer | None
    attention: AttentionAnswer | None


JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


class JobAnswer(BaseModel):
    """A file that is being indexed."""

    id: str
    kind: Literal["index"] = "index"
    name: str
    state: JobState
    done_s: float
    total_s: float
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
    verdict: Literal["right", "wrong", "span"]
    start_s: Seconds
    end_s: Seconds
    proposed: ProposedBody | None = None


class CorrectionAnswer(BaseModel):
    """A correction that is kept."""

    id: str
    video: str
    name: str
    query: str
    verdict: Literal["right", "wrong", "span"]
    start_s: float
    end_s: float
    proposed: MomentAnswer | None
    made_at: str


class CorrectionsAnswer(BaseModel):
    """In the order they were made."""

    corrections: list[CorrectionAnswer]
