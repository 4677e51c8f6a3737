"""The notice on a meeting's answers: no speech or no words were found, and the likely reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.analysis.recording import AudioTrack, Recording, SessionResult
from server.conversation import Conversation, language_display_name
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


def build_notice(
    conversation: Conversation, recording: Recording, results: Sequence[SessionResult], language: str
) -> Notice:
    """Return what a conversation lacks, and why.

    Args:
        results: session results of the recording's tracks, in order.
        language: BCP 47 tag as stated; empty if it was to be detected.
    """
    if not conversation.segments:
        return Notice(False, _no_speech(conversation, recording, results))
    if not conversation.words:
        return Notice(True, _no_words(conversation, recording, results, language))
    return Notice(True, "")


def format_ready_message(remark: str, notice: Notice) -> str:
    """Return the status message of a ready meeting; ``remark`` is about the recording itself."""
    ready = f"Ready; {remark}" if remark else "Ready"
    return f"{ready}. {notice.text}" if notice.text else ready


def _no_speech(conversation: Conversation, recording: Recording, results: Sequence[SessionResult]) -> str:
    sentences = ["No speech was found.", _describe_tracks(recording, results)]
    music_s = sum(end - start for start, end in conversation.music) / 1e6
    if music_s >= 1:
        sentences.append(f"Music was detected for {music_s:.0f} s.")
    levels = [_level_dbfs(track, result) for track, result in zip(recording.tracks, results, strict=True)]
    if all(level is None or level < HARDLY_AUDIBLE_DBFS for level in levels):
        sentences.append("Check whether the microphone was muted or the wrong source was recorded.")
    return " ".join(sentences)


def _describe_tracks(recording: Recording, results: Sequence[SessionResult]) -> str:
    """Describe the analysed tracks with length and level."""
    descriptions = [_describe_track(track, result) for track, result in zip(recording.tracks, results, strict=True)]
    return f"Analysed: {'; '.join(descriptions)}."


def _describe_track(track: AudioTrack, result: SessionResult) -> str:
    """Describe one track: ``channel 1, 12 s at -31.5 dBFS``."""
    if not result.level.samples:
        return f"{track.display_name}, without any audio"
    level = _level_dbfs(track, result)
    if level is None:
        loud = "of digital silence"
    else:
        loud = f"at {level:.1f} dBFS{', barely audible' if level < HARDLY_AUDIBLE_DBFS else ''}"
    return f"{track.display_name}, {_seconds(result.level.samples / RATE_HZ)} {loud}"


def _seconds(value: float) -> str:
    """Format a duration: whole seconds from 10 s on, tenths below."""
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"


def _level_dbfs(track: AudioTrack, result: SessionResult) -> float | None:
    return track.level_dbfs if track.level_dbfs is not None else result.level.dbfs


def _no_words(conversation: Conversation, recording: Recording, results: Sequence[SessionResult], language: str) -> str:
    speech = f"{_seconds(conversation.speech_us / 1e6)} of speech were found, but no words"
    if any(result.language_unknown for result in results):
        languages = conversation.engine.languages
        listed = ", ".join(language_display_name(tag) for tag in languages[:MAX_LANGUAGES])
        known = (
            listed if len(languages) <= MAX_LANGUAGES else f"{len(languages)} languages, see details.engine.languages"
        )
        return f"{speech}: the recogniser does not support {language_display_name(language)}. It supports {known}."
    if language:
        return (
            f"{speech} in the stated language, {language_display_name(language)}."
            f" {_describe_tracks(recording, results)} If another language is spoken, delete the meeting and upload it"
            " again without a language, to have it detected."
        )
    return (
        f"{speech}: the speech may be too distant or quiet, sung, or by many people at once."
        f" {_describe_tracks(recording, results)}"
    )
