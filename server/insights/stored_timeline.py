"""The stored timeline, from which answers for other periods are computed on request."""

from __future__ import annotations

from server.insights.family import Family
from server.insights.timeline import TimelineDocument

TIMELINE = Family[TimelineDocument]("timeline", "2", lambda meeting: meeting.timeline.to_document())
