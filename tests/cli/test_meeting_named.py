"""What names a meeting on the command line."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator

import pytest
from meetra.v1 import meetings_pb2

from cli.meeting_named import NoSuchMeeting, file_hash_of, meeting_name
from meetra_client import MeetraClient

A, B, C = "abcdef" + "1" * 58, "abcdef" + "2" * 58, "0" * 64


class Listing(MeetraClient):
    """A client whose organization has these meetings, newest first."""

    def __init__(self, *hashes: str) -> None:
        self._hashes = hashes

    async def meetings(self, *, page_size: int = 100) -> AsyncIterator[meetings_pb2.MeetingSummary]:
        for one in self._hashes:
            yield meetings_pb2.MeetingSummary(file_hash=one, name=f"Meeting {one[6]}")


@pytest.mark.parametrize("text", ["latest", "Latest", "abcdef", "ABCDEF12", A])
def test_hashes_their_beginnings_and_the_latest_are_names(text: str) -> None:
    assert meeting_name(text) == text.lower()


@pytest.mark.parametrize("text", ["", "abcde", "abcdeg", A + "1", "last"])
def test_anything_else_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="file hash"):
        meeting_name(text)


async def test_a_name_finds_its_meeting() -> None:
    client = Listing(C, A, B)
    assert await file_hash_of(client, "latest") == C
    assert await file_hash_of(client, "abcdef1") == A
    assert await file_hash_of(client, A) == A


async def test_what_names_none_or_several_is_told() -> None:
    with pytest.raises(NoSuchMeeting, match=r"2 meetings begin with abcdef: .*Meeting 1.*more digits"):
        await file_hash_of(Listing(A, B), "abcdef")
    with pytest.raises(NoSuchMeeting, match="no meeting's file hash begins with 123456"):
        await file_hash_of(Listing(A, B), "123456")
    with pytest.raises(NoSuchMeeting, match="there is no meeting yet"):
        await file_hash_of(Listing(), "latest")
