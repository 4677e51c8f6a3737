"""Equal events within a minute are one row with a count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from server.audit import Repeats
from server.audit.repeats import LONG_WINDOW, without_details
from server.storage import AuditEvent

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
US, READER = uuid4(), uuid4()


def read(after_s: float, *, organization_id: UUID = US, object_id: str = "a" * 64, address: str = "::1") -> AuditEvent:
    return AuditEvent(
        organization_id=organization_id,
        method="MeetingService/GetMeetingStatus",
        action="read",
        actor="user",
        user_id=READER,
        object_kind="meeting",
        object_id=object_id,
        address=address,
        happened_at=NOON + timedelta(seconds=after_s),
    )


def test_the_first_is_written_and_the_rest_of_its_minute_counted() -> None:
    repeats, first = Repeats(), read(0)
    assert repeats.add(first) == [first]
    assert [repeats.add(read(second)) for second in (1, 30, 59)] == [[], [], []]
    assert repeats.take_ended(NOON + timedelta(seconds=59)) == []
    (row,) = repeats.take_ended(NOON + timedelta(seconds=60))
    assert (row.count, row.happened_at, row.last_at) == (3, read(1).happened_at, read(59).happened_at)
    assert row.id != first.id
    assert repeats.take_all() == []


def test_the_next_minute_begins_anew() -> None:
    repeats = Repeats()
    repeats.add(read(0))
    repeats.add(read(1))
    later = read(61)
    counted, single = repeats.add(later)
    assert (counted.count, single) == (1, later)


def test_whatever_differs_is_an_event_of_its_own() -> None:
    repeats = Repeats()
    one = read(0)
    others = [
        read(1, organization_id=uuid4()),
        read(1, object_id="b" * 64),
        read(1, address="192.0.2.1"),
        replace(read(1), user_id=uuid4()),
        replace(read(1), status="MEETING_NOT_FOUND"),
        replace(read(1), method="InsightsService/GetTopics"),
        replace(read(1), begun_id=uuid4()),
    ]
    assert [repeats.add(event) for event in (one, *others)] == [[event] for event in (one, *others)]


def test_memory_is_bounded_and_nothing_counted_is_lost() -> None:
    repeats = Repeats(most=2)
    repeats.add(read(0, object_id="a" * 64))
    repeats.add(read(1, object_id="a" * 64))
    repeats.add(read(2, object_id="b" * 64))
    counted, single = repeats.add(read(3, object_id="c" * 64))
    assert (counted.object_id, counted.count, single.object_id) == ("a" * 64, 1, "c" * 64)


def test_without_details_events_of_an_actor_are_equal_for_an_hour() -> None:
    repeats = Repeats()
    first = without_details(read(0, object_id="a" * 64))
    assert (first.method, first.object_id, first.address, first.status) == ("*", "", "", "*")
    assert repeats.add(first, LONG_WINDOW) == [first]
    assert repeats.add(without_details(read(3000, object_id="b" * 64, address="192.0.2.1")), LONG_WINDOW) == []
    (row,) = repeats.take_ended(NOON + timedelta(hours=1))
    assert row.count == 1
