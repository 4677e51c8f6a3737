"""Whose voice a track carries, judged from real speech: the sample meeting, and real meetings where there are any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from server.analysis.copied_voice import FRAME, MARGIN, MAX_DELAY, judge_frames
from server.conversation import Heard
from tests.recordings import EVAL, RATE_HZ, sample_pcm, solo
from tests.server.audio.opus_audio import raw_packets

Pcm = NDArray[np.int16]
SECONDS = 12


def voice(name: str, seconds: int = SECONDS) -> Pcm:
    said = solo(name)[: seconds * RATE_HZ]
    return np.pad(said, (0, seconds * RATE_HZ - len(said)))


def softer(pcm: NDArray[Any], decibels: float, delay_ms: float = 0) -> NDArray[np.float64]:
    delay = int(delay_ms * RATE_HZ / 1000)
    return np.concatenate([np.zeros(delay), pcm[: len(pcm) - delay]]) * 10 ** (-decibels / 20)


def mixed(*parts: NDArray[Any], noise_rms: float = 3.0) -> Pcm:
    noise = np.random.default_rng(1).normal(0, noise_rms, len(parts[0]))
    return np.clip(np.round(sum(parts) + noise), -32768, 32767).astype(np.int16)


def through_opus(pcm: Pcm) -> Pcm:
    """The same after a codec, as long as before."""
    decoder: Any = av.CodecContext.create("libopus", "r")
    decoder.extradata = b"OpusHead\x01\x01" + bytes(2) + (48_000).to_bytes(4, "little") + bytes(3)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    frames = [frame for packet in raw_packets(pcm) for frame in decoder.decode(av.Packet(packet))]
    pieces = [p.to_ndarray().reshape(-1) for f in [*frames, None] for p in resampler.resample(f)]
    heard = np.concatenate(pieces).astype(np.int16)[: len(pcm)]
    return np.pad(heard, (0, len(pcm) - len(heard)))


def judged(track: Pcm, *others: Pcm, is_mix: bool) -> tuple[int, int, int]:
    """Numbers of frames of nothing, of the track's own and copied."""
    heard = judge_frames(np.pad(track, MARGIN), [np.pad(other, MARGIN + MAX_DELAY) for other in others], is_mix=is_mix)
    assert len(heard) == len(track) // FRAME
    return heard.count(Heard.NOTHING), heard.count(Heard.OWN), heard.count(Heard.COPY)


RMS, SLT = voice("rms"), voice("slt")


@pytest.mark.parametrize("delay_ms", [0, 7, 137, 480])
@pytest.mark.parametrize("codec", [False, True], ids=["plain", "codec"])
def test_a_mix_of_people_with_tracks_of_their_own_is_all_copied(delay_ms: float, codec: bool) -> None:
    mix = mixed(softer(RMS, 6, delay_ms), softer(SLT, 12, delay_ms))
    tracks = [through_opus(RMS), through_opus(SLT)] if codec else [RMS, SLT]
    _, own, copied = judged(through_opus(mix) if codec else mix, *tracks, is_mix=True)
    assert copied >= 0.95 * (own + copied)
    assert copied > 30


def test_a_voice_without_a_track_is_not_copied() -> None:
    _, own, copied = judged(RMS, SLT, is_mix=True)
    assert (copied, own > 30) == (0, True)


def test_people_who_speak_at_once_are_kept_where_one_has_no_track() -> None:
    mix = mixed(RMS, SLT * 1.0)
    _, own, copied = judged(mix, SLT, is_mix=True)
    alone = judged(mixed(SLT * 1.0), SLT, is_mix=True)
    assert own > 20
    assert copied < alone[2] // 2


@pytest.mark.parametrize("is_mix", [False, True], ids=["participant", "mix"])
def test_an_echo_does_not_speak_for_a_voice(is_mix: bool) -> None:
    echo = mixed(softer(RMS, 20, 80))
    _, own, copied = judged(echo, RMS, is_mix=is_mix)
    assert copied >= 0.95 * (own + copied)
    assert copied > 20


def test_an_echo_in_a_room_is_found_in_most_frames() -> None:
    samples = np.arange(int(0.2 * RATE_HZ))
    decay = np.random.default_rng(2).normal(0, 1, len(samples)) * 10 ** (-3 * samples / (0.2 * RATE_HZ))
    decay *= 10 ** (-3 / 20) / np.sqrt(np.sum(decay**2))
    decay[0] = 1
    echo = mixed(np.convolve(softer(RMS, 20, 80), decay)[: len(RMS)])
    _, own, copied = judged(echo, RMS, is_mix=False)
    assert copied >= 0.8 * (own + copied)


def test_who_speaks_above_an_echo_is_kept() -> None:
    _, own, copied = judged(mixed(SLT * 1.0, softer(RMS, 20, 80)), RMS, is_mix=False)
    only_echo = judged(mixed(softer(RMS, 20, 80) * (np.abs(SLT) < 1)), RMS, is_mix=False)[2]
    assert own > 20
    assert copied <= only_echo + 8


def test_two_microphones_in_a_room_both_keep_a_voice_of_like_level_and_the_louder_always_does() -> None:
    assert judged(mixed(softer(RMS, 3)), RMS, is_mix=False)[2] == 0
    assert judged(RMS, mixed(softer(RMS, 20, 80)), is_mix=False)[2] == 0


def test_silence_is_neither() -> None:
    assert judged(np.zeros(RATE_HZ, np.int16), RMS[:RATE_HZ], is_mix=True) == (4, 0, 0)
    assert judged(RMS, is_mix=True)[2] == 0
    assert judged(RMS, np.zeros_like(RMS), is_mix=True)[2] == 0


def test_polarity_does_not_matter() -> None:
    assert judged(mixed(-1.0 * RMS), RMS, is_mix=True)[1] <= 1


def test_the_result_does_not_depend_on_how_the_audio_is_cut() -> None:
    mix, other = np.pad(mixed(RMS, SLT * 0.5), MARGIN), np.pad(RMS, MARGIN + MAX_DELAY)
    whole = judge_frames(mix, [other], is_mix=True)
    cut = []
    for second in range(SECONDS):
        begin = second * RATE_HZ
        part = mix[begin : begin + RATE_HZ + 2 * MARGIN]
        cut += judge_frames(part, [other[begin : begin + len(part) + 2 * MAX_DELAY]], is_mix=True)
    assert cut == whole


@pytest.mark.skipif(not (EVAL / "ami").is_dir(), reason="no recordings of meetings here (shared/eval/ami)")
@pytest.mark.parametrize("name", ["tst00", "trn08", "trn00"])
def test_a_real_meeting_is_no_copy_of_another_one(name: str) -> None:
    meeting, other = load(EVAL / "ami" / f"{name}.flac"), load(EVAL / "ami" / "dev00.flac")
    _, own, copied = judged(meeting, other[: len(meeting)], sample_pcm()[: len(meeting)], is_mix=True)
    assert copied <= 0.02 * own
    assert own > 40


@pytest.mark.skipif(not (EVAL / "ami").is_dir(), reason="no recordings of meetings here (shared/eval/ami)")
@pytest.mark.parametrize("name", ["tst00", "trn08", "trn00"])
def test_a_real_meeting_is_copied_by_its_own_microphones(name: str) -> None:
    meeting = load(EVAL / "ami" / f"{name}.flac")
    tracks: dict[str, Pcm] = {}
    for line in (EVAL / "ami" / f"{name}.rttm").read_text().splitlines():
        fields = line.split()
        begin, end = int(float(fields[3]) * RATE_HZ), int((float(fields[3]) + float(fields[4])) * RATE_HZ)
        tracks.setdefault(fields[7], np.zeros_like(meeting))[begin:end] = meeting[begin:end]
    speaking = np.any([np.abs(track) > 0 for track in tracks.values()], axis=0)
    mix = through_opus(mixed(softer(np.where(speaking, meeting, 0), 6, 150)))
    nothing, own, copied = judged(mix, *map(through_opus, tracks.values()), is_mix=True)
    # Half a real meeting is room noise of about the level of the far voices, which no codec keeps as it is.
    assert copied >= 0.8 * (own + copied), (nothing, own, copied)


def load(path: Path) -> Pcm:
    with av.open(str(path)) as container:
        return np.concatenate([f.to_ndarray().reshape(-1) for f in container.decode(audio=0)]).astype(np.int16)
