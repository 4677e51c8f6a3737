"""Decoding of media files: track selection, mixing, and resampling to 16 kHz PCM."""

from server.media.ogg import checksum
from server.media.opened_file import OpenedFile
from server.media.opening import open_media, stated_duration_s
from server.media.refusal import SAMPLE_RATE, Refused
from server.media.resampling import LAYOUTS, RATE_HZ, MonoResampler, to_s16
from server.media.similarity import AUDIBLE_RMS, SAME_CORRELATION, Samples, correlation, rms
from server.media.transcode import MAX_DECODED_BYTES, OUTPUT_FILES, transcode

__all__ = [
    "AUDIBLE_RMS",
    "LAYOUTS",
    "MAX_DECODED_BYTES",
    "MonoResampler",
    "OUTPUT_FILES",
    "OpenedFile",
    "RATE_HZ",
    "Refused",
    "SAME_CORRELATION",
    "SAMPLE_RATE",
    "Samples",
    "checksum",
    "correlation",
    "open_media",
    "rms",
    "stated_duration_s",
    "to_s16",
    "transcode",
]
