"""What the events of a meeting tell of it: the last of each turn, whoever spoke, in which language, up to where."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.conversation import EngineCapabilities
from server.live.published_meeting import PublishedMeeting
from server.live.speaker_names import UNKNOWN_SPEAKER_ID
from server.storage import LiveRow, speaker_id
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds

ID = UUID(int=7)
ROW = LiveRow(ID, UUID(int=1), None, "a" * 64, "receiving", {}, 1, 0, False, False, ())
CONFIG = replace(of_kinds(PARTICIPANT, MIXED), language="")
ENGINE = EngineCapabilities(languages=("de", "en"))
STABLE, RETRACTED = pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_RETRACTED


def turn(
    segment: int, speaker: int, start_ms: int, text: str, *, track: str = "t0", alias: str = "", **fields: int
) -> pb.LiveEvent:
    """A turn of a second a word."""
    words = text.split()
    return pb.LiveEvent(
        turn=pb.LiveTurn(
            segment_id=segment,
            state=pb.LiveTurnState.ValueType(fields.get("state", STABLE)),
            speaker_id=str(speaker_id(ID, speaker)) if speaker else UNKNOWN_SPEAKER_ID,
            alias=alias,
            track_id=track,
            start_ms=start_ms,
            end_ms=start_ms + 1000 * len(words),
            words=[
                pb.LiveWord(text=word, start_ms=start_ms + 1000 * i, end_ms=start_ms + 1000 * (i + 1))
                for i, word in enumerate(words)
            ],
        )
    )


def language(tag: str, confidence: float, track: str = "t0") -> pb.LiveEvent:
    return pb.LiveEvent(language=pb.LiveLanguage(track_id=track, language=tag, confidence=confidence))


def published(*events: pb.LiveEvent) -> PublishedMeeting:
    for number, event in enumerate(events, start=1):
        event.event_seq = number
    meeting = PublishedMeeting(ROW)
    meeting.apply(events)
    return meeting


def texts(meeting: PublishedMeeting) -> list[str]:
    said = meeting.conversation(CONFIG, ENGINE)
    return [" ".join(word.text for word in segment.words) for segment in said.segments]


def test_the_last_revision_counts_and_what_was_retracted_is_gone() -> None:
    meeting = published(
        turn(1, 1, 0, "guten"),
        turn(2, 1, 9000, "nein"),
        turn(1, 1, 0, "guten Morgen"),
        turn(2, 1, 9000, "", state=RETRACTED),
    )
    assert texts(meeting) == ["guten Morgen"]
    assert meeting.last_seq == 4
    meeting.apply([turn(3, 2, 1000, "hallo", track="t1")])
    assert texts(meeting) == ["guten Morgen", "hallo"]


def test_it_reaches_as_far_as_anything_is_known() -> None:
    assert published().through_ms == 0
    meeting = published(turn(1, 1, 500, "guten Morgen"))
    assert (meeting.through_ms, meeting.words_final_through_ms) == (2500, 0)
    meeting.apply([pb.LiveEvent(watermark=pb.Watermark(words_final_through_ms=4000))])
    assert (meeting.through_ms, meeting.words_final_through_ms) == (4000, 4000)
    meeting.apply([pb.LiveEvent(insights=pb.LiveInsights(through_ms=9000))])
    assert meeting.conversation(CONFIG, ENGINE).duration_us == 9_000_000


def test_speakers_have_the_names_that_were_told_last_and_the_unknown_one_is_none() -> None:
    renamed = pb.LiveSpeaker(speaker_id=str(speaker_id(ID, 3)), alias="Ben")
    meeting = published(
        turn(1, 3, 0, "hallo", track="t1", alias="Speaker 3"),
        turn(2, 0, 2000, "hm", track="t1", alias="Unknown"),
        turn(3, 1, 4000, "guten Morgen", alias="P0"),
        pb.LiveEvent(insights=pb.LiveInsights(speakers=[renamed])),
    )
    said = meeting.conversation(CONFIG, ENGINE)
    assert [segment.speaker for segment in said.segments] == [3, 0, 1]
    rows = meeting.speakers(CONFIG, said, {})
    assert [(row.label, row.alias, row.alias_source) for row in rows] == [(1, "P0", "track"), (3, "Ben", "number")]
    (_, given) = meeting.speakers(CONFIG, said, {3: "Bea"})
    assert (given.alias, given.alias_source, given.id) == ("Bea", "hand", speaker_id(ID, 3))


def test_an_id_that_no_number_has_is_nobody_s() -> None:
    strange = turn(1, 1, 0, "hallo")
    strange.turn.speaker_id = str(UUID(int=99))
    assert [segment.speaker for segment in published(strange).conversation(CONFIG, ENGINE).segments] == [0]


def test_a_turn_is_in_the_language_that_its_track_had_when_it_was_told() -> None:
    meeting = published(
        turn(1, 1, 0, "guten Morgen"),
        language("de", 0.9),
        turn(2, 1, 5000, "wie geht es"),
        language("en", 0.6),
        turn(3, 1, 9000, "fine thanks"),
        turn(4, 2, 12000, "hallo", track="t1"),
    )
    said = meeting.conversation(CONFIG, ENGINE)
    assert [segment.language for segment in said.segments] == ["de", "de", "en", ""]
    assert (said.language, said.language_confidence) == ("de", None)
    stated = meeting.conversation(replace(CONFIG, language="nl-BE"), ENGINE)
    assert [segment.language for segment in stated.segments] == ["de", "de", "en", "nl"]
