"""The input of an analysis: the tracks of a meeting's audio, uploaded or live.

An uploaded recording is one track to diarize, or one track per channel. A live meeting has the tracks of its
config, without duplicates.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from meetra.inference.v2 import model_pb2, session_pb2
from numpy.typing import NDArray

from server.analysis.voices import MIN_SPEECH_S
from server.audio import LevelMeter
from server.conversation import (
    Conversation,
    Event,
    Interval,
    TrackConversation,
    fold,
    leave_out_copies,
    merge_tracks,
    most_spoken_language,
    speakers_by_first_speech,
    speech_us_by_language,
)
from server.engine import task_model_label, to_event


class Cut(NamedTuple):
    """Where a part of a track ends and the next begins, in samples at 16 kHz; what is between them is silent."""

    end: int
    start: int


@dataclass(frozen=True)
class AudioTrack:
    """One track to analyse."""

    pcm: Callable[[], AsyncIterator[bytes]]
    """Opens the track's audio from its start, s16le mono at 16 kHz."""
    samples: int
    """Length at 16 kHz; 0 if it is not known in advance."""
    expected_speakers: int | None = None
    is_participant: bool = False
    """Whether it is the track of a single known person; others that carry that person's voice do not speak for it."""
    start_us: int = 0
    speaker_number: Callable[[int], int] = lambda label: label
    """Maps a speaker label of the track to the meeting-wide number."""
    index: int = 0
    """Index among the meeting's tracks."""
    display_name: str = "the whole recording"
    """Label for people: ``channel 1``, ``track 2 of 2``."""
    cuts: tuple[Cut, ...] = ()
    """Where the analysis begins anew; see server.analysis.parts."""
    key_terms: tuple[str, ...] | None = None
    """Terms to bias recognition with; None: the meeting's."""
    level_dbfs: float | None = None
    """Level of the original audio; None if ``pcm`` is unchanged in level, which is then measured."""


@dataclass(frozen=True, slots=True)
class GivenName:
    """A name that somebody gave to a speaker while the meeting ran."""

    name: str
    speech: tuple[Interval, ...]
    """When that speaker spoke, as it was known then."""


@dataclass(frozen=True)
class Recording:
    """All tracks of a meeting to analyse."""

    tracks: tuple[AudioTrack, ...]
    track_count: int = 1
    """Number of tracks that the meeting may have, including ones that are not analysed: more than any index."""
    names: dict[int, str] = field(default_factory=dict)
    """Names known in advance, by speaker number."""
    room_names: dict[int, str] = field(default_factory=dict)
    """What voices are called that are not known by name, by speaker number; others are called by number."""
    former_names: tuple[str, ...] = ()
    """Names that its people had before."""
    given_names: tuple[GivenName, ...] = ()
    """Names given by hand before the end."""
    remark: str = ""
    """Remark on the recording for the status message."""


@dataclass
class SessionResult:
    """The final results of a track's session; speaker embeddings are apart, since they are stored only on request."""

    events: list[Event] = field(default_factory=list)
    vectors: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """Unit-length embedding of each speaker with at least MIN_SPEECH_S of speech."""
    voice_model: str = ""
    same_voice_similarity: float = 1.0
    """Cosine similarity from which two embeddings are the same voice; 1 if the engine reports none."""
    language_unknown: bool = False
    """A language was stated that the recogniser lacks: there are no words."""
    level: LevelMeter = field(default_factory=LevelMeter)
    """Level of the audio sent to the session."""

    def collect(self, response: session_pb2.RunSessionResponse) -> None:
        """Collect a response of the engine, if it is final."""
        kind = response.WhichOneof("event")
        if kind == "turn" and response.turn.state != session_pb2.TURN_STATE_FINAL:
            return
        event = to_event(response)
        if event is None:
            return
        if kind == "ready":
            self.language_unknown = response.ready.language_unknown
            capabilities = response.ready.capabilities
            self.voice_model = task_model_label(capabilities.models, model_pb2.TASK_SPEAKER_EMBEDDING)
            if capabilities.HasField("same_voice_similarity"):
                self.same_voice_similarity = capabilities.same_voice_similarity
        if kind == "finished":
            for profile in response.finished.speakers:
                if profile.speech_us >= MIN_SPEECH_S * 1_000_000:
                    self.vectors[profile.speaker] = np.asarray(profile.embedding, np.float32)
        self.events.append(event)


def build_conversation(
    recording: Recording, results: list[SessionResult], copies: Sequence[Sequence[int]] = ()
) -> tuple[Conversation, dict[int, NDArray[np.float32]]]:
    """Return the conversation of all tracks, and the speaker embeddings by meeting-wide number.

    Args:
        results: what the session of each track has found.
        copies: ``Heard`` of each track's frames, from ``find_copies``; copied speech is left out.
    """
    tracks = [
        TrackConversation(
            _without_copies(fold(result.events), frames),
            track.start_us,
            track.speaker_number,
            track.index,
            result.level.silent,
        )
        for track, result, frames in zip(recording.tracks, results, copies or [()] * len(results), strict=True)
    ]
    vectors = {
        track.speaker_number(label): vector
        for track, result in zip(recording.tracks, results, strict=True)
        for label, vector in result.vectors.items()
    }
    conversation = merge_tracks(tracks, recording.track_count)
    return conversation, {label: vector for label, vector in vectors.items() if label in conversation.speakers}


def _without_copies(conversation: Conversation, frames: Sequence[int]) -> Conversation:
    segments = leave_out_copies(conversation.segments, frames)
    if segments == conversation.segments:
        return conversation
    speakers = speakers_by_first_speech(segments)
    language = most_spoken_language(speech_us_by_language(segments))
    return replace(conversation, segments=segments, speakers=speakers, language=language)
