"""Redaction: finds e-mail addresses, numbers and names in recognised words, and replaces them in text and audio."""

from server.redaction.detection import RedactionRules, Span, find_spans
from server.redaction.names import NameFinder
from server.redaction.open_tail import find_open_tail
from server.redaction.silence import silence_chunk, silence_ranges
from server.redaction.text import redact_sentence, redact_text
from server.redaction.transcript import RedactedSegments, RedactedSpan, padded_ranges_ms, redact_segments

__all__ = [
    "NameFinder",
    "RedactedSegments",
    "RedactedSpan",
    "RedactionRules",
    "Span",
    "find_open_tail",
    "find_spans",
    "padded_ranges_ms",
    "redact_segments",
    "redact_sentence",
    "redact_text",
    "silence_chunk",
    "silence_ranges",
]
