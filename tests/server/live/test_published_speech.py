"""Who speaks around a moment, by the segments that are published now."""

from __future__ import annotations

from meetra.v1 import live_pb2 as pb

from server.live.published_speech import PublishedSpeech, speaker_id_of, utterances_of, voice_of
from server.live.speaker_names import UNKNOWN_SPEAKER_ID


def turn(id_: int, start_ms: int, end_ms: int, speaker: str = "a", track: str = "t0") -> pb.LiveTurn:
    return pb.LiveTurn(
        segment_id=id_,
        start_ms=start_ms,
        end_ms=end_ms,
        speaker_id=speaker,
        track_id=track,
        state=pb.LIVE_TURN_STATE_STABLE,
    )


def test_segments_are_found_by_time_as_they_are_now() -> None:
    speech = PublishedSpeech()
    for one in (turn(1, 0, 25_000), turn(2, 9_000, 11_000), turn(3, 60_000, 61_000)):
        speech.put(one)
    assert [found.segment_id for found in speech.between(11_000, 60_000)] == [1, 2, 3]
    assert [found.segment_id for found in speech.between(25_001, 59_999)] == []
    speech.put(turn(1, 0, 8_000))
    assert [found.segment_id for found in speech.between(10_000, 30_000)] == [2]
    gone = turn(2, 9_000, 11_000)
    gone.state = pb.LIVE_TURN_STATE_RETRACTED
    speech.put(gone)
    assert speech.between(10_000, 30_000) == []
    assert speech.get(2) is None
    assert speech.get(3) == turn(3, 60_000, 61_000)


def test_utterances_are_joined_by_voice_and_the_unknown_by_track() -> None:
    turns = [turn(1, 0, 1000), turn(2, 1400, 2000), turn(3, 2600, 3000), turn(4, 500, 900, UNKNOWN_SPEAKER_ID, "t1")]
    found = utterances_of(turns)
    assert {voice: [(u.start_us, u.end_us) for u in spoken] for voice, spoken in found.items()} == {
        "a": [(0, 2_000_000), (2_600_000, 3_000_000)],
        ("t1", 0): [(500_000, 900_000)],
    }
    assert [speaker_id_of(voice) for voice in map(voice_of, turns)] == ["a", "a", "a", UNKNOWN_SPEAKER_ID]
