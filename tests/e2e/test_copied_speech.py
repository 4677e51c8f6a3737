"""Voices that are on several tracks: each sentence is said once, by the person whose track it is."""

from __future__ import annotations

import numpy as np
import pytest
from meetra.v1 import live_pb2 as pb
from numpy.typing import NDArray

from tests.e2e.conftest import Rest
from tests.e2e.live_bot import connected, mixed, participant
from tests.e2e.test_separate_channels import SEPARATE, side, transcript, words
from tests.recordings import RATE_HZ, wav

ANA_SAYS = {"everyone", "budget", "money", "numbers"}
BEN_SAYS = {"server", "company", "conversation", "goodbye"}
Pcm = NDArray[np.int16]


def ana() -> Pcm:
    return side("rms", (0, 6, 0), (6, 12, 12))


def ben() -> Pcm:
    return side("slt", (0, 6, 6), (6, 10, 18), (12, 14, 22))


def cyd() -> Pcm:
    """Somebody who has no track."""
    return side("rms", (14, 22, 24), seconds=32)


def with_echo(own: Pcm, other: Pcm) -> Pcm:
    """A microphone that picks up another voice 80 ms later and 20 dB lower, and some noise."""
    delay = round(0.08 * RATE_HZ)
    echo = np.concatenate([np.zeros(delay), other[:-delay] * 0.1])
    noise = np.random.default_rng(5).normal(0, 4, len(own))
    heard: Pcm = np.clip(np.round(own + echo + noise), -32768, 32767).astype(np.int16)
    return heard


def call_with_echo() -> Pcm:
    return np.stack([ana(), with_echo(ben(), ana())], axis=1)


@pytest.fixture(scope="module")
def uploaded(rest: Rest) -> str:
    return rest.analysed(wav(call_with_echo()), **SEPARATE)


def test_an_echo_does_not_speak_for_a_voice(rest: Rest, uploaded: str) -> None:
    left, right = (words(text) for text in transcript(rest, uploaded).values())
    assert len(ANA_SAYS & set(left)) >= 3
    assert len(BEN_SAYS & set(right)) >= 2
    assert not {*ANA_SAYS, "about", "week"} & set(right)


async def test_live_it_does_not_either_and_the_answers_are_those_of_the_upload(rest: Rest, uploaded: str) -> None:
    tracks = [participant("left", ""), participant("right", "")]
    async with connected(rest) as bot:
        await bot.open(pb.LiveConfig(name="Echo", tracks=tracks))
        await send(bot.audio, left=ana(), right=call_with_echo()[:, 1])
        finished = await bot.finish()
    assert finished.status == "ready"
    assert transcript(rest, finished.file_hash) == transcript(rest, uploaded)


async def test_a_mix_beside_participants_says_nothing_twice_and_keeps_who_has_no_track(rest: Rest) -> None:
    tracks = [mixed("mix"), participant("ana", "Ana"), participant("ben", "Ben")]
    seconds = len(cyd()) - len(ana())
    first, second = np.pad(ana(), (0, seconds)), np.pad(ben(), (0, seconds))
    everybody = (first // 2 + second // 2 + cyd() // 2).astype(np.int16)
    async with connected(rest) as bot:
        await bot.open(pb.LiveConfig(name="Mix", tracks=tracks))
        await send(bot.audio, mix=everybody, ana=first, ben=second)
        finished = await bot.finish()
        turns = bot.of("turn")
    assert finished.status == "ready"
    said = {alias: words(text) for alias, text in transcript(rest, finished.file_hash).items()}
    assert {"Ana", "Ben"} < set(said)
    assert len(said) == 3
    (other,) = set(said) - {"Ana", "Ben"}
    assert len(ANA_SAYS & set(said["Ana"])) >= 3
    assert len(BEN_SAYS & set(said["Ben"])) >= 2
    assert len(said[other]) > 5
    # Cyd's voice begins at 24 s: before, the mix has nothing of its own.
    final = {turn.segment_id: turn for turn in turns if turn.track_id == "mix"}
    kept = [turn for turn in final.values() if turn.state == pb.LIVE_TURN_STATE_FINAL]
    assert kept
    assert min(turn.start_ms for turn in kept) > 23_000
    # What was shown of the mix and taken back is the exception.
    shown = {turn.segment_id for turn in turns if turn.track_id == "mix" and turn.end_ms < 23_000}
    assert len(shown) <= 2


async def send(audio: object, **tracks: Pcm) -> None:
    """All tracks at once, half a second after another."""
    step = RATE_HZ // 2
    for begin in range(0, max(map(len, tracks.values())), step):
        for track_id, pcm in tracks.items():
            await audio(pcm[begin : begin + step].astype("<i2").tobytes(), begin, track_id)  # type: ignore[operator]
