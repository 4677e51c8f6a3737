"""One conversation from what was heard on several tracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from server.conversation.conversation import UNKNOWN_SPEAKER, Conversation, Interval, Segment, Word, merge_intervals
from server.conversation.languages import most_spoken, spoken_us, weighted_confidence


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """What was heard on one track, in the track's own time, numbers and segments."""

    conversation: Conversation
    start_us: int
    """When the track begins, from the start of the meeting."""
    number_of: Callable[[int], int]
    """The meeting's number of a speaker of the track."""
    place: int = 0
    """Which of the meeting's tracks it is, from 0."""
    silent: bool = False
    """Nothing but digital silence came: it is as if there were no such track."""


def segment_name(segment_id: int, place: int, places: int) -> int:
    """The meeting's name of a track's segment: no two tracks share one, and one track alone keeps its own."""
    return segment_id * places + place


def place_of_segment(name: int, places: int) -> int:
    """Which of the meeting's tracks a segment was heard on, by its name in the meeting."""
    return name % places


def joined(tracks: Sequence[HeardTrack], places: int) -> Conversation:
    """The conversation of the tracks (at least one) of a meeting of ``places`` tracks.

    Voices on tracks of their own can be heard at once, so with several that are not silent overlap is known. The
    noise is the loudest track's; music plays where it plays on any track. The language is the one in which most time
    is spoken on all of them, as sure as the tracks are that say it, by their speech in it.
    """
    segments = sorted(
        (_moved(segment, track, places) for track in tracks for segment in track.conversation.segments),
        key=lambda segment: (segment.start_us, segment.end_us, segment.segment_id),
    )
    engine = tracks[0].conversation.engine
    noises = [t.conversation.noise_dbfs for t in tracks if t.conversation.noise_dbfs is not None]
    language = most_spoken(spoken_us(segments))
    sure = [
        (t.conversation.language_confidence, spoken_us(t.conversation.segments)[language])
        for t in tracks
        if t.conversation.language == language
    ]
    music = tuple(Interval(start + t.start_us, end + t.start_us) for t in tracks for start, end in t.conversation.music)
    return Conversation(
        duration_us=max(t.start_us + t.conversation.duration_us for t in tracks),
        speakers=tuple(dict.fromkeys(s.speaker for s in segments if s.speaker != UNKNOWN_SPEAKER)),
        segments=tuple(segments),
        engine=replace(engine, overlap=engine.overlap or sum(not track.silent for track in tracks) > 1),
        noise_dbfs=max(noises, default=None),
        music=merge_intervals(music) if len(tracks) > 1 else music,
        language=language,
        language_confidence=weighted_confidence(sure),
    )


def _moved(segment: Segment, track: HeardTrack, places: int) -> Segment:
    shift = track.start_us
    unknown = segment.speaker == UNKNOWN_SPEAKER
    return replace(
        segment,
        segment_id=segment_name(segment.segment_id, track.place, places),
        speaker=UNKNOWN_SPEAKER if unknown else track.number_of(segment.speaker),
        start_us=segment.start_us + shift,
        end_us=segment.end_us + shift,
        words=tuple(moved_word(word, shift) for word in segment.words) if shift else segment.words,
    )


def moved_word(word: Word, shift_us: int) -> Word:
    """The word so much later."""
    return replace(word, start_us=word.start_us + shift_us, end_us=word.end_us + shift_us)
