"""All audio tracks are heard: mixed into one, or each channel by itself; what cannot be decoded is named."""

from __future__ import annotations

import numpy as np
import pytest

from server.media.refusal import Refused
from tests.recordings import RATE_HZ, sample_pcm, solo, wav
from tests.server.media.media_files import Samples, Sound, heard, media, strength, tone
from tests.server.media.transcoded import mixed, transcoded

LOW, HIGH = tone(440, 5), tone(1000, 5)
SILENCE = np.zeros(5 * RATE_HZ, np.int16)
CLOSE = 0.1
SPEECH = sample_pcm()[: 20 * RATE_HZ]


def aac(*stretches: tuple[float, Samples]) -> Sound:
    return Sound(stretches, "aac", 44_100)


def of_codec_apac(data: bytes) -> bytes:
    """The first AAC track of an MP4 under a name that nobody decodes."""
    changed = bytearray(data)
    entry = changed.find(b"mp4a", changed.find(b"stsd"))
    changed[entry : entry + 4] = b"apac"
    setup = changed.find(b"esds", entry)
    changed[setup : setup + 4] = b"free"
    return bytes(changed)


@pytest.mark.parametrize("kind", ["matroska", "mp4", "mpegts", "nut"])
def test_all_tracks_are_heard_each_at_its_time(kind: str) -> None:
    pcm = mixed(media(kind, Sound([(0, LOW)], "aac", 48_000), Sound([(2, HIGH)], "aac", 48_000)))
    assert heard(pcm, 440) == [pytest.approx((0, 5), abs=CLOSE)]
    assert heard(pcm, 1000) == [pytest.approx((2, 7), abs=CLOSE)]


def test_a_silent_first_track_does_not_hide_the_second() -> None:
    both = mixed(media("matroska", Sound([(0, SILENCE)]), Sound([(0, LOW)])))
    assert np.array_equal(both, mixed(media("matroska", Sound([(0, LOW)]))))


def test_the_sum_of_loud_tracks_is_not_clipped() -> None:
    loud = media("mp4", aac((0, tone(440, 5, 0.9))), aac((0, tone(1000, 5, 0.8))))
    pcm = mixed(loud)
    middle = pcm[RATE_HZ : 4 * RATE_HZ]
    assert np.abs(middle).max() <= 32767
    assert strength(middle, 440) / strength(middle, 1000) == pytest.approx(9 / 8, rel=0.02)
    # The third harmonic is what clipping makes.
    assert strength(middle, 1320) < 0.002
    assert strength(middle, 440) + strength(middle, 1000) > 0.85


def test_a_track_that_is_there_twice_counts_once() -> None:
    once = mixed(media("mp4", aac((0, SPEECH))))
    assert np.array_equal(mixed(media("mp4", aac((0, SPEECH)), aac((0, SPEECH)))), once)
    upside_down = mixed(media("matroska", Sound([(0, SPEECH)], "flac", 16_000), Sound([(0, -SPEECH)], "flac", 16_000)))
    assert np.array_equal(upside_down[: len(SPEECH)], SPEECH)


def test_a_microphone_beside_the_mix_it_is_part_of_hides_nobody() -> None:
    # For the first 15 s nobody else speaks.
    other = np.concatenate([np.zeros(15 * RATE_HZ, np.int16), solo("rms")[: 5 * RATE_HZ]])
    both = np.clip(SPEECH.astype(int) + other, -32768, 32767).astype(np.int16)
    for tracks in ((SPEECH, both), (both, SPEECH)):
        pcm = mixed(media("matroska", *(Sound([(0, track)], "flac", 16_000) for track in tracks)))
        late = slice(16 * RATE_HZ, 19 * RATE_HZ)
        assert np.corrcoef(pcm[late], SPEECH[late].astype(int) + both[late])[0, 1] > 0.99


def test_a_track_that_cannot_be_decoded_is_named_and_the_others_are_heard() -> None:
    outcome, (pcm,) = transcoded(of_codec_apac(media("mp4", aac((0, LOW)), aac((0, HIGH)))))
    assert outcome.remarks == ["audio track 1 (codec apac) cannot be decoded and was left out"]
    assert not outcome.damaged
    assert heard(pcm, 1000) == [pytest.approx((0, 5), abs=CLOSE)]
    assert not heard(pcm, 440)


def test_more_tracks_than_a_meeting_may_have_are_named() -> None:
    sounds = [Sound([(0, tone(300 + 20 * n, 0.5))], "pcm_s16le", 16_000) for n in range(34)]
    outcome, (pcm,) = transcoded(media("matroska", *sounds))
    assert outcome.remarks == ["only the first 32 of 34 audio tracks were used"]
    assert len(pcm) / RATE_HZ == pytest.approx(0.5, abs=0.07)


def test_kept_apart_each_channel_of_each_track_is_a_file_from_the_same_start() -> None:
    call = np.stack([LOW, HIGH], 1)
    outcome, tracks = transcoded(wav(call), separate=True)
    assert [(t.index, t.display_name) for t in outcome.tracks] == [(0, "channel 1"), (1, "channel 2")]
    assert np.array_equal(np.stack(tracks, 1), call)
    outcome, tracks = transcoded(media("matroska", Sound([(0, call)]), Sound([(3, tone(600, 5))])), separate=True)
    assert [t.display_name for t in outcome.tracks] == ["track 1, channel 1", "track 1, channel 2", "track 2"]
    assert heard(tracks[2], 600) == [pytest.approx((3, 8), abs=CLOSE)]
    assert outcome.channel_count == 3


def test_channels_that_say_nothing_of_their_own_are_nobody() -> None:
    rms, slt = solo("rms")[: 12 * RATE_HZ], solo("slt")[: 12 * RATE_HZ]
    nothing = np.zeros_like(rms)
    channels = np.stack([nothing, rms, -rms, slt, rms // 2], 1)
    outcome, tracks = transcoded(wav(channels), separate=True)
    assert [track.index for track in outcome.tracks] == [1, 3]
    assert outcome.channel_count == 5
    assert np.array_equal(tracks[0], rms)
    assert np.array_equal(tracks[1], slt)
    outcome, _ = transcoded(wav(np.zeros((RATE_HZ, 2), np.int16)), separate=True)
    assert [track.index for track in outcome.tracks] == [0]


def test_two_sides_of_a_call_that_hear_each_other_faintly_stay_two() -> None:
    rms, slt = solo("rms")[: 8 * RATE_HZ].astype(int), solo("slt")[: 8 * RATE_HZ].astype(int)
    left = np.concatenate([rms, slt // 20])
    right = np.concatenate([rms // 20, slt])
    outcome, _ = transcoded(wav(np.stack([left, right], 1).astype(np.int16)), separate=True)
    assert len(outcome.tracks) == 2


def test_as_many_channels_as_a_live_meeting_has_tracks_are_kept_apart() -> None:
    tones = np.stack([tone(300 + 50 * n, 1) for n in range(33)], 1)
    outcome, tracks = transcoded(wav(tones[:, :32]), separate=True)
    assert len(outcome.tracks) == 32
    assert np.array_equal(np.stack(tracks, 1), tones[:, :32])
    with pytest.raises(Refused, match="33 channels; channels=separate supports at most 32") as refused:
        transcoded(wav(tones), separate=True)
    assert refused.value.code == "too_many_channels"
    assert len(mixed(wav(tones))) == RATE_HZ


def test_a_channel_that_comes_later_keeps_its_time() -> None:
    first, second = media("ogg", Sound([(0, LOW)])), media("ogg", Sound([(0, np.stack([HIGH, LOW], 1))]))
    outcome, (one, two) = transcoded(first + second, separate=True)
    assert heard(one, 1000) == [pytest.approx((5, 10), abs=CLOSE)]
    assert heard(two, 440) == [pytest.approx((5, 10), abs=CLOSE)]
    assert not two[: 4 * RATE_HZ].any()
    assert outcome.channel_count == 2
