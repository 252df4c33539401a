"""Recognition in cameras, streams and films as they play."""

from facelib.live.frames import LiveFrame
from facelib.live.records import FINAL_STATES, Change, ChangeKind, LiveFace, State
from facelib.live.session import LiveSession
from facelib.live.view import LiveView

__all__ = ["FINAL_STATES", "Change", "ChangeKind", "LiveFace", "LiveFrame", "LiveSession", "LiveView", "State"]
