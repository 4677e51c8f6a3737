"""A track whose channels are participants of their own: sent once, heard apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from meetra.v1 import live_pb2 as pb
from numpy.typing import NDArray

from server.audio.encodings import Encoding, TrackFormat, encode_record
from server.audio.track_decoder import TrackDecoder
from server.live.event_log import read_events
from server.live.languages import LiveLanguages
from server.live.turns import MeetingTurns
from server.storage.pool import Database
from tests.recordings import RATE_HZ, sample_pcm
from tests.server.audio.opus_audio import cut, ogg_head, page, raw_packets
from tests.server.live.live_configs import of_channels
from tests.server.live.scripted_engine import Session, progress, scripted_engine, turn
from tests.server.live.test_session import caller_of, server_of, until
from tests.server.live.test_turns import MEETING, stored
from tests.server.live.test_turns import turn as live_turn

LEFT, RIGHT = sample_pcm()[: 3 * RATE_HZ], sample_pcm()[10 * RATE_HZ : 13 * RATE_HZ]
STEREO = np.stack([LEFT, RIGHT], axis=1)


async def decoded(format: TrackFormat, channel: int, pieces: Sequence[bytes]) -> tuple[NDArray[np.int16], bool]:
    decoder = TrackDecoder(format, channel)
    try:
        parts = [await decoder.decode(piece) for piece in pieces]
        return np.concatenate([*parts, await decoder.finish()]), decoder.damaged
    finally:
        await decoder.close()


def written(encoding: Encoding, pcm: NDArray[np.int16]) -> bytes:
    if encoding is Encoding.PCM_F32LE:
        return (pcm / 32768).astype("<f4").tobytes()
    return (pcm.astype("<i2") if encoding is Encoding.PCM_S16LE else pcm.astype(np.uint8)).tobytes()


def similarity(heard: NDArray[np.int16], original: NDArray[np.int16]) -> float:
    """Correlation at the best shift of up to 20 ms: a codec delays."""
    length = min(len(heard), len(original)) - 320
    shifted = (np.corrcoef(heard[by : by + length], original[:length])[0, 1] for by in range(0, 320, 4))
    return float(max(shifted))


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
@pytest.mark.parametrize("encoding", [Encoding.PCM_S16LE, Encoding.PCM_F32LE, Encoding.MULAW])
async def test_a_channel_sounds_as_it_would_alone(encoding: Encoding, rate_hz: int, channels: int) -> None:
    pcm = np.random.default_rng(3).integers(-20_000, 20_000, (rate_hz // 4 + 7, channels)).astype(np.int16)
    raw = written(encoding, pcm)
    for channel in range(1, channels + 1):
        found, damaged = await decoded(TrackFormat(encoding, rate_hz, channels), channel, cut(raw, [999]))
        own = written(encoding, pcm[:, channel - 1 : channel])
        alone, _ = await decoded(TrackFormat(encoding, rate_hz, 1), 0, [own])
        assert np.array_equal(found, alone)
        assert not damaged


@pytest.mark.children
async def test_the_channels_of_opus_are_those_of_the_stream() -> None:
    raw, packets = TrackFormat(Encoding.OPUS, 48_000, 1), raw_packets(STEREO, layout="stereo")
    log = [encode_record(raw, packet) for packet in packets]
    pages = [page([packet], 2 + n, 960 * (n + 1)) for n, packet in enumerate(packets)]
    ogg = [ogg_head(channels=2), *pages]
    for format, pieces in ((raw, log), (TrackFormat(Encoding.OGG_OPUS, 48_000, 1), ogg)):
        left, _ = await decoded(format, 1, pieces)
        right, _ = await decoded(format, 2, pieces)
        assert similarity(left, LEFT) > 0.9 > 0.3 > similarity(left, RIGHT)
        assert similarity(right, RIGHT) > 0.9 > 0.3 > similarity(right, LEFT)
        # One that the stream has not is silent, and as long as the others.
        third, _ = await decoded(format, 3, pieces)
        assert len(third) == len(left) == len(right)
        assert not third.any()


def test_turns_of_two_channels_are_kept_apart_through_a_restart() -> None:
    config = of_channels(2)
    first = MeetingTurns(config, MEETING)
    first.update(live_turn(2, 1, track=0))
    first.update(live_turn(3, 2, track=1))
    events = stored(first.changes())
    assert [(e.turn.track_id, e.turn.channel, e.turn.alias) for e in events] == [("call", 1, "P1"), ("call", 2, "P2")]
    second = MeetingTurns(config, MEETING)
    second.restore(events)
    assert (second.turns_through_us(0), second.turns_through_us(1)) == (3_000_000, 4_000_000)
    # An engine that says the first channel anew says nothing of the second.
    second.start_catch_up(0)
    second.finish_catch_up(0)
    assert [(e.turn.channel, e.turn.state) for e in second.changes()] == [(1, pb.LIVE_TURN_STATE_RETRACTED)]


def test_each_channel_has_a_language_of_its_own() -> None:
    languages = LiveLanguages(of_channels(2))
    languages.update(0, "de", 0.5)
    languages.update(1, "fr", 0.5)
    events = stored(languages.changes(()))
    assert [(e.language.channel, e.language.language) for e in events] == [(1, "de"), (2, "fr")]
    again = LiveLanguages(of_channels(2))
    again.restore(events)
    again.update(0, "fr", 0.5)
    again.update(1, "fr", 0.5)
    assert [(e.language.channel, e.language.language) for e in again.changes(())] == [(1, "fr")]


async def test_a_call_is_logged_once_and_each_side_heard_by_an_engine_of_its_own(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)
    pcm = np.stack([np.full(RATE_HZ, 1000), np.full(RATE_HZ, -2000)], axis=1).astype("<i2").tobytes()

    async def sessions(engine: Any) -> dict[int, Session]:
        """Those that are opened, by the first sample that they hear."""
        opened = [await engine.session(), await engine.session()]

        async def both_hear() -> bool:
            return all(len(session.heard) >= RATE_HZ for session in opened)

        await until(both_hear)
        return {int(np.frombuffer(session.heard[:2], "<i2")[0]): session for session in opened}

    async with scripted_engine() as (engine, address):
        async with server_of(database, tmp_path, address) as held:
            meeting = await held.open(of_channels(2), caller)
            row = meeting.row
            connection = await meeting.connect(take_over=False, streams=True)
            chunk = pb.AudioChunk(track_id="call", first_sample=0, data=pcm[: RATE_HZ * 2])
            await meeting.receive(chunk, connection)
            chunk = pb.AudioChunk(track_id="call", first_sample=RATE_HZ // 2, data=pcm[RATE_HZ * 2 :])
            await meeting.receive(chunk, connection)
            await meeting.audio.wait_until_committed()
            (log,) = meeting.audio.logs
            assert (log.committed, log.committed_bytes, log.path.read_bytes()) == (RATE_HZ, len(pcm), pcm)
            by_sound = await sessions(engine)
            assert set(by_sound) == {1000, -2000}
            assert {session.config.expected_speakers for session in by_sound.values()} == {1}
            by_sound[1000].say(turn(1, 0, 0.4, "hello"), progress(1, 1, 1))
            by_sound[-2000].say(turn(1, 0.2, 0.6, "and goodbye"), progress(1, 1, 1))

            async def both_told() -> bool:
                return {e.turn.channel for e in await read_events(database, row, 0) if e.HasField("turn")} == {1, 2}

            await until(both_told)
        told = {e.turn.channel: e.turn for e in await read_events(database, row, 0) if e.HasField("turn")}
        assert {c: (t.alias, " ".join(w.text for w in t.words)) for c, t in told.items()} == {
            1: ("P1", "hello"),
            2: ("P2", "and goodbye"),
        }
        assert told[1].speaker_id != told[2].speaker_id
        # A server that takes the meeting up hears both sides again from the one log, and tells nothing twice.
        before = len(await read_events(database, row, 0))
        async with server_of(database, tmp_path, address) as held:
            await held.find(row.meeting_id, caller)
            by_sound = await sessions(engine)
            by_sound[1000].say(turn(1, 0, 0.4, "hello"), progress(1, 1, 1))
            by_sound[-2000].say(turn(1, 0.2, 0.6, "and good day"), progress(1, 1, 1))
            by_sound[-2000].say(turn(2, 0.7, 0.9, "more"), progress(1, 1, 1))

            async def more_told() -> bool:
                return any(e.HasField("turn") for e in (await read_events(database, row, 0))[before:])

            await until(more_told)
        after = [e.turn for e in (await read_events(database, row, 0))[before:] if e.HasField("turn")]
        # That the first side's turn is final by now is new; its words are not told again.
        assert {t.state for t in after if t.channel == 1} <= {pb.LIVE_TURN_STATE_FINAL}
        assert 2 in {t.channel for t in after}
