"""A feature that fails does not end the meeting: it is switched off, and said once in the log."""

from __future__ import annotations

import logging

import pytest
from meetra.v1 import live_pb2 as pb

from server.live.optional_feature import OptionalFeature
from server.storage import MeetingLost

EVENT = pb.LiveEvent(warning=pb.Warning())


def test_a_feature_that_works_tells_its_events() -> None:
    feature = OptionalFeature("counting", "m")
    assert feature.tell(lambda: [EVENT]) == [EVENT]
    assert not feature.is_off


def test_a_feature_that_fails_once_is_not_used_again(caplog: pytest.LogCaptureFixture) -> None:
    feature, calls = OptionalFeature("counting", "m"), list[int]()

    def fail() -> list[pb.LiveEvent]:
        calls.append(1)
        raise KeyError("what is missing")

    with caplog.at_level(logging.ERROR):
        assert feature.tell(fail) == []
        assert feature.tell(fail) == []
        feature.do(lambda: calls.append(1))
    assert calls == [1]
    (record,) = caplog.records
    assert "counting" in record.getMessage()
    assert record.exc_info is not None


async def test_a_failure_of_work_that_takes_time_is_the_same_but_for_one_of_the_meeting() -> None:
    feature = OptionalFeature("counting", "m")

    async def lose() -> list[pb.LiveEvent]:
        raise MeetingLost

    async def fail() -> list[pb.LiveEvent]:
        raise IndexError

    async def work() -> list[pb.LiveEvent]:
        return [EVENT]

    with pytest.raises(MeetingLost):
        await feature.find(lose)
    assert await feature.find(work) == [EVENT]
    assert await feature.find(fail) == []
    assert await feature.find(work) == []
