"""What is redacted never leaves a live meeting, not even while it is being said."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.conversation import Conversation, EngineCapabilities, Segment, TurnState
from server.live.config import MAX_TRACKS, LiveConfig, LiveTrack
from server.live.published_state import PublishedState, compute_watermark
from server.live.turn_snapshot import TurnSnapshot
from server.live.turns import MeetingTurns
from tests.server.live.live_configs import PARTICIPANT, PCM, of_tracks
from tests.server.redaction.words import spoken

MEETING = UUID(int=7)
KINDS = "email,phone,card,iban,name"
PEOPLE = [LiveTrack("", PARTICIPANT, name, PCM, 0) for name in ("Ann Lee", "Bo")]
CONFIG: LiveConfig = replace(of_tracks(PEOPLE), redact=KINDS)


def turn(id_: int, text: str, start_s: float = 0, state: TurnState = TurnState.PARTIAL, track: int = 0) -> TurnSnapshot:
    words = spoken(text, round(start_s * 1e6))
    end_us = words[-1].end_us if words else round(start_s * 1e6)
    return TurnSnapshot(id_ * 2 + track, track, state, track + 1, round(start_s * 1e6), end_us, words, "en")


class Meeting:
    """A meeting's turns, and all that was ever published of them."""

    def __init__(self) -> None:
        self.turns = MeetingTurns(CONFIG, MEETING)
        self.sent: list[pb.LiveEvent] = []

    def hear(self, heard_s: float, *turns: TurnSnapshot) -> dict[int, str]:
        for one in turns:
            self.turns.update(one)
        for track in range(len(CONFIG.tracks)):
            self.turns.mark_heard(track, round(heard_s * 1e6))
        return self.publish(self.turns.changes())

    def publish(self, events: list[pb.LiveEvent]) -> dict[int, str]:
        self.sent += events
        return {e.turn.segment_id: " ".join(word.text for word in e.turn.words) for e in events if e.HasField("turn")}

    @property
    def texts(self) -> str:
        return "\n".join(str(event) for event in self.sent)


def test_a_number_is_never_sent_while_it_is_said() -> None:
    meeting = Meeting()
    said = "my card is four one one one one one one one one one one one one one one one thanks a lot".split()
    for count in range(1, len(said) + 1):
        meeting.hear(count * 0.3, turn(1, " ".join(said[:count])))
    meeting.hear(60, turn(1, " ".join(said), state=TurnState.STABLE))
    assert "one" not in meeting.texts
    assert "four" not in meeting.texts
    last = meeting.sent[-1].turn
    assert " ".join(word.text for word in last.words) == "my card is [CARD] thanks a lot"


def test_an_address_is_never_sent_while_it_is_said() -> None:
    meeting = Meeting()
    said = "my e-mail is ann dot lee at example dot com and i will wait for it".split()
    for count in range(1, len(said) + 1):
        meeting.hear(count * 0.3, turn(1, " ".join(said[:count])))
    meeting.hear(60)
    assert not any(word in meeting.texts for word in ("ann", "lee", "example"))
    assert " ".join(w.text for w in meeting.sent[-1].turn.words) == "my e-mail is [EMAIL] and i will wait for it"


def test_what_is_held_back_comes_after_a_pause() -> None:
    meeting = Meeting()
    assert meeting.hear(1.0, turn(1, "we met by 10 30", state=TurnState.STABLE)) == {1: "we met by"}
    assert meeting.hear(5.0) == {}
    assert meeting.hear(10.0) == {1: "we met by 10 30"}
    assert meeting.hear(11.0) == {}


def test_a_number_in_two_turns_is_redacted_in_both() -> None:
    meeting = Meeting()
    first = turn(1, "my number is 415 555", state=TurnState.STABLE)
    assert meeting.hear(2.0, first) == {1: "my number is"}
    shown = meeting.hear(9.0, turn(2, "0199 thanks a lot for it", 4.0, state=TurnState.STABLE))
    assert shown == {1: "my number is [PHONE]", 2: "[PHONE] thanks a lot"}


def test_names_of_participants_and_common_ones_are_redacted_and_speakers_are_numbers() -> None:
    meeting = Meeting()
    shown = meeting.hear(20.0, turn(1, "thanks Ann, and Kevin was Lee's guest", state=TurnState.STABLE))
    assert shown == {1: "thanks [NAME], and [NAME] was [NAME]'s guest"}
    assert meeting.sent[-1].turn.alias == "Speaker 1"
    assert "Ann" not in meeting.texts


def test_a_turn_is_not_final_and_words_are_not_before_they_are_shown() -> None:
    told = PublishedState(CONFIG, MEETING)
    turns = told.turns
    turns.settle_speakers(0)
    turns.update(turn(1, "we met by 10 30", state=TurnState.STABLE))
    turns.mark_words_final(0, 5_000_000)
    turns.mark_heard(0, 5_000_000)
    (event,) = [e for e in told.changes(()) if e.HasField("turn")]
    assert event.turn.state == pb.LIVE_TURN_STATE_STABLE
    assert turns.held_from_us(0) == 900_000
    assert compute_watermark(CONFIG, turns, {1}).words_final_through_ms == 900
    turns.mark_heard(0, 20_000_000)
    events = told.changes({1})
    assert [e.turn.state for e in events if e.HasField("turn")] == [pb.LIVE_TURN_STATE_FINAL]
    assert compute_watermark(CONFIG, turns, {1}).words_final_through_ms == 5000


def test_a_final_turn_is_revised_only_to_redact_more() -> None:
    meeting = Meeting()
    meeting.turns.settle_speakers(0)
    meeting.turns.mark_words_final(0, 60_000_000)
    meeting.hear(60.0, turn(1, "it is 5550199 there and Kevin knows", state=TurnState.STABLE))
    assert meeting.sent[-1].turn.state == pb.LIVE_TURN_STATE_FINAL
    stored = Segment(MAX_TRACKS, 1, 0, 2_050_000, spoken("it is [PHONE] there and Kevin knows"), language="en")
    conversation = Conversation(60_000_000, (1,), (stored,), EngineCapabilities())
    assert meeting.publish(meeting.turns.final_changes(conversation)) == {}
    more = replace(stored, words=spoken("it is [PHONE] there and [NAME] knows"))
    assert meeting.publish(meeting.turns.final_changes(replace(conversation, segments=(more,)))) == {
        1: "it is [PHONE] there and [NAME] knows"
    }


def test_what_is_held_back_comes_when_a_long_pause_ends_it() -> None:
    meeting = Meeting()
    meeting.turns.settle_speakers(0)
    meeting.turns.mark_words_final(0, 2_000_000)
    assert meeting.hear(2.0, turn(1, "we met by 10 30", state=TurnState.STABLE)) == {1: "we met by"}
    meeting.turns.mark_paused(0, 2_000_000)
    assert meeting.publish(meeting.turns.changes()) == {1: "we met by 10 30"}
    assert meeting.sent[-1].turn.state == pb.LIVE_TURN_STATE_FINAL
    # What comes later is held back as before.
    assert meeting.hear(3.0, turn(2, "well the rest of it is 415 555", 2.0)) == {2: "well the rest of it is"}


def test_a_turn_that_goes_joins_the_digits_around_it() -> None:
    meeting = Meeting()
    between = turn(2, "well I think so and you know it", 2.0, state=TurnState.STABLE)
    after = turn(3, "555 0199 thanks a lot for it", 5.0, state=TurnState.STABLE)
    shown = meeting.hear(9.0, turn(1, "my number is 415", state=TurnState.STABLE), between, after)
    assert shown[1] == "my number is 415"
    shown = meeting.hear(9.0, replace(between, state=TurnState.RETRACTED, words=()))
    assert shown == {1: "my number is [PHONE]", 2: "", 3: "[PHONE] thanks a lot"}


def test_words_told_before_a_restart_are_not_held_back_after_it() -> None:
    before = Meeting()
    before.hear(20.0, turn(1, "we met by 10 30", state=TurnState.STABLE))
    after = Meeting()
    after.turns.restore(before.sent)
    after.turns.settle_speakers(0)
    after.turns.mark_words_final(0, 20_000_000)
    assert after.publish(after.turns.changes()) == {1: "we met by 10 30"}
    assert after.sent[-1].turn.state == pb.LIVE_TURN_STATE_FINAL


def test_a_final_turn_that_is_redacted_further_stays_final_and_keeps_its_words() -> None:
    meeting = Meeting()
    meeting.turns.settle_speakers(0)
    meeting.turns.mark_words_final(0, 3_000_000)
    meeting.hear(20.0, turn(1, "Kelvin said by 10 30", state=TurnState.STABLE))
    assert meeting.sent[-1].turn.state == pb.LIVE_TURN_STATE_FINAL
    again = turn(1, "Kevin said by 10 30", state=TurnState.STABLE)
    # Its end may become a number with what follows: until that is known it stays as it is.
    assert meeting.hear(20.5, again, turn(2, "20", 20.0)) == {2: ""}
    shown = meeting.hear(40.0, turn(2, "20 of us were there in time", 20.0))
    assert shown[1] == "[NAME] said by 10 30"
    assert {e.turn.state for e in meeting.sent if e.turn.segment_id == 1} == {pb.LIVE_TURN_STATE_FINAL}


def test_insights_are_made_of_redacted_words() -> None:
    meeting = Meeting()
    meeting.hear(60.0, turn(1, "call 415 555 0199 please", state=TurnState.STABLE))
    (segment,) = meeting.turns.segments()
    assert [word.text for word in segment.words] == ["call", "[PHONE]", "please"]


def test_without_redaction_nothing_changes() -> None:
    plain = MeetingTurns(replace(CONFIG, redact=""), MEETING)
    plain.update(turn(1, "call Ann 415 555"))
    (event,) = plain.changes()
    assert [word.text for word in event.turn.words] == ["call", "Ann", "415", "555"]
    assert event.turn.alias == "Ann Lee"


def test_a_name_that_is_learnt_later_is_taken_out_of_what_was_told() -> None:
    config = replace(of_tracks(PEOPLE), redact="name")
    turns = MeetingTurns(config, MEETING)
    turns.update(turn(1, "ask Zorbas about it", 0, TurnState.FINAL))
    turns.update(turn(2, "nothing of the kind", 200, TurnState.FINAL))
    turns.update(turn(3, "and Zorbas agreed", 400, TurnState.STABLE))
    assert "Zorbas" in str(turns.changes())
    joined = replace(config.tracks[0], track_id="c", participant_name="Nikos Zorbas", joined=1)
    config.set_tracks(replace(config, tracks=(*config.tracks, joined)))
    turns.adopt_tracks()
    told = [" ".join(word.text for word in event.turn.words) for event in turns.changes() if event.HasField("turn")]
    assert told == ["ask [NAME] about it", "and [NAME] agreed"]
    turns.adopt_tracks()
    assert turns.changes() == []
