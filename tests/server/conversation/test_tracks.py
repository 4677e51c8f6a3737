"""One conversation of several tracks: nothing is lost, nothing collides, and the order of tracks says nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import UNKNOWN_SPEAKER, Conversation, EngineCapabilities, Interval, Word, merge_intervals
from server.conversation.tracks import TrackConversation, meeting_segment_id, merge_tracks, shift_word
from tests.server.conversation.spoken import ENGINE, conversation
from tests.server.insights.talks import talks

S = 1_000_000


@st.composite
def heard_tracks(draw: st.DrawFn) -> tuple[list[TrackConversation], int]:
    """Some of a meeting's tracks, each of its own voices, and how many tracks the meeting has."""
    track_count = draw(st.integers(1, 4))
    chosen = draw(st.lists(st.integers(0, track_count - 1), min_size=1, max_size=track_count, unique=True))
    made = []
    for place in chosen:
        talk = replace(draw(talks(most=4)), sentences=())
        made.append(TrackConversation(talk, draw(st.integers(0, 10**9)), partial(number, place), place))
    return made, track_count


def number(place: int, label: int) -> int:
    """Voices of different tracks never have one number."""
    return 10 * place + label


def unlike(conversation: Conversation, **other: object) -> Conversation:
    return replace(conversation, **other)  # type: ignore[arg-type]


def track(talk: Conversation, place: int = 0, start_us: int = 0) -> TrackConversation:
    return TrackConversation(talk, start_us, partial(number, place), place)


@given(talks(most=6))
def test_one_track_alone_is_its_own_conversation(talk: Conversation) -> None:
    ordered = sorted(talk.segments, key=lambda s: (s.start_us, s.end_us, s.segment_id))
    talk = replace(talk, sentences=(), segments=tuple(ordered))
    talk = replace(talk, speakers=tuple(dict.fromkeys(s.speaker for s in ordered)))
    assert merge_tracks([TrackConversation(talk, 0, lambda label: label)], 1) == talk


@given(heard_tracks(), st.randoms())
def test_the_order_of_tracks_says_nothing(made: tuple[list[TrackConversation], int], random: object) -> None:
    tracks, track_count = made
    shuffled = list(tracks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge_tracks(shuffled, track_count) == merge_tracks(tracks, track_count)


@given(heard_tracks())
def test_every_segment_is_there_at_its_time_under_a_name_of_its_own(made: tuple[list[TrackConversation], int]) -> None:
    tracks, track_count = made
    whole = merge_tracks(tracks, track_count)
    found = {segment.segment_id: segment for segment in whole.segments}
    assert len(found) == len(whole.segments) == sum(len(t.conversation.segments) for t in tracks)
    for one in tracks:
        for segment in one.conversation.segments:
            again = found[meeting_segment_id(segment.segment_id, one.index, track_count)]
            assert (again.start_us, again.end_us) == (segment.start_us + one.start_us, segment.end_us + one.start_us)
            assert again.speaker == one.speaker_number(segment.speaker)
            assert again.words == tuple(shift_word(word, one.start_us) for word in segment.words)
            assert again.acoustics == segment.acoustics


@given(heard_tracks())
def test_segments_and_speakers_are_in_the_order_of_time(made: tuple[list[TrackConversation], int]) -> None:
    whole = merge_tracks(*made)
    assert [s.start_us for s in whole.segments] == sorted(s.start_us for s in whole.segments)
    assert whole.speakers == tuple(dict.fromkeys(s.speaker for s in whole.segments))


@given(heard_tracks())
def test_the_meeting_lasts_until_its_last_track_ends(made: tuple[list[TrackConversation], int]) -> None:
    tracks, track_count = made
    assert merge_tracks(tracks, track_count).duration_us == max(t.start_us + t.conversation.duration_us for t in tracks)


@given(heard_tracks())
def test_a_track_more_takes_nothing_away(made: tuple[list[TrackConversation], int]) -> None:
    tracks, track_count = made
    whole = merge_tracks(tracks, track_count)
    for without in range(len(tracks)):
        rest = tracks[:without] + tracks[without + 1 :]
        if rest:
            part = merge_tracks(rest, track_count)
            assert set(part.segments) <= set(whole.segments)
            assert set(part.speakers) <= set(whole.speakers)
            assert part.duration_us <= whole.duration_us


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 31)), unique=True, max_size=50))
def test_no_two_segments_of_any_tracks_share_a_name(segments: list[tuple[int, int]]) -> None:
    assert len({meeting_segment_id(id_, place, 32) for id_, place in segments}) == len(segments)


def test_who_is_not_known_on_any_track_stays_unknown() -> None:
    talks_ = [conversation((UNKNOWN_SPEAKER, 0, 1), (1, 2, 3)), conversation((UNKNOWN_SPEAKER, 1, 2))]
    whole = merge_tracks([track(talk, place) for place, talk in enumerate(talks_)], 2)
    assert [segment.speaker for segment in whole.segments] == [UNKNOWN_SPEAKER, UNKNOWN_SPEAKER, 1]
    assert whole.speakers == (1,)


OVERLAPS: list[tuple[bool, int, bool]] = [(False, 1, False), (True, 1, True), (False, 2, True), (True, 2, True)]


@pytest.mark.parametrize(("engine_tells", "tracks", "known"), OVERLAPS)
def test_overlap_is_known_where_voices_have_tracks_of_their_own(engine_tells: bool, tracks: int, known: bool) -> None:
    talk = unlike(conversation((1, 0, 5)), engine=EngineCapabilities(overlap=engine_tells, languages=("en",)))
    whole = merge_tracks([track(talk, place) for place in range(tracks)], 3)
    assert whole.engine == EngineCapabilities(overlap=known, languages=("en",))


def test_the_noise_is_the_loudest_tracks() -> None:
    def noise(*levels: float | None) -> float | None:
        heard = [unlike(conversation((1, 0, 5)), noise_dbfs=level) for level in levels]
        return merge_tracks([track(talk, place) for place, talk in enumerate(heard)], len(levels)).noise_dbfs

    assert noise(-70.0, -50.0) == -50.0
    assert noise(None, -60.0) == -60.0
    assert noise(None, None) is None


def test_music_plays_where_it_plays_on_any_track() -> None:
    def plays(*spans: tuple[int, int]) -> Conversation:
        return unlike(conversation((1, 0, 5)), music=tuple(Interval(a * S, b * S) for a, b in spans))

    def of(tracks: Sequence[TrackConversation]) -> list[tuple[float, float]]:
        return [(a / S, b / S) for a, b in merge_tracks(tracks, len(tracks)).music]

    assert of([track(plays((0, 10), (20, 30))), track(plays((5, 15)), 1)]) == [(0, 15), (20, 30)]
    # A track's music is as late as the track.
    assert of([track(plays((0, 10))), track(plays((0, 10)), 1, 40 * S)]) == [(0, 10), (40, 50)]


@given(heard_tracks())
def test_music_is_as_late_as_its_tracks_be_it_one_or_many(made: tuple[list[TrackConversation], int]) -> None:
    tracks, track_count = made
    playing = [
        replace(t, conversation=replace(t.conversation, music=(Interval(t.index * S, (t.index + 5) * S),)))
        for t in tracks
    ]
    music = merge_tracks(playing, track_count).music
    assert music == merge_intervals(Interval(t.start_us + t.index * S, t.start_us + (t.index + 5) * S) for t in tracks)


def test_a_word_is_as_late_as_its_track() -> None:
    talk = conversation((1, 0, 5))
    word = Word("late", S, 2 * S, 0.5)
    talk = unlike(talk, segments=(replace(talk.segments[0], words=(word,)),))
    (segment,) = merge_tracks([track(talk, start_us=7 * S)], 1).segments
    assert segment.words == (Word("late", 8 * S, 9 * S, 0.5),)
    assert (segment.start_us, segment.end_us) == (7 * S, 12 * S)
    assert merge_tracks([track(talk)], 1).engine == ENGINE


def test_a_track_of_digital_silence_tells_nothing_of_overlap() -> None:
    spoken, nothing = conversation(), Conversation(3 * S, (), (), ENGINE)
    assert not ENGINE.overlap
    assert merge_tracks([track(spoken), track(nothing, place=1)], 2).engine.overlap
    assert not merge_tracks([track(spoken), replace(track(nothing, place=1), silent=True)], 2).engine.overlap
