"""The timeline, stored whole: periods of a length that nobody asked for before are computed from it."""

from __future__ import annotations

from server.insights.family import Family
from server.insights.timeline import TimelineDocument

TIMELINE = Family[TimelineDocument]("timeline", "2", lambda meeting: meeting.timeline.to_document())
