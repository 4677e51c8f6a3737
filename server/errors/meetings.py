"""Errors of uploads and finished meetings."""

from __future__ import annotations

from datetime import datetime

import grpc

from server.errors.meetra_error import MeetraError
from server.moments import utc_text


class MeetingNotFound(MeetraError):
    """The caller's organization has no such meeting."""

    reason = "MEETING_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Meeting not found")


class SpeakerNotFound(MeetraError):
    """The caller's organization has no such speaker."""

    reason = "SPEAKER_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Speaker not found")


class SentenceNotFound(MeetraError):
    """The meeting has no such sentence.

    Args:
        number: the one asked for.
        count: number of the meeting's sentences.
    """

    reason = "SENTENCE_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self, number: int, count: int) -> None:
        super().__init__(f"Sentence not found: number {number}; this meeting has {count} sentences, from 1")


class SentenceChanged(MeetraError):
    """Somebody corrected the sentence meanwhile."""

    reason = "SENTENCE_CHANGED"
    grpc_status = grpc.StatusCode.ABORTED
    http_status = 409

    def __init__(self) -> None:
        super().__init__("The sentence reads otherwise by now; read it anew, and correct it again")


class CorrectionNotLatest(MeetraError):
    """The correction to undo is not the latest in force.

    Args:
        latest: number of the latest one; None if none is in force.
    """

    reason = "CORRECTION_NOT_LATEST"
    grpc_status = grpc.StatusCode.ABORTED
    http_status = 409

    def __init__(self, latest: int | None) -> None:
        super().__init__(
            "number: not the latest correction in force; list the corrections anew",
            **({} if latest is None else {"latest": latest}),
        )


class CorrectionNotNext(MeetraError):
    """The correction to redo is not the one that a redo makes.

    Args:
        following: number of that one; None if nothing can be redone.
    """

    reason = "CORRECTION_NOT_NEXT"
    grpc_status = grpc.StatusCode.ABORTED
    http_status = 409

    def __init__(self, following: int | None) -> None:
        super().__init__(
            "number: not the correction that was undone last; list the corrections anew",
            **({} if following is None else {"next": following}),
        )


class TooManyCorrections(MeetraError):
    """The meeting was corrected as often as is accepted."""

    reason = "TOO_MANY_CORRECTIONS"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This meeting was corrected {limit} times, which is the limit; no further correction is accepted",
            limit=limit,
        )


class VoiceNotFound(MeetraError):
    """The caller's organization has no such voice."""

    reason = "VOICE_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Voice not found")


class AudioUnavailable(MeetraError):
    """The meeting's sound cannot be handed out; the reason is for people."""

    reason = "AUDIO_UNAVAILABLE"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, why: str) -> None:
        super().__init__(f"The audio of this meeting is not available: {why}")


class MeetingStillProcessing(MeetraError):
    """The analysis is not finished; ask again later."""

    reason = "MEETING_STILL_PROCESSING"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409
    retry_after_s = 2

    def __init__(self, progress_percent: int) -> None:
        super().__init__(f"Meeting is still being processed ({progress_percent} %)", progress_percent=progress_percent)


class MeetingFailed(MeetraError):
    """The analysis failed permanently."""

    reason = "MEETING_FAILED"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, reason: str) -> None:
        super().__init__(f"Meeting could not be processed: {reason}")


class AudioDeleted(MeetraError):
    """Retention deleted the meeting's audio.

    Args:
        deleted_at: when.
    """

    reason = "AUDIO_DELETED"
    grpc_status = grpc.StatusCode.NOT_FOUND
    http_status = 410

    def __init__(self, deleted_at: datetime) -> None:
        moment = utc_text(deleted_at)
        super().__init__(
            f"The audio of this meeting was deleted on {moment}, as the organization's policy says", deleted_at=moment
        )


class DocumentNotMade(MeetraError):
    """A meeting could not be laid out as a document of a format, or not within the limits of time and memory."""

    reason = "DOCUMENT_NOT_MADE"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, form: str) -> None:
        super().__init__(
            f"This meeting cannot be laid out as {form}: its text is too long or too unusual. Export it as docx or md",
            format=form,
        )


class TranscriptDeleted(MeetraError):
    """Retention deleted what was said in the meeting.

    Args:
        deleted_at: when.
    """

    reason = "TRANSCRIPT_DELETED"
    grpc_status = grpc.StatusCode.NOT_FOUND
    http_status = 410

    def __init__(self, deleted_at: datetime) -> None:
        moment = utc_text(deleted_at)
        super().__init__(
            f"What was said in this meeting was deleted on {moment}, as the organization's policy says",
            deleted_at=moment,
        )


class ConsentRequired(MeetraError):
    """The organization's policy wants a note of consent with each meeting, and there is none."""

    reason = "CONSENT_REQUIRED"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION

    def __init__(self) -> None:
        super().__init__(
            "consent: this organization records no meeting without it; say who consented, and how, before the recording"
        )


class ChannelsDiffer(MeetraError):
    """The recording is known, and was analysed with another use of its channels."""

    reason = "CHANNELS_DIFFER"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, analysed: str) -> None:
        super().__init__(
            f"channels: this recording was already analysed with channels={analysed}; to change that, delete the"
            " meeting and upload it again",
            expected=analysed,
        )


class RedactionDiffers(MeetraError):
    """The recording is known, and was analysed without redacting everything that is to be redacted now."""

    reason = "REDACTION_DIFFERS"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, redacted: str) -> None:
        super().__init__(
            f"redact: this recording was already analysed, redacting {redacted or 'nothing'}; to change that, delete"
            " the meeting and upload it again",
            redact=redacted,
        )


class FileTooLarge(MeetraError):
    """The recording exceeds the size limit."""

    reason = "FILE_TOO_LARGE"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    http_status = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"file: exceeds this server's limit of {limit_bytes} bytes; upload a smaller recording",
            limit_bytes=limit_bytes,
        )


class RecordingTooLong(MeetraError):
    """The recording exceeds the duration limit."""

    reason = "RECORDING_TOO_LONG"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    http_status = 413

    def __init__(self, duration_s: float, limit_s: float) -> None:
        super().__init__(
            f"file: {duration_s:.0f} s long; this server's limit is {limit_s:.0f} s",
            duration_s=f"{duration_s:.0f}",
            limit_s=f"{limit_s:.0f}",
        )
