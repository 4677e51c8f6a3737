"""A live meeting's config: whatever is wrong is named, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from meetra.v1 import live_pb2 as pb

from server.api.live_validation import DEFAULT_PERIOD_S, validate_config
from server.audio.encodings import Encoding, TrackFormat
from server.errors import BadRequest
from server.live import MAX_TRACKS
from server.live.config import LiveTrack, TrackKind

Change = Callable[[pb.LiveConfig], object]
LATEST_START_MS = 24 * 3600 * 1000


def good_track(track_id: str = "room") -> pb.TrackConfig:
    return pb.TrackConfig(
        track_id=track_id,
        kind=pb.TRACK_KIND_PARTICIPANT,
        participant_name="Zoë",
        encoding=pb.AUDIO_ENCODING_PCM_S16LE,
        sample_rate_hz=16_000,
        channels=1,
    )


def changed(change: Change) -> pb.LiveConfig:
    config = pb.LiveConfig(name="Weekly", date="2026-11-23", language="en-GB", n_speakers=3, insights_period_s=30)
    config.tracks.append(good_track())
    change(config)
    return config


def as_opus(encoding: pb.AudioEncoding.ValueType, rate_hz: int) -> Change:
    def change(config: pb.LiveConfig) -> None:
        config.tracks[0].encoding, config.tracks[0].sample_rate_hz = encoding, rate_hz

    return change


def set_to(field: str, value: object) -> Change:
    return lambda config: setattr(config, field, value)


def set_track(field: str, value: object) -> Change:
    return lambda config: setattr(config.tracks[0], field, value)


def with_tracks(*track_ids: str) -> Change:
    def change(config: pb.LiveConfig) -> None:
        del config.tracks[:]
        config.tracks.extend(good_track(id_) for id_ in track_ids)

    return change


def with_terms(*terms: str) -> Change:
    return lambda config: config.key_terms.extend(terms)


def separate(*names: str, channels: int = 2, **fields: object) -> Change:
    def change(config: pb.LiveConfig) -> None:
        track = config.tracks[0]
        track.channel_use, track.channels = pb.CHANNEL_USE_SEPARATE, channels
        track.channel_names.extend(names)
        for field, value in fields.items():
            setattr(track, field, value)

    return change


def many_channels(config: pb.LiveConfig) -> None:
    """Five tracks of eight separate channels."""
    with_tracks(*"abcde")(config)
    for track in config.tracks:
        track.channel_use, track.channels = pb.CHANNEL_USE_SEPARATE, 8


OPUS = {"encoding": pb.AUDIO_ENCODING_OPUS, "sample_rate_hz": 0}
OGG = {"encoding": pb.AUDIO_ENCODING_OGG_OPUS, "sample_rate_hz": 0}

WRONG: dict[str, tuple[Change, str, str]] = {
    "an unknown use of channels": (set_track("channel_use", 3), "config.tracks[0].channel_use", "SEPARATE"),
    "separate channels of a room": (
        separate(kind=pb.TRACK_KIND_MIXED, participant_name=""),
        "config.tracks[0].channel_use",
        "TRACK_KIND_PARTICIPANT",
    ),
    "names of mixed channels": (
        separate("Ada", channel_use=pb.CHANNEL_USE_MIXED),
        "config.tracks[0].channel_names",
        "omit them",
    ),
    "more names than channels": (
        separate("a", "b", "c"),
        "config.tracks[0].channel_names",
        "3 names for 2 channels; give at most one per channel",
    ),
    "nine separate channels": (separate(channels=9), "config.tracks[0].channels", "1 to 8"),
    "separate channels of Opus, and not how many": (
        separate(channels=0, **OPUS),
        "config.tracks[0].channels",
        "1 to 2",
    ),
    "three separate channels of a raw packet": (separate(channels=3, **OPUS), "config.tracks[0].channels", "1 to 2"),
    "nine separate channels of Ogg": (separate(channels=9, **OGG), "config.tracks[0].channels", "1 to 8"),
    "40 separate channels in all": (many_channels, "config.tracks", "40 tracks with separate channels; at most 32"),
    "a date that is none": (set_to("date", "2026-11-23x14"), "config.date", "ISO 8601"),
    "no date": (set_to("date", "yesterday"), "config.date", "ISO 8601"),
    "no language": (set_to("language", "English!"), "config.language", "BCP 47"),
    "minus one speaker": (set_to("n_speakers", -1), "config.n_speakers", "1 to 64"),
    "65 speakers": (set_to("n_speakers", 65), "config.n_speakers", "1 to 64"),
    "insights too often": (set_to("insights_period_s", 4), "config.insights_period_s", "5 to 600"),
    "insights too seldom": (set_to("insights_period_s", 601), "config.insights_period_s", "5 to 600"),
    "insights in the past": (set_to("insights_period_s", -10), "config.insights_period_s", "5 to 600"),
    "a pause of no length": (set_to("pause_s", -1), "config.pause_s", "1 to 600"),
    "a pause of an hour": (set_to("pause_s", 3600), "config.pause_s", "1 to 600"),
    "a turn that ends between words": (set_to("turn_pause_ms", 499), "config.turn_pause_ms", "500 to 5000"),
    "a turn that never ends": (set_to("turn_pause_ms", 5001), "config.turn_pause_ms", "500 to 5000"),
    "a key term too long": (with_terms("Ada", "n" * 101), "config.key_terms", "100 characters"),
    "a key term that turns the text": (with_terms("\u2067x"), "config.key_terms", "bidirectional"),
    "a key term with a tab": (with_terms("a\tb"), "config.key_terms", "control"),
    "101 key terms": (with_terms(*(f"t{i}" for i in range(101))), "config.key_terms", "101 terms; the limit is 100"),
    "no track": (with_tracks(), "config.tracks", f"1 to {MAX_TRACKS}"),
    "33 tracks": (with_tracks(*(f"t{i}" for i in range(33))), "config.tracks", f"1 to {MAX_TRACKS}"),
    "two tracks of one name": (with_tracks("a", "b", "a"), "config.tracks[2].track_id", "another track"),
    "a track without a name": (set_track("track_id", ""), "config.tracks[0].track_id", "1 to 64"),
    "a track's name too long": (set_track("track_id", "t" * 65), "config.tracks[0].track_id", "1 to 64"),
    "a track's name with a space": (set_track("track_id", "a b"), "config.tracks[0].track_id", "letters"),
    "a track's name with a line break": (set_track("track_id", "a\n"), "config.tracks[0].track_id", "letters"),
    "a track's name with a letter of Greek": (set_track("track_id", "α"), "config.tracks[0].track_id", "letters"),
    "no kind": (set_track("kind", 0), "config.tracks[0].kind", "TRACK_KIND_MIXED"),
    "an unknown kind": (set_track("kind", 9), "config.tracks[0].kind", "TRACK_KIND_PARTICIPANT"),
    "no encoding": (set_track("encoding", 0), "config.tracks[0].encoding", "AUDIO_ENCODING_MULAW"),
    "an unknown encoding": (set_track("encoding", 77), "config.tracks[0].encoding", "AUDIO_ENCODING_OPUS"),
    "no sample rate": (set_track("sample_rate_hz", 0), "config.tracks[0].sample_rate_hz", "8000 to 48000"),
    "a sample rate too low": (set_track("sample_rate_hz", 7999), "config.tracks[0].sample_rate_hz", "8000 to 48000"),
    "a sample rate too high": (set_track("sample_rate_hz", 96_000), "config.tracks[0].sample_rate_hz", "48000"),
    "Opus at 16 kHz": (as_opus(pb.AUDIO_ENCODING_OPUS, 16_000), "config.tracks[0].sample_rate_hz", "48000"),
    "Ogg at 44.1 kHz": (as_opus(pb.AUDIO_ENCODING_OGG_OPUS, 44_100), "config.tracks[0].sample_rate_hz", "48000"),
    "nine channels": (set_track("channels", 9), "config.tracks[0].channels", "1 to 8"),
    "minus one channel": (set_track("channels", -1), "config.tracks[0].channels", "1 to 8"),
    "a start before the meeting": (set_track("start_ms", -1), "config.tracks[0].start_ms", "0 to"),
    "a start on another day": (set_track("start_ms", LATEST_START_MS + 1), "config.tracks[0].start_ms", "0 to"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_with_the_fix(what: str) -> None:
    change, field, fix = WRONG[what]
    with pytest.raises(BadRequest) as raised:
        validate_config(changed(change))
    assert raised.value.parameter == field
    assert fix in raised.value.message


def test_the_second_track_is_named_as_the_second() -> None:
    config = changed(with_tracks("a", "b"))
    config.tracks[1].sample_rate_hz = 1
    with pytest.raises(BadRequest, match=r"config\.tracks\[1\]\.sample_rate_hz"):
        validate_config(config)


def test_a_good_config_is_taken_as_it_is() -> None:
    config = validate_config(changed(lambda _: None))
    assert (config.name, config.held_on, config.n_speakers) == ("Weekly", "2026-11-23", 3)
    assert (config.language, config.insights_period_s) == ("en-GB", 30)
    pcm = TrackFormat(Encoding.PCM_S16LE, 16_000, 1)
    assert config.tracks == (LiveTrack("room", TrackKind.PARTICIPANT, "Zoë", pcm, 0),)


@pytest.mark.parametrize(
    ("names", "known_as"),
    [
        ((), ("Zoë 1", "Zoë 2")),
        (("", "Ada"), ("Zoë 1", "Ada")),
        (("Ada", "Ben"), ("Ada", "Ben")),
    ],
)
def test_each_separate_channel_is_a_participant(names: tuple[str, ...], known_as: tuple[str, ...]) -> None:
    config = validate_config(changed(separate(*names)))
    pcm = TrackFormat(Encoding.PCM_S16LE, 16_000, 2)
    assert config.tracks == tuple(
        LiveTrack("room", TrackKind.PARTICIPANT, name, pcm, 0, channel)
        for channel, name in enumerate(known_as, start=1)
    )


def test_channels_that_nobody_names_have_no_names() -> None:
    config = validate_config(changed(separate(participant_name="")))
    assert config.participant_names() == {}


# What participants and calendars call themselves, and what can be read of it.
STRANGE = {
    "\u200b\u200d": "",
    "\u3164": "",
    "\u202e\u2066": "",
    "\0\x07": "",
    "a" + "\u0300" * 40: "",
    "\u202eZoë\u202c": "Zoë",
    "Zoë\nMüller\t(guest)": "Zoë Müller (guest)",
    " \ufeffZoë\x00 ": "Zoë",
    "n" * 2000: "n" * 200,
    "👩\u200d💻": "👩\u200d💻",
    "山田\u3000太郎": "山田\u3000太郎",
}


@pytest.mark.parametrize("called", STRANGE)
def test_no_participants_name_keeps_a_meeting_from_being_heard(called: str) -> None:
    config = validate_config(changed(set_track("participant_name", called)))
    assert config.participant_names() == ({1: STRANGE[called]} if STRANGE[called] else {})
    channels = validate_config(changed(separate("Ada", called, participant_name="")))
    assert channels.participant_names() == {1: "Ada", **({2: STRANGE[called]} if STRANGE[called] else {})}


def test_a_channel_whose_name_nobody_sees_is_called_after_its_track() -> None:
    config = validate_config(changed(separate("Ada", "\u200b")))
    assert config.participant_names() == {1: "Ada", 2: "Zoë 2"}


@pytest.mark.parametrize("called", STRANGE)
def test_no_name_of_a_live_meeting_keeps_it_from_being_heard(called: str) -> None:
    expected = "n" * 500 if called.startswith("nnn") else STRANGE[called] or "Live meeting"
    assert validate_config(changed(set_to("name", called))).name == expected


@pytest.mark.parametrize(("fields", "channels"), [(OPUS, 2), (OGG, 8), ({}, 1), ({}, 0)])
def test_separate_channels_may_be_of_any_encoding(fields: dict[str, object], channels: int) -> None:
    config = validate_config(changed(separate(channels=channels, **fields)))
    assert [track.channel for track in config.tracks] == list(range(1, max(1, channels) + 1))


def test_key_terms_are_taken_one_by_one_or_several_in_a_text() -> None:
    config = validate_config(changed(with_terms(" Kubernetes ", "Ada, Grace\nkubernetes", "")))
    assert config.key_terms == ("Kubernetes", "Ada", "Grace")
    assert config.recognition_terms() == ("Zoë", "Kubernetes", "Ada", "Grace")


def test_what_is_left_out_has_its_documented_default() -> None:
    track = pb.TrackConfig(track_id="t", kind=pb.TRACK_KIND_MIXED, encoding=pb.AUDIO_ENCODING_MULAW)
    track.sample_rate_hz = 8000
    config = validate_config(pb.LiveConfig(tracks=[track]))
    assert (config.name, config.n_speakers, config.language) == ("Live meeting", None, "")
    assert config.key_terms == ()
    assert config.insights_period_s == DEFAULT_PERIOD_S == 10
    assert (config.pause_s, config.turn_pause_ms) == (3, 500)
    assert config.held_on is not None
    assert config.tracks[0].format.channels == 1


@pytest.mark.parametrize("encoding", [pb.AUDIO_ENCODING_OPUS, pb.AUDIO_ENCODING_OGG_OPUS, pb.AUDIO_ENCODING_WEBM_OPUS])
@pytest.mark.parametrize("rate_hz", [0, 48_000])
def test_opus_is_48_khz_said_or_not(encoding: pb.AudioEncoding.ValueType, rate_hz: int) -> None:
    def change(config: pb.LiveConfig) -> None:
        as_opus(encoding, rate_hz)(config)
        config.tracks[0].channels = 77  # of Opus the stream says it

    assert validate_config(changed(change)).tracks[0].format.sample_rate_hz == 48_000


@pytest.mark.parametrize(
    "change",
    [
        set_to("name", "名" * 500),
        set_to("insights_period_s", 5),
        set_to("insights_period_s", 600),
        set_to("pause_s", 1),
        set_to("pause_s", 600),
        set_to("turn_pause_ms", 500),
        set_to("turn_pause_ms", 5000),
        set_to("n_speakers", 64),
        set_track("track_id", "A.b_c-9" + "x" * 57),
        set_track("participant_name", ""),
        set_track("sample_rate_hz", 8000),
        set_track("sample_rate_hz", 48_000),
        set_track("channels", 8),
        set_track("start_ms", LATEST_START_MS),
        with_tracks(*(f"t{i}" for i in range(32))),
        with_terms(*(f"{i:03d}" + "n" * 97 for i in range(100))),
    ],
)
def test_the_limits_themselves_are_accepted(change: Change) -> None:
    validate_config(changed(change))
