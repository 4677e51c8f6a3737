"""The tracks of a meeting: speakers, encoding and positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from meetra.v1 import live_pb2

from meetra_client.live_enums import Kind

OPUS_RATE_HZ = 48_000


class Encoding(IntEnum):
    """The audio encoding."""

    PCM_S16LE = live_pb2.AUDIO_ENCODING_PCM_S16LE
    PCM_F32LE = live_pb2.AUDIO_ENCODING_PCM_F32LE
    MULAW = live_pb2.AUDIO_ENCODING_MULAW
    OPUS = live_pb2.AUDIO_ENCODING_OPUS
    """Raw packets; each ``send`` is one packet."""
    OGG_OPUS = live_pb2.AUDIO_ENCODING_OGG_OPUS
    """Ogg pages, split anywhere; positions are bytes."""
    WEBM_OPUS = live_pb2.AUDIO_ENCODING_WEBM_OPUS
    """WebM as MediaRecorder makes it, split anywhere; positions are bytes."""


CONTAINERS = (Encoding.OGG_OPUS, Encoding.WEBM_OPUS)
MIXED, PARTICIPANT = Kind.MIXED, Kind.PARTICIPANT
_SAMPLE_BYTES = {Encoding.PCM_S16LE: 2, Encoding.PCM_F32LE: 4, Encoding.MULAW: 1}


@dataclass(frozen=True, slots=True)
class Track:
    """One audio source."""

    track_id: str
    """1 to 64 letters, digits, ``.``, ``_`` or ``-``."""
    kind: Kind | None = None
    """Default: PARTICIPANT with a name or separate channels, else MIXED."""
    participant_name: str = ""
    """The person's name, used as the speaker's alias; of a MIXED track the room's, as in ``Room Berlin 1``."""
    encoding: Encoding = Encoding.PCM_S16LE
    sample_rate_hz: int = 16_000
    """8000..48000; ignored for Opus."""
    channels: int = 1
    """Interleaved, 1..8; ignored for Opus unless the channels are separate."""
    start_ms: int = 0
    """Start of the track, milliseconds from the start of the meeting."""
    separate: bool = False
    """Each channel is a participant, like the two sides of a telephone call. PARTICIPANT only."""
    channel_names: Sequence[str] = ()
    """Participant name per channel, from the first, if they are separate."""

    @property
    def unit_bytes(self) -> int:
        """Bytes per position, that is per sample of all channels. 0 for OPUS, whose packets vary."""
        if self.encoding is Encoding.OPUS:
            return 0
        if self.encoding in CONTAINERS:
            return 1
        return _SAMPLE_BYTES[self.encoding] * self.channels

    @property
    def rate_hz(self) -> int | None:
        """Positions per second; None for OGG_OPUS and WEBM_OPUS, whose positions are bytes."""
        if self.encoding in CONTAINERS:
            return None
        return OPUS_RATE_HZ if self.encoding is Encoding.OPUS else self.sample_rate_hz

    def config(self) -> live_pb2.TrackConfig:
        """Return the track as a protobuf message."""
        opus = self.encoding in (Encoding.OPUS, *CONTAINERS)
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


# RFC 6716, table 2: samples at 48 kHz per frame, by the configuration in the packet's first byte.
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
_FRAME_SAMPLES = _SILK * 3 + _HYBRID * 2 + _CELT * 4
MAX_PACKET_SAMPLES = 5760


def opus_packet_samples(packet: bytes) -> int:
    """Return the length of an Opus packet in samples at 48 kHz (RFC 6716, section 3.1).

    Raises ValueError if invalid.
    """
    if not packet:
        raise ValueError("an Opus packet has at least one byte")
    frames = (1, 2, 2)[packet[0] & 3] if packet[0] & 3 < 3 else packet[1] & 63 if len(packet) > 1 else 0
    samples = frames * _FRAME_SAMPLES[packet[0] >> 3]
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise ValueError("not an Opus packet: its duration is 0 or over 120 ms")
    return samples
