"""The languages of a live meeting's tracks, and the one of the meeting so far."""

from __future__ import annotations

from meetra.v1 import live_pb2 as pb

from server.conversation import Segment, Word
from server.live.config import MAX_TRACKS
from server.live.languages import LiveLanguages
from tests.server.live.live_configs import PARTICIPANT, of_kinds

S = 1_000_000
CONFIG = of_kinds(PARTICIPANT, PARTICIPANT)


def told(events: list[pb.LiveEvent]) -> list[tuple[str, str]]:
    return [(event.language.track_id, event.language.language) for event in events]


def spoken(track: int, number: int, seconds: int, language: str) -> Segment:
    """A segment of a track; a segment's number modulo the number of tracks is its track."""
    words = (Word("w", 0, 1, None),)
    return Segment(MAX_TRACKS * number + track, 1 + track, 0, seconds * S, words, language=language)


def test_a_language_is_told_when_it_is_known_and_when_it_changes() -> None:
    languages = LiveLanguages(CONFIG)
    languages.update(0, "", None)
    assert languages.changes(()) == []
    languages.update(0, "de", 0.5)
    languages.update(1, "en", None)
    assert told(languages.changes(())) == [("t0", "de"), ("t1", "en")]
    # Surer, but the same; and one that came and went unnoticed.
    languages.update(0, "de", 0.9)
    languages.update(1, "fr", 0.5)
    languages.update(1, "en", None)
    assert languages.changes(()) == []
    # What is not known for a moment has not changed.
    languages.update(0, "", None)
    languages.update(0, "nl", 0.9)
    assert told(languages.changes(())) == [("t0", "nl")]


def test_how_sure_it_is_is_absent_where_it_was_given() -> None:
    languages = LiveLanguages(CONFIG)
    languages.update(0, "de", 0.25)
    languages.update(1, "en", None)
    sure, given = (event.language for event in languages.changes(()))
    assert sure.confidence == 0.25
    assert not given.HasField("confidence")


def test_the_meeting_is_in_the_language_spoken_most_and_as_sure_as_the_tracks_that_say_it() -> None:
    languages = LiveLanguages(CONFIG)
    assert languages.most_spoken([]) == ("", None)
    languages.update(0, "de", 0.5)
    languages.update(1, "de", 0.9)
    segments = [spoken(0, 1, 30, "de"), spoken(1, 1, 10, "de"), spoken(1, 2, 20, "en")]
    assert languages.most_spoken(segments) == ("de", 0.6)
    languages.update(1, "en", 0.9)
    assert languages.most_spoken(segments) == ("de", 0.5)
    assert languages.most_spoken([*segments, spoken(1, 3, 30, "en")]) == ("en", 0.9)
