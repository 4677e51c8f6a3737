"""Packets out of records and Ogg pages: whole, in order, trimmed; whatever comes, and however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.audio.opus_packets import Gap, OggReader, Packet, PacketReader, RecordReader, StreamHead, opus_head
from tests.recordings import RATE_HZ, encoded, sample_pcm
from tests.server.audio.opus_audio import TAGS, cut, ogg_head, page, raw_packets

PACKETS = raw_packets(sample_pcm()[:RATE_HZ])
OGG = encoded(sample_pcm()[: 3 * RATE_HZ], "ogg", "libopus")
SIZES = st.lists(st.integers(1, 3000), min_size=1, max_size=8)


def read(reader: PacketReader, pieces: list[bytes]) -> list[Packet]:
    """The packets; heads as a packet without samples."""
    found = []
    for piece in pieces:
        for item in reader.feed(piece):
            assert not isinstance(item, Gap)
            found.append(Packet(item.data, 0, 0, 0) if isinstance(item, StreamHead) else item)
    reader.finish()
    return found


def packets_of(log: bytes) -> tuple[list[bytes], bool]:
    reader = OggReader()
    return [packet.data for packet in read(reader, [log]) if packet.samples], reader.damaged


def test_an_ogg_file_gives_its_sound_without_what_the_encoder_put_before_and_after() -> None:
    reader = OggReader()
    found = read(reader, [OGG])
    assert not reader.damaged
    assert found[0].data.startswith(b"OpusHead")
    assert sum(packet.last - packet.first for packet in found) == 3 * 48_000
    assert sum(packet.first for packet in found) == 312


@given(SIZES)
@settings(max_examples=30)
def test_pages_are_the_same_however_they_are_cut(sizes: list[int]) -> None:
    assert read(OggReader(), cut(OGG, sizes)) == read(OggReader(), [OGG])


@given(st.integers(0, len(OGG) - 1), st.integers(1, 255), SIZES)
@settings(max_examples=60)
def test_a_broken_byte_costs_its_page_and_is_noted(at: int, change: int, sizes: list[int]) -> None:
    broken = bytearray(OGG)
    broken[at] ^= change
    reader, whole = OggReader(), read(OggReader(), [OGG])
    found = read(reader, cut(bytes(broken), sizes))
    assert reader.damaged
    assert found == read(OggReader(), [bytes(broken)])
    assert {packet.data for packet in found} <= {packet.data for packet in whole}


@given(st.binary(max_size=5000), SIZES)
def test_any_bytes_are_read(data: bytes, sizes: list[int]) -> None:
    for reader in (OggReader(), RecordReader()):
        read(reader, cut(data, sizes))


def test_records_are_the_same_however_they_are_cut() -> None:
    log = b"".join(len(packet).to_bytes(2, "little") + packet for packet in PACKETS)
    for sizes in ([1], [7, 1, 500], [len(log)]):
        reader = RecordReader()
        assert [packet.data for packet in read(reader, cut(log, sizes)) if packet.samples] == PACKETS
        assert not reader.damaged


def test_half_a_record_and_a_record_of_no_packet_are_left_out_and_noted() -> None:
    reader = RecordReader()
    assert len(read(reader, [b"\x05\0\x08abcd\x06\0\x08a"])) == 2
    assert reader.damaged
    reader = RecordReader()
    assert len(read(reader, [b"\0\0\x05\0\x08abcd\x02\0\x09a"])) == 2
    assert reader.damaged


def test_a_packet_goes_on_over_pages_and_two_streams_follow_each_other() -> None:
    long = bytes([1 << 3]) + bytes(1000)
    parts = [long[:510], long[510:1001]]
    stream = ogg_head() + page([parts[0]], 2, -1, goes_on=True) + page([parts[1]], 3, 960, flags=1)
    again = ogg_head(serial=8) + page([long], 2, 960, serial=8, flags=4)
    assert packets_of(stream + again) == ([long, long], False)


def test_a_lost_page_takes_the_packets_that_touch_it() -> None:
    short, long = b"\x08abc", bytes([1 << 3]) + bytes(509)
    begun = ogg_head() + page([short, long], 2, 960, goes_on=True)
    end = page([b"", short], 3, 2880, flags=1)
    assert packets_of(begun + end) == ([short, long, short], False)
    assert packets_of(begun) == ([short], True)
    assert packets_of(ogg_head() + end) == ([short], True)
    assert packets_of(begun + page([short], 4, 3840)) == ([short, short], True)


def test_a_stream_of_another_kind_is_passed_over_and_one_without_a_head_is_noted() -> None:
    other = page([b"\x80theora"], 0, 0, serial=1, flags=2)
    sound = page([b"\x08abc"], 2, 960)
    assert packets_of(other + ogg_head() + page([b"picture"], 1, 0, serial=1) + sound) == ([b"\x08abc"], False)
    assert packets_of(sound) == ([], True)


def test_comments_may_be_larger_than_any_packet() -> None:
    segments = [TAGS + bytes(65025 - len(TAGS))] + [bytes(65025)] * 12
    pages = [page([s], 1 + i, -1, flags=int(i > 0), goes_on=True) for i, s in enumerate(segments)]
    last = page([b"end"], 14, 0, flags=1)
    head = page([opus_head(1)], 0, 0, flags=2)
    assert packets_of(head + b"".join(pages) + last + page([b"\x08abc"], 15, 960)) == ([b"\x08abc"], False)


@pytest.mark.parametrize("broken", [b"OpusHead", opus_head(1)[:18], opus_head(3), opus_head(0), b"OpusHead\x10" * 4])
def test_a_head_that_no_decoder_knows_is_noted(broken: bytes) -> None:
    assert packets_of(page([broken], 0, 0, flags=2) + page([b"\x08abc"], 1, 960)) == ([], True)


def test_what_never_forms_a_page_is_not_kept() -> None:
    for reader in (OggReader(), RecordReader()):
        for _ in range(200):
            reader.feed(b"OggS" + bytes(22) + b"\xff" * 256 + bytes(5000))
            assert len(reader._buffer) < 80_000
    reader = OggReader()
    reader.feed(ogg_head())
    for sequence in range(2, 60):
        reader.feed(page([bytes(65_025)], sequence, -1, flags=1 if sequence > 2 else 0, goes_on=True))
    assert reader._partial is not None
    assert len(reader._partial) < 700_000


def test_page_headers_within_page_headers_cost_no_more_than_their_number() -> None:
    reader = OggReader()
    header = b"OggS" + bytes(22) + b"\xff"
    for _ in range(40):
        reader.feed(header * 2000)
    assert reader._failed_bytes < 8 * 40 * 2000 * len(header)
