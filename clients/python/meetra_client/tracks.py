"""The tracks of a meeting: whose voice each carries, and how its samples are written and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from meetra.v1 import live_pb2

OPUS_RATE_HZ = 48_000


class Kind(IntEnum):
    """Whose voice a track carries."""

    MIXED = live_pb2.TRACK_KIND_MIXED
    """Several people: the server tells speakers apart by their voices."""
    PARTICIPANT = live_pb2.TRACK_KIND_PARTICIPANT
    """One known person."""


class Encoding(IntEnum):
    """How samples are written."""

    PCM_S16LE = live_pb2.AUDIO_ENCODING_PCM_S16LE
    PCM_F32LE = live_pb2.AUDIO_ENCODING_PCM_F32LE
    MULAW = live_pb2.AUDIO_ENCODING_MULAW
    OPUS = live_pb2.AUDIO_ENCODING_OPUS
    """Raw packets; each ``send`` is one packet."""
    OGG_OPUS = live_pb2.AUDIO_ENCODING_OGG_OPUS
    """Ogg pages, cut anywhere; positions count bytes."""


MIXED, PARTICIPANT = Kind.MIXED, Kind.PARTICIPANT
_SAMPLE_BYTES = {Encoding.PCM_S16LE: 2, Encoding.PCM_F32LE: 4, Encoding.MULAW: 1}


@dataclass(frozen=True, slots=True)
class Track:
    """One source of audio."""

    track_id: str
    """1 to 64 letters, digits, ``.``, ``_`` or ``-``."""
    kind: Kind | None = None
    """None: PARTICIPANT where a name is given or the channels are separate, else MIXED."""
    participant_name: str = ""
    """The person's name; becomes the speaker's alias. PARTICIPANT only."""
    encoding: Encoding = Encoding.PCM_S16LE
    sample_rate_hz: int = 16_000
    """8000..48000; of no meaning for Opus."""
    channels: int = 1
    """Interleaved, 1..8; of no meaning for Opus, unless they are separate."""
    start_ms: int = 0
    """Where the track begins, milliseconds from the start of the meeting."""
    separate: bool = False
    """Each channel is a participant of its own: the two sides of a telephone call. PARTICIPANT only."""
    channel_names: Sequence[str] = ()
    """Who is on each channel, from the first, where they are separate."""

    @property
    def unit_bytes(self) -> int:
        """Bytes of one position: of one sample of all channels. 0: positions are told by the packets (OPUS)."""
        if self.encoding is Encoding.OPUS:
            return 0
        if self.encoding is Encoding.OGG_OPUS:
            return 1
        return _SAMPLE_BYTES[self.encoding] * self.channels

    @property
    def rate_hz(self) -> int | None:
        """Positions a second; None where they are not moments (OGG_OPUS)."""
        if self.encoding is Encoding.OGG_OPUS:
            return None
        return OPUS_RATE_HZ if self.encoding is Encoding.OPUS else self.sample_rate_hz

    def config(self) -> live_pb2.TrackConfig:
        """The track as the server is told of it."""
        opus = self.encoding in (Encoding.OPUS, Encoding.OGG_OPUS)
        kind = self.kind or (Kind.PARTICIPANT if self.participant_name or self.separate else Kind.MIXED)
        return live_pb2.TrackConfig(
            track_id=self.track_id,
            kind=live_pb2.TrackKind.ValueType(kind),
            participant_name=self.participant_name,
            encoding=live_pb2.AudioEncoding.ValueType(self.encoding),
            sample_rate_hz=OPUS_RATE_HZ if opus else self.sample_rate_hz,
            channels=0 if opus and not self.separate else self.channels,
            start_ms=self.start_ms,
            channel_use=live_pb2.CHANNEL_USE_SEPARATE if self.separate else live_pb2.CHANNEL_USE_UNSPECIFIED,
            channel_names=self.channel_names,
        )


# RFC 6716, table 2: samples at 48 kHz of one frame by the configuration in a packet's first byte.
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
_FRAME_SAMPLES = _SILK * 3 + _HYBRID * 2 + _CELT * 4
MAX_PACKET_SAMPLES = 5760


def opus_packet_samples(packet: bytes) -> int:
    """Samples at 48 kHz of an Opus packet (RFC 6716, section 3.1). Raises ValueError when it is none."""
    if not packet:
        raise ValueError("an Opus packet has at least one byte")
    frames = (1, 2, 2)[packet[0] & 3] if packet[0] & 3 < 3 else packet[1] & 63 if len(packet) > 1 else 0
    samples = frames * _FRAME_SAMPLES[packet[0] >> 3]
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise ValueError("not an Opus packet: it says that it holds no audio, or more than 120 ms")
    return samples
