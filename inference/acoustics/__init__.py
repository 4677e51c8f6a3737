"""How audio sounds: level, pitch, clipping, decay, dropouts, music, and quality as listeners would judge it."""

from inference.acoustics.recording import AcousticsCollector, RecordingAcoustics, SegmentAcoustics

__all__ = [
    "RecordingAcoustics",
    "AcousticsCollector",
    "SegmentAcoustics",
]
