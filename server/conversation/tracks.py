"""The merge of several tracks into one conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from server.conversation.conversation import (
    UNKNOWN_SPEAKER,
    Conversation,
    Interval,
    Segment,
    Word,
    merge_intervals,
    speakers_by_first_speech,
)
from server.conversation.languages import most_spoken_language, speech_us_by_language, weighted_confidence


@dataclass(frozen=True, slots=True)
class TrackConversation:
    """The conversation of one track, in the track's own time, speaker numbers and segment ids."""

    conversation: Conversation
    start_us: int
    """Start of the track, microseconds from the start of the meeting."""
    speaker_number: Callable[[int], int]
    """Maps a speaker label of the track to the meeting-wide number."""
    index: int = 0
    """Index among the meeting's tracks."""
    silent: bool = False
    """Whether the track is digital silence throughout; then it does not count as a track."""


def meeting_segment_id(segment_id: int, index: int, track_count: int) -> int:
    """Return the meeting-wide id of a track's segment; unique across tracks, unchanged for a single track.

    Args:
        index: index of the track.
        track_count: number of tracks.
    """
    return segment_id * track_count + index


def segment_track_index(segment_id: int, track_count: int) -> int:
    """Return the index of the track of a meeting-wide segment id; the inverse of ``meeting_segment_id``."""
    return segment_id % track_count


def merge_tracks(tracks: Sequence[TrackConversation], track_count: int) -> Conversation:
    """Merge the conversations of at least one track.

    Overlap is measurable if several tracks are not silent. Noise is the loudest track's; music is the union over
    tracks. The language is the one with the most speaking time; its confidence is the mean over tracks in that
    language, weighted by speech.

    Args:
        track_count: number of the meeting's tracks, including ones left out of ``tracks``.
    """
    segments = sorted(
        (_to_meeting(segment, track, track_count) for track in tracks for segment in track.conversation.segments),
        key=lambda segment: (segment.start_us, segment.end_us, segment.segment_id),
    )
    engine = tracks[0].conversation.engine
    noises = [t.conversation.noise_dbfs for t in tracks if t.conversation.noise_dbfs is not None]
    language = most_spoken_language(speech_us_by_language(segments))
    confidences = [
        (t.conversation.language_confidence, speech_us_by_language(t.conversation.segments)[language])
        for t in tracks
        if t.conversation.language == language
    ]
    music = tuple(Interval(start + t.start_us, end + t.start_us) for t in tracks for start, end in t.conversation.music)
    return Conversation(
        duration_us=max(t.start_us + t.conversation.duration_us for t in tracks),
        speakers=speakers_by_first_speech(segments),
        segments=tuple(segments),
        engine=replace(engine, overlap=engine.overlap or sum(not track.silent for track in tracks) > 1),
        noise_dbfs=max(noises, default=None),
        music=merge_intervals(music) if len(tracks) > 1 else music,
        language=language,
        language_confidence=weighted_confidence(confidences),
    )


def _to_meeting(segment: Segment, track: TrackConversation, track_count: int) -> Segment:
    shift_us = track.start_us
    unknown = segment.speaker == UNKNOWN_SPEAKER
    return replace(
        segment,
        segment_id=meeting_segment_id(segment.segment_id, track.index, track_count),
        speaker=UNKNOWN_SPEAKER if unknown else track.speaker_number(segment.speaker),
        start_us=segment.start_us + shift_us,
        end_us=segment.end_us + shift_us,
        words=tuple(shift_word(word, shift_us) for word in segment.words) if shift_us else segment.words,
    )


def shift_word(word: Word, shift_us: int) -> Word:
    """Return the word shifted by ``shift_us`` microseconds."""
    return replace(word, start_us=word.start_us + shift_us, end_us=word.end_us + shift_us)
