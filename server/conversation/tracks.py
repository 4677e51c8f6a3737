"""The merge of several tracks into one conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from server.conversation.conversation import UNKNOWN_SPEAKER, Conversation, Interval, Segment, Word, merge_intervals
from server.conversation.languages import most_spoken, spoken_us, weighted_confidence


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """The conversation of one track, in the track's own time, speaker numbers and segment ids."""

    conversation: Conversation
    start_us: int
    """Start of the track, microseconds from the start of the meeting."""
    number_of: Callable[[int], int]
    """Maps a speaker label of the track to the meeting-wide number."""
    place: int = 0
    """Index among the meeting's tracks."""
    silent: bool = False
    """Whether the track is digital silence throughout; then it does not count as a track."""


def segment_name(segment_id: int, place: int, places: int) -> int:
    """Return the meeting-wide id of a track's segment; unique across tracks, unchanged for a single track.

    Args:
        place: index of the track.
        places: number of tracks.
    """
    return segment_id * places + place


def place_of_segment(name: int, places: int) -> int:
    """Return the index of the track of a meeting-wide segment id; the inverse of ``segment_name``."""
    return name % places


def joined(tracks: Sequence[HeardTrack], places: int) -> Conversation:
    """Merge the conversations of at least one track.

    Overlap is measurable if several tracks are not silent. Noise is the loudest track's; music is the union over
    tracks. The language is the one with the most speaking time; its confidence is the mean over tracks in that
    language, weighted by speech.

    Args:
        places: number of the meeting's tracks, including ones left out of ``tracks``.
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
    """Return the word shifted by ``shift_us`` microseconds."""
    return replace(word, start_us=word.start_us + shift_us, end_us=word.end_us + shift_us)
