"""Video files: what is in them, their frames on the video's own clock, and clips cut from them.

Every time is in seconds from the video's first frame, taken from the presentation time stamps (PTS) and never from a
frame's number, so that variable rates and clocks that do not start at zero are right.
"""

from asst.video.cut import CutReport, cut, reel
from asst.video.frames import Frames, ThumbnailSink, batched, frames
from asst.video.picture import STILL, Crop, is_jpeg, jpeg, thumbnail
from asst.video.probe import VideoInfo, probe

__all__ = [
    "STILL",
    "Crop",
    "CutReport",
    "Frames",
    "ThumbnailSink",
    "VideoInfo",
    "batched",
    "cut",
    "frames",
    "is_jpeg",
    "jpeg",
    "probe",
    "reel",
    "thumbnail",
]
