"""Elements of Matroska walked by their sizes: holes are found, and early ends are none."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.media.matroska import has_missing_elements

HEADER, SEGMENT, CLUSTER = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
BLOCK, TIME, INFO, UNKNOWN = b"\xa3", b"\xe7", b"\x15\x49\xa9\x66", b"\x01" + b"\xff" * 7


def element(name: bytes, content: bytes) -> bytes:
    return name + (0x10000000 | len(content)).to_bytes(4, "big") + content


def missing(content: bytes) -> bool:
    return has_missing_elements(io.BytesIO(content), len(content))


CLUSTERS = element(CLUSTER, element(TIME, b"\x00") + element(BLOCK, bytes(50))) * 3
STATED = element(HEADER, bytes(10)) + element(SEGMENT, element(INFO, bytes(5)) + CLUSTERS)
STREAMED = element(HEADER, bytes(10)) + SEGMENT + UNKNOWN + element(INFO, bytes(5)) + CLUSTERS
OPEN_CLUSTERS = element(HEADER, b"") + SEGMENT + UNKNOWN + (CLUSTER + UNKNOWN + element(BLOCK, bytes(50))) * 3


@pytest.mark.parametrize("whole", [STATED, STREAMED, OPEN_CLUSTERS])
def test_a_whole_file_lacks_nothing(whole: bytes) -> None:
    assert not missing(whole)


def test_a_stated_size_that_is_not_there_is_missing() -> None:
    assert missing(STATED[:-20])


def test_a_stream_that_ends_early_lacks_nothing() -> None:
    for end in (len(STREAMED) - 20, len(STREAMED) - len(CLUSTERS) // 3 - 3):
        assert not missing(STREAMED[:end])


@pytest.mark.parametrize("whole", [STATED, STREAMED, OPEN_CLUSTERS])
def test_bytes_that_were_cut_out_or_overwritten_are_missed(whole: bytes) -> None:
    middle = whole.index(CLUSTER, whole.index(CLUSTER) + 4)
    assert missing(whole[: middle - 13] + whole[middle + 20 :])
    assert missing(whole[:middle] + b"\x00" * 30 + whole[middle + 30 :])


def test_an_element_larger_than_its_cluster_is_wrong() -> None:
    inner = element(BLOCK, bytes(50))
    cluster = CLUSTER + (0x10000000 | len(inner) - 10).to_bytes(4, "big") + inner
    assert missing(element(HEADER, b"") + SEGMENT + UNKNOWN + cluster + CLUSTERS)


@given(st.binary(max_size=300))
def test_no_bytes_are_too_much(content: bytes) -> None:
    assert missing(content) in (True, False)
    assert missing(STREAMED[:30] + content) in (True, False)
