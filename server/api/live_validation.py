"""Validation of a live meeting's config, field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from meetra.v1 import live_pb2 as pb

from server.api.live_rules import validate_rules
from server.api.validation import require_chosen_id
from server.audio import OPUS_RATE_HZ, Encoding, TrackFormat
from server.conversation import format_redaction_kinds
from server.errors import BadRequest
from server.live import MAX_TRACKS, LiveConfig, LiveTrack, TrackKind
from server.meetings import MAX_NAME, validate_details
from server.moments import utc_text
from server.visible_text import to_readable

MAX_CHANNELS = 8
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000
MAX_PARTICIPANT_NAME = 200
MAX_START_MS = 24 * 3600 * 1000
MIN_PERIOD_S, MAX_PERIOD_S, DEFAULT_PERIOD_S = 5, 600, 10
MIN_PAUSE_S, MAX_PAUSE_S, DEFAULT_PAUSE_S = 1, 600, 3
MIN_TURN_PAUSE_MS, MAX_TURN_PAUSE_MS, DEFAULT_TURN_PAUSE_MS = 500, 5000, 500
_OPUS = frozenset({Encoding.OPUS, Encoding.OGG_OPUS, Encoding.WEBM_OPUS})


def validate_config(config: pb.LiveConfig) -> LiveConfig:
    """Validate a new meeting's config. Raises BadRequest that names the field and the fix.

    Names come from calendars and participants: an unreadable one is cleaned or dropped instead of refusing the meeting.
    """
    name = to_readable(config.name, MAX_NAME) or "Live meeting"
    fields = {"name": name, "date": config.date, "language": config.language}
    fields["key_terms"] = "\n".join(config.key_terms)
    fields["consent"] = "\n".join(config.consent)
    fields["redact"] = config.redact
    if config.n_speakers:
        fields["n_speakers"] = str(config.n_speakers)
    try:
        details = validate_details(fields, None)
    except BadRequest as error:
        raise BadRequest(f"config.{error.parameter}", error.fix) from None
    if not 1 <= len(config.tracks) <= MAX_TRACKS:
        raise BadRequest("config.tracks", f"{len(config.tracks)} tracks; must be 1 to {MAX_TRACKS}")
    tracks = tuple(
        checked
        for index, track in enumerate(config.tracks)
        for checked in validate_track(f"config.tracks[{index}]", track)
    )
    if len(tracks) > MAX_TRACKS:
        raise BadRequest("config.tracks", f"{len(tracks)} tracks with separate channels; at most {MAX_TRACKS}")
    ids = [track.track_id for track in config.tracks]
    for index, id_ in enumerate(ids):
        if id_ in ids[:index]:
            raise BadRequest(f"config.tracks[{index}].track_id", f"{id_} is already used by another track")
    period = _in_range("insights_period_s", config.insights_period_s, MIN_PERIOD_S, MAX_PERIOD_S, DEFAULT_PERIOD_S)
    pause = _in_range("pause_s", config.pause_s, MIN_PAUSE_S, MAX_PAUSE_S, DEFAULT_PAUSE_S)
    turn_pause = _in_range(
        "turn_pause_ms", config.turn_pause_ms, MIN_TURN_PAUSE_MS, MAX_TURN_PAUSE_MS, DEFAULT_TURN_PAUSE_MS
    )
    held_on = details.held_on or utc_text(datetime.now(UTC))
    return LiveConfig(
        details.name,
        held_on,
        tracks,
        details.n_speakers,
        details.language,
        period,
        details.key_terms,
        details.consents,
        format_redaction_kinds(details.redact),
        pause_s=pause,
        turn_pause_ms=turn_pause,
        rules=validate_rules("config.rules", config.rules),
    )


def _in_range(field: str, value: int, least: int, most: int, default: int) -> int:
    """Return a number of the config, or its default for 0. Raises BadRequest where it is out of range."""
    chosen = value or default
    if not least <= chosen <= most:
        raise BadRequest(f"config.{field}", f"{chosen}; must be {least} to {most}, or 0 for the default")
    return chosen


def validate_track(field: str, track: pb.TrackConfig) -> tuple[LiveTrack, ...]:
    """Return the track, or one track per channel for SEPARATE channels. Raises BadRequest that names ``field``."""
    require_chosen_id(f"{field}.track_id", track.track_id)
    kinds = {pb.TRACK_KIND_MIXED: TrackKind.MIXED, pb.TRACK_KIND_PARTICIPANT: TrackKind.PARTICIPANT}
    if track.kind not in kinds:
        raise BadRequest(f"{field}.kind", "must be TRACK_KIND_MIXED or TRACK_KIND_PARTICIPANT")
    kind, name = kinds[track.kind], to_readable(track.participant_name, MAX_PARTICIPANT_NAME)
    if not 0 <= track.start_ms <= MAX_START_MS:
        raise BadRequest(f"{field}.start_ms", f"{track.start_ms}; must be 0 to {MAX_START_MS}")
    format_, names = _validate_format(field, track), _validate_channels(field, track, kind, name)
    unsplit = LiveTrack(track.track_id, kind, name, format_, track.start_ms * 1000)
    return tuple(replace(unsplit, participant_name=n, channel=c) for c, n in enumerate(names, start=1)) or (unsplit,)


def _validate_channels(field: str, track: pb.TrackConfig, kind: TrackKind, name: str) -> tuple[str, ...]:
    """Return the participant names of a SEPARATE track's channels, empty where unknown; () for other tracks."""
    if track.channel_use not in pb.ChannelUse.values():
        raise BadRequest(f"{field}.channel_use", "must be CHANNEL_USE_MIXED or CHANNEL_USE_SEPARATE")
    if track.channel_use != pb.CHANNEL_USE_SEPARATE:
        if track.channel_names:
            raise BadRequest(f"{field}.channel_names", "only a SEPARATE track may have them; omit them")
        return ()
    if kind is not TrackKind.PARTICIPANT:
        raise BadRequest(f"{field}.channel_use", "CHANNEL_USE_SEPARATE requires kind TRACK_KIND_PARTICIPANT")
    opus = track.encoding in {pb.AudioEncoding.Value(f"AUDIO_ENCODING_{encoding.name}") for encoding in _OPUS}
    channels = track.channels or (0 if opus else 1)
    # A raw Opus packet has one or two channels.
    max_channels = 2 if track.encoding == pb.AUDIO_ENCODING_OPUS else MAX_CHANNELS
    if not 1 <= channels <= max_channels:
        raise BadRequest(f"{field}.channels", f"{channels}; must be 1 to {max_channels} with CHANNEL_USE_SEPARATE")
    if len(track.channel_names) > channels:
        raise BadRequest(
            f"{field}.channel_names",
            f"{len(track.channel_names)} names for {channels} channels; give at most one per channel",
        )
    names = [to_readable(channel_name, MAX_PARTICIPANT_NAME) for channel_name in track.channel_names]
    names += [""] * (channels - len(names))
    return tuple(
        channel_name or (f"{name} {index}" if name else "") for index, channel_name in enumerate(names, start=1)
    )


def _validate_format(field: str, track: pb.TrackConfig) -> TrackFormat:
    encodings = {pb.AudioEncoding.Value(f"AUDIO_ENCODING_{e.name}"): e for e in Encoding}
    encoding = encodings.get(track.encoding)
    if encoding is None:
        raise BadRequest(
            f"{field}.encoding", "must be one of " + ", ".join(pb.AudioEncoding.Name(n) for n in sorted(encodings))
        )
    if encoding in _OPUS:
        if track.sample_rate_hz not in (0, OPUS_RATE_HZ):
            raise BadRequest(f"{field}.sample_rate_hz", f"{track.sample_rate_hz}; must be {OPUS_RATE_HZ} or 0 for Opus")
        return TrackFormat(encoding, OPUS_RATE_HZ, 1)
    if not MIN_RATE_HZ <= track.sample_rate_hz <= MAX_RATE_HZ:
        raise BadRequest(
            f"{field}.sample_rate_hz",
            f"{track.sample_rate_hz}; must be {MIN_RATE_HZ} to {MAX_RATE_HZ} samples per second",
        )
    channels = track.channels or 1
    if not 1 <= channels <= MAX_CHANNELS:
        raise BadRequest(f"{field}.channels", f"{channels}; must be 1 to {MAX_CHANNELS}")
    return TrackFormat(encoding, track.sample_rate_hz, channels)
