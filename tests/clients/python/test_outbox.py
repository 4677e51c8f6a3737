"""The send buffer: whatever is acknowledged and asked for again, the server gets every sample once."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetra.v1 import live_pb2

from meetra_client.errors import AudioLost, TakenOver
from meetra_client.live_enums import Kind
from meetra_client.outbox import Outbox
from meetra_client.tracks import Encoding, Track, opus_packet_samples

# One frame of 20 ms (CELT, configuration 31), and two of them in one packet.
ONE_FRAME, TWO_FRAMES = bytes([31 << 3]) + b"a", bytes([31 << 3 | 1]) + b"bb"


def at(track: str, position: int) -> list[live_pb2.TrackPosition]:
    return [live_pb2.TrackPosition(track_id=track, next_sample=position)]


def outbox(track: Track, start: int = 0, seconds: float = 60) -> Outbox:
    made = Outbox([track], seconds, 16 * 1024 * 1024)
    made.begin(at(track.track_id, start))
    return made


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 50)),
        st.tuples(st.just("take"), st.integers(1, 100)),
        st.tuples(st.just("store"), st.integers(0, 5)),
        st.tuples(st.just("reconnect"), st.integers(0, 100)),
    ),
    max_size=60,
)


@given(steps, st.integers(0, 1000), st.sampled_from([(Encoding.PCM_S16LE, 2), (Encoding.PCM_F32LE, 1)]))
def test_every_sample_arrives_once_and_in_order(
    todo: list[tuple[str, int]], start: int, form: tuple[Encoding, int]
) -> None:
    track = Track("mix", encoding=form[0], channels=form[1])
    box, unit = outbox(track, start), track.unit_bytes
    log = box.buffer("mix")
    given_audio, stored, on_way = bytearray(), bytearray(), []
    for step, number in todo:
        if step == "append":
            audio = bytes((len(given_audio) + i) % 251 for i in range(number * unit))
            given_audio += audio
            box.append(log, audio)
        elif step == "take" and (chunk := box.next_chunk(number)) is not None:
            assert len(chunk.data) <= max(number, unit)
            on_way.append(chunk)
        elif step == "store":
            for chunk in on_way[:number]:
                assert (chunk.first_sample - start) * unit == len(stored)
                stored += chunk.data
            del on_way[:number]
            box.acknowledge(at("mix", start + len(stored) // unit))
        elif step == "reconnect":
            if on_way:
                # Of the first chunk on its way any part may have been stored.
                data = on_way[0].data
                stored += data[: len(data) // unit * number // 100 * unit]
            on_way.clear()
            box.rewind(at("mix", start + len(stored) // unit))
    box.rewind(at("mix", start + len(stored) // unit))
    while (chunk := box.next_chunk(64)) is not None:
        stored += chunk.data
    assert stored == given_audio
    box.acknowledge(at("mix", log.end))
    assert (log.buffered_bytes, box.undelivered, box.awaiting) == (0, {}, False)


def test_tracks_take_turns() -> None:
    box = Outbox([Track("a"), Track("b")], 60, 1 << 24)
    box.begin([*at("a", 0), *at("b", 5)])
    for name in ("a", "b"):
        box.append(box.buffer(name), bytes(8))
    taken = [box.next_chunk(4) for _ in range(5)]
    assert [(c.track_id, c.first_sample) for c in taken if c] == [("a", 0), ("b", 5), ("a", 2), ("b", 7)]


def test_audio_waits_at_a_limit_and_before_a_track_is_released() -> None:
    box = Outbox([Track("a"), Track("b")], 60, 1 << 24)
    box.begin([*at("a", 0), *at("b", 0)])
    box.add(Track("opus", encoding=Encoding.OPUS), 960, withheld=True)
    for name in ("a", "b"):
        box.append(box.buffer(name), bytes(20))
    for _ in range(3):
        box.append(box.buffer("opus"), ONE_FRAME)
    limits = {"a": 4, "b": 0, "opus": 2880}

    def taken() -> list[tuple[str, int, int]]:
        chunks = iter(lambda: box.next_chunk(1000, limits), None)
        return [(chunk.track_id, chunk.first_sample, len(chunk.data)) for chunk in chunks]

    assert taken() == [("a", 0, 8)]
    assert not box.has_sent(limits)
    box.release("opus")
    assert taken() == [("opus", 960, 2), ("opus", 1920, 2)]
    assert box.has_sent(limits)
    assert box.ends == {"a": 10, "b": 10, "opus": 3840}


def test_a_track_that_was_dropped_says_why_until_it_is_added_again() -> None:
    box = outbox(Track("a"))
    box.append(box.buffer("a"), bytes(20))
    box.drop("a", ZeroDivisionError("why"), known=False)
    assert (box.has("a"), box.undelivered, box.next_chunk(9)) == (False, {}, None)
    with pytest.raises(ZeroDivisionError, match="why"):
        box.buffer("a")
    box.add(Track("a"), 5, withheld=False)
    assert box.buffer("a").end == 5


@pytest.mark.parametrize("max_bytes", [2, 10, 1000])
def test_a_capture_time_is_sent_with_its_sample_and_again_with_it(max_bytes: int) -> None:
    box = outbox(Track("mix"))
    log = box.buffer("mix")
    box.append(log, bytes(20))
    box.append(log, bytes(40), 500)
    box.append(log, bytes(20), 60_000)

    def captured() -> dict[int, int]:
        taken = list(iter(lambda: box.next_chunk(max_bytes), None))
        assert b"".join(chunk.data for chunk in taken) == bytes(2 * (log.end - log.acknowledged))
        return {chunk.first_sample: chunk.captured_ms for chunk in taken if chunk.HasField("captured_ms")}

    assert captured() == {10: 500, 30: 60_000}
    box.rewind(at("mix", 10))
    assert captured() == {10: 500, 30: 60_000}
    # The first part of a chunk was stored, with its time.
    box.rewind(at("mix", 11))
    assert captured() == {30: 60_000}


def test_packets_have_capture_times_too() -> None:
    box = outbox(Track("opus", encoding=Encoding.OPUS))
    for captured_ms in (0, None, 5000):
        box.append(box.buffer("opus"), ONE_FRAME, captured_ms)
    taken = list(iter(lambda: box.next_chunk(100), None))
    assert [chunk.captured_ms if chunk.HasField("captured_ms") else None for chunk in taken] == [0, None, 5000]


def test_packets_are_never_cut_and_counted_at_48_khz() -> None:
    box = outbox(Track("opus", encoding=Encoding.OPUS))
    log = box.buffer("opus")
    for packet in (ONE_FRAME, TWO_FRAMES, ONE_FRAME):
        box.append(log, packet)
    assert log.end == 4 * 960
    assert [chunk.first_sample for chunk in iter(lambda: box.next_chunk(1), None)] == [0, 960, 2880]
    box.rewind(at("opus", 960))
    again = box.next_chunk(1)
    assert again is not None
    assert (again.first_sample, again.data, log.buffered_bytes) == (960, TWO_FRAMES, 5)


@pytest.mark.parametrize(
    ("packet", "samples"),
    [(b"\x00", 480), (b"\x18", 2880), (b"\x60", 480), (b"\x80", 120), (b"\xfb\x06", 5760), (b"\xfa", 1920)],
)
def test_an_opus_packet_says_how_long_it_is(packet: bytes, samples: int) -> None:
    assert opus_packet_samples(packet) == samples


@pytest.mark.parametrize("packet", [b"", b"\xfb", b"\xfb\x00", b"\xfb\x07"])
def test_what_is_no_opus_packet_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match="Opus packet"):
        opus_packet_samples(packet)


def test_positions_that_cannot_be_are_errors() -> None:
    box = outbox(Track("mix"), start=100)
    box.append(box.buffer("mix"), bytes(20))
    with pytest.raises(TakenOver):
        box.acknowledge(at("mix", 111))
    box.acknowledge(at("mix", 105))
    box.acknowledge(at("mix", 101))
    with pytest.raises(AudioLost):
        box.rewind(at("mix", 104))


async def test_room_is_bounded_in_seconds_and_comes_with_acknowledgements() -> None:
    box = outbox(Track("mix", sample_rate_hz=8000), seconds=1)
    log = box.buffer("mix")
    assert await box.wait_for_room(log, 2) == 16_000
    box.append(log, bytes(16_000))
    waiting = asyncio.create_task(box.wait_for_room(log, 2))
    await asyncio.sleep(0)
    assert not waiting.done()
    box.next_chunk(64_000)
    box.acknowledge(at("mix", 10))
    assert await waiting == 20
    packets = outbox(Track("opus", encoding=Encoding.OPUS), seconds=1)
    for _ in range(50):
        await packets.wait_for_room(packets.buffer("opus"), len(ONE_FRAME))
        packets.append(packets.buffer("opus"), ONE_FRAME)
    assert packets.room(packets.buffer("opus")) == 0


def test_a_track_says_what_the_server_must_know() -> None:
    named = Track("ana", participant_name="Ana", encoding=Encoding.OPUS, start_ms=5).config()
    assert (Kind(named.kind), named.sample_rate_hz, named.start_ms) == (Kind.PARTICIPANT, 48_000, 5)
    assert Kind(Track("mix").config().kind) is Kind.MIXED
    call = Track("call", encoding=Encoding.OPUS, channels=2, separate=True, channel_names=("Ana",)).config()
    assert (Kind(call.kind), call.channels, call.channel_use) == (Kind.PARTICIPANT, 2, live_pb2.CHANNEL_USE_SEPARATE)
    assert list(call.channel_names) == ["Ana"]
