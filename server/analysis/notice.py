"""The notice on a meeting's answers: no speech or no words were found, and the likely reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.analysis.recording import AudioTrack, Recording, SessionResult
from server.conversation import Conversation, named_language
from server.media import RATE_HZ

# Speech from a working microphone is tens of dB louder.
HARDLY_AUDIBLE_DBFS = -60.0
# Longer language lists are only referred to, at details.engine.languages.
MAX_LANGUAGES = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """Whether speech was found, and a text about what is missing."""

    speech_found: bool
    text: str
    """Sentences for people; empty if nothing is missing."""


def notice_of(conversation: Conversation, recording: Recording, said: Sequence[SessionResult], language: str) -> Notice:
    """Return what a conversation lacks, and why.

    Args:
        said: session results of the recording's tracks, in order.
        language: BCP 47 tag as stated; empty if it was to be detected.
    """
    if not conversation.segments:
        return Notice(False, _no_speech(conversation, recording, said))
    if not conversation.words:
        return Notice(True, _no_words(conversation, recording, said, language))
    return Notice(True, "")


def ready_message(remark: str, notice: Notice) -> str:
    """Return the status message of a ready meeting; ``remark`` is about the recording itself."""
    ready = f"Ready; {remark}" if remark else "Ready"
    return f"{ready}. {notice.text}" if notice.text else ready


def _no_speech(conversation: Conversation, recording: Recording, said: Sequence[SessionResult]) -> str:
    sentences = ["No speech was found.", _heard(recording, said)]
    music_s = sum(end - start for start, end in conversation.music) / 1e6
    if music_s >= 1:
        sentences.append(f"Music plays for {music_s:.0f} s.")
    levels = [_level_dbfs(track, one) for track, one in zip(recording.tracks, said, strict=True)]
    if all(level is None or level < HARDLY_AUDIBLE_DBFS for level in levels):
        sentences.append("Look whether the microphone was muted, or another source was recorded.")
    return " ".join(sentences)


def _heard(recording: Recording, said: Sequence[SessionResult]) -> str:
    """Describe the analysed tracks with length and level."""
    heard = [_heard_of(track, one) for track, one in zip(recording.tracks, said, strict=True)]
    return f"Heard: {'; '.join(heard)}."


def _heard_of(track: AudioTrack, said: SessionResult) -> str:
    """Describe one track: ``channel 1, 12 s at -31.5 dBFS``."""
    if not said.level.samples:
        return f"{track.called}, without any audio"
    level = _level_dbfs(track, said)
    if level is None:
        loud = "of digital silence"
    else:
        loud = f"at {level:.1f} dBFS{', hardly audible' if level < HARDLY_AUDIBLE_DBFS else ''}"
    return f"{track.called}, {_seconds(said.level.samples / RATE_HZ)} {loud}"


def _seconds(value: float) -> str:
    """Format a duration: whole seconds from 10 s on, tenths below."""
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"


def _level_dbfs(track: AudioTrack, said: SessionResult) -> float | None:
    return track.level_dbfs if track.level_dbfs is not None else said.level.dbfs


def _no_words(conversation: Conversation, recording: Recording, said: Sequence[SessionResult], language: str) -> str:
    speech = f"{_seconds(conversation.speech_us / 1e6)} of speech were found, but no words"
    if any(one.language_unknown for one in said):
        known = conversation.engine.languages
        listed = ", ".join(named_language(tag) for tag in known[:MAX_LANGUAGES])
        knows = listed if len(known) <= MAX_LANGUAGES else f"{len(known)} languages, see details.engine.languages"
        return f"{speech}: the recogniser does not know {named_language(language)}. It knows {knows}."
    if language:
        return (
            f"{speech} of {named_language(language)}, the language that was given. {_heard(recording, said)} If another"
            " is spoken, delete the meeting and send it again without one, to have it detected."
        )
    return (
        f"{speech} that can be told from each other: it may be too far or quiet, sung, or of many at once."
        f" {_heard(recording, said)}"
    )
