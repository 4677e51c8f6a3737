"""Acoustic measurements: level, pitch, clipping, decay, dropouts, music, and listening quality."""

from inference.acoustics.recording import AcousticsCollector, RecordingAcoustics, SegmentAcoustics

__all__ = [
    "RecordingAcoustics",
    "AcousticsCollector",
    "SegmentAcoustics",
]
