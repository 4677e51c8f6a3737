"""Configs of live meetings that the tests make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from server.audio.encodings import Encoding, TrackFormat
from server.live.config import LiveConfig, LiveTrack, TrackKind

PCM = TrackFormat(Encoding.PCM_S16LE, 16_000, 1)
MIXED, PARTICIPANT = TrackKind.MIXED, TrackKind.PARTICIPANT

formats = st.builds(TrackFormat, st.sampled_from(Encoding), st.integers(8000, 48_000), st.integers(1, 8))
tracks = st.builds(
    lambda kind, name, format, start_us: LiveTrack("", kind, name if kind is PARTICIPANT else "", format, start_us),
    st.sampled_from(TrackKind),
    st.text(max_size=20),
    formats,
    st.integers(0, 10**10),
)
configs = st.builds(
    lambda heard, **known: of_tracks(heard, **known),
    st.lists(tracks, min_size=1, max_size=8),
    held_on=st.none() | st.just("2026-11-23"),
    n_speakers=st.none() | st.integers(1, 64),
    name=st.text(max_size=30),
    key_terms=st.lists(st.text(min_size=1, max_size=10), max_size=5).map(tuple),
)


def of_tracks(
    heard: Sequence[LiveTrack],
    *,
    held_on: str | None = None,
    n_speakers: int | None = None,
    name: str = "Live meeting",
    key_terms: tuple[str, ...] = (),
) -> LiveConfig:
    """A config of these tracks, which are named t0, t1, ..."""
    named = tuple(LiveTrack(f"t{i}", t.kind, t.participant_name, t.format, t.start_us) for i, t in enumerate(heard))
    return LiveConfig(name, held_on, named, n_speakers, "en", 10, key_terms)


def of_channels(channels: int, *, format: Encoding = Encoding.PCM_S16LE, **known: Any) -> LiveConfig:
    """A config of one track, ``call``, whose channels are participants of their own, called P1, P2, ..."""
    written = TrackFormat(format, 16_000, channels)
    config = of_tracks([], **known)
    heard = tuple(LiveTrack("call", PARTICIPANT, f"P{c}", written, 0, c) for c in range(1, channels + 1))
    return replace(config, tracks=heard)


def of_kinds(*kinds: TrackKind, format: TrackFormat = PCM, start_us: int = 0) -> LiveConfig:
    """A config of tracks of these kinds; participants are called P0, P1, ... by their track's place."""
    return of_tracks(
        [
            LiveTrack("", kind, f"P{place}" if kind is PARTICIPANT else "", format, start_us)
            for place, kind in enumerate(kinds)
        ]
    )
