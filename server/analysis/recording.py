"""What there is to analyse of a meeting: the tracks of its audio, uploaded or live.

An uploaded recording is one track whose voices are told apart. A live meeting has the tracks of
its config, less those that carry another's audio.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import numpy as np
from meetra.inference.v1 import session_pb2
from numpy.typing import NDArray

from server.analysis.voices import MIN_SPEECH_S
from server.audio import LevelMeter
from server.conversation import Conversation, Event, HeardTrack, fold, joined
from server.engine import event_of

VOICE_TASK = "speaker vectors"


@dataclass(frozen=True)
class AudioTrack:
    """One track to analyse."""

    pcm: Callable[[], AsyncIterator[bytes]]
    """Its audio from the beginning, s16le mono at 16 kHz."""
    samples: int
    """How long it is; 0 where that is not known before."""
    expected_speakers: int | None = None
    start_us: int = 0
    number_of: Callable[[int], int] = lambda label: label
    """The meeting's number of a speaker of the track."""
    place: int = 0
    """Which of the meeting's tracks it is, from 0."""
    called: str = "the whole recording"
    """What people call it: ``channel 1``, ``track 2 of 2``."""
    level_dbfs: float | None = None
    """How loud it was as it came; None where it is heard as it came, so that this is measured."""


@dataclass(frozen=True)
class Recording:
    """Everything that is analysed of a meeting."""

    tracks: tuple[AudioTrack, ...]
    places: int = 1
    """How many tracks the meeting has, those included that are not analysed."""
    names: dict[int, str] = field(default_factory=dict)
    """Names of speakers that are known beforehand, by number."""
    remark: str = ""
    """Something to say of the recording itself when it is ready."""


@dataclass
class SessionResult:
    """What a session said of a track, with the voices apart: they are stored only where that is wanted."""

    events: list[Event] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    """The same as serialized RunSessionResponse."""
    vectors: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """Unit vector of the voice of each speaker who was heard alone for long enough."""
    voice_model: str = ""
    same_voice_similarity: float = 1.0
    """Cosine similarity from which two of the model's vectors are of one voice; 1 where the engine does not say."""
    language_unknown: bool = False
    """A language was given that the recogniser does not know: there are no words."""
    level: LevelMeter = field(default_factory=LevelMeter)
    """Of what the session was sent."""

    def take(self, response: session_pb2.RunSessionResponse) -> None:
        """Keeps what is final."""
        kind = response.WhichOneof("event")
        if kind == "turn" and response.turn.state != session_pb2.TURN_STATE_FINAL:
            return
        event = event_of(response)
        if event is None:
            return
        if kind == "ready":
            self.language_unknown = response.ready.language_unknown
            capabilities = response.ready.capabilities
            self.voice_model = next((name for name in capabilities.models if name.startswith(VOICE_TASK)), "")
            if capabilities.HasField("same_voice_similarity"):
                self.same_voice_similarity = capabilities.same_voice_similarity
        if kind == "finished":
            for profile in response.finished.speakers:
                if profile.speech_seconds >= MIN_SPEECH_S:
                    self.vectors[profile.speaker] = np.asarray(profile.vector, np.float32)
            del response.finished.speakers[:]
        self.events.append(event)
        self.messages.append(response.SerializeToString())


def conversation_of(
    recording: Recording, said: list[SessionResult]
) -> tuple[Conversation, dict[int, NDArray[np.float32]]]:
    """The conversation of all tracks, and the voice of each speaker by number."""
    heard = [
        HeardTrack(fold(one.events), track.start_us, track.number_of, track.place, one.level.silent)
        for track, one in zip(recording.tracks, said, strict=True)
    ]
    vectors = {
        track.number_of(label): vector
        for track, one in zip(recording.tracks, said, strict=True)
        for label, vector in one.vectors.items()
    }
    return joined(heard, recording.places), vectors
