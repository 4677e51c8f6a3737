"""The input of an analysis: the tracks of a meeting's audio, uploaded or live.

An uploaded recording is one track to diarize, or one track per channel. A live meeting has the tracks of its
config, without duplicates.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import numpy as np
from meetra.inference.v2 import model_pb2, session_pb2
from numpy.typing import NDArray

from server.analysis.voices import MIN_SPEECH_S
from server.audio import LevelMeter
from server.conversation import Conversation, Event, Interval, TrackConversation, fold, merge_tracks
from server.engine import task_model_label, to_event


@dataclass(frozen=True)
class AudioTrack:
    """One track to analyse."""

    pcm: Callable[[], AsyncIterator[bytes]]
    """Opens the track's audio from its start, s16le mono at 16 kHz."""
    samples: int
    """Length at 16 kHz; 0 if it is not known in advance."""
    expected_speakers: int | None = None
    start_us: int = 0
    speaker_number: Callable[[int], int] = lambda label: label
    """Maps a speaker label of the track to the meeting-wide number."""
    index: int = 0
    """Index among the meeting's tracks."""
    display_name: str = "the whole recording"
    """Label for people: ``channel 1``, ``track 2 of 2``."""
    cuts: tuple[int, ...] = ()
    """Samples at 16 kHz at which the analysis begins anew; see server.analysis.parts."""
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
    """Number of the meeting's tracks, including ones that are not analysed."""
    names: dict[int, str] = field(default_factory=dict)
    """Names known in advance, by speaker number."""
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
    recording: Recording, results: list[SessionResult]
) -> tuple[Conversation, dict[int, NDArray[np.float32]]]:
    """Return the conversation of all tracks, and the speaker embeddings by meeting-wide number."""
    tracks = [
        TrackConversation(fold(result.events), track.start_us, track.speaker_number, track.index, result.level.silent)
        for track, result in zip(recording.tracks, results, strict=True)
    ]
    vectors = {
        track.speaker_number(label): vector
        for track, result in zip(recording.tracks, results, strict=True)
        for label, vector in result.vectors.items()
    }
    return merge_tracks(tracks, recording.track_count), vectors
