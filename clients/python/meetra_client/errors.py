"""Errors of the client, one type per failure. Lost connections are no errors: the client reconnects by itself.

Types are named like the server's; meetra/v1/errors.proto says what to do about each and lists its facts.
``Unreachable`` and ``AudioLost`` are raised by the client itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from grpc import StatusCode


class MeetraError(Exception):
    """The server refused the request or is unreachable; the message is the server's, if it sent one.

    After any error of a live meeting the session waits for its grace period: resume it with ``MeetraClient.resume``.

    Args:
        message: for people.
        code: the gRPC status; None if the client itself found the failure.
        facts: machine-readable facts of the message, from `ErrorInfo.metadata`.
        retry_after_s: how long the server asks to wait, seconds; None if it does not.
    """

    reason: ClassVar[str] = ""
    """The `ErrorReason` of the failure without its prefix; empty if there is none."""

    def __init__(
        self,
        message: str,
        code: StatusCode | None = None,
        facts: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.facts, self.retry_after_s = code, dict(facts or {}), retry_after_s


class Unauthenticated(MeetraError):
    """The token is missing, wrong, expired or void."""

    reason = "UNAUTHENTICATED"


class InvalidCredentials(MeetraError):
    """The email is unknown, the password wrong, or the user disabled."""

    reason = "INVALID_CREDENTIALS"


class TooManyLogins(MeetraError):
    """The account or the address has to wait after failed logins; the password was not checked."""

    reason = "TOO_MANY_LOGINS"


class PermissionDenied(MeetraError):
    """The user's role, or the scopes of the key, do not allow the call."""

    reason = "PERMISSION_DENIED"


class UserNotFound(MeetraError):
    """The user does not exist, or belongs to another organization."""

    reason = "USER_NOT_FOUND"


class KeyNotFound(MeetraError):
    """The key does not exist, or is another user's."""

    reason = "KEY_NOT_FOUND"


class TooManyKeys(MeetraError):
    """The user has the limit of keys."""

    reason = "TOO_MANY_KEYS"


class AddressTaken(MeetraError):
    """The organization has a user of this address already."""

    reason = "ADDRESS_TAKEN"


class UsersAddedByOperator(MeetraError):
    """The server has several organizations: whoever runs it adds users."""

    reason = "USERS_ADDED_BY_OPERATOR"


class LastOwner(MeetraError):
    """The organization would be left without an enabled owner."""

    reason = "LAST_OWNER"


class BadRequest(MeetraError):
    """A field of the request or an audio chunk is invalid; the message names the field and the fix."""

    reason = "BAD_REQUEST"


class UnsupportedContentEncoding(MeetraError):
    """The body's compression is not supported by the server."""

    reason = "UNSUPPORTED_CONTENT_ENCODING"


class StorageFull(MeetraError):
    """The server's disk is full; nothing of the request was stored."""

    reason = "STORAGE_FULL"


class ServiceUnavailable(MeetraError):
    """A part of the server is temporarily unavailable."""

    reason = "SERVICE_UNAVAILABLE"


class InternalError(MeetraError):
    """An internal failure of the server."""

    reason = "INTERNAL_ERROR"


class MeetingNotFound(MeetraError):
    """The meeting does not exist, or belongs to another organization."""

    reason = "MEETING_NOT_FOUND"


class SpeakerNotFound(MeetraError):
    """The speaker does not exist, or belongs to another organization."""

    reason = "SPEAKER_NOT_FOUND"


class SentenceNotFound(MeetraError):
    """The meeting has no sentence of this number."""

    reason = "SENTENCE_NOT_FOUND"


class SentenceChanged(MeetraError):
    """Somebody corrected the sentence meanwhile: it reads otherwise by now."""

    reason = "SENTENCE_CHANGED"


class CorrectionNotLatest(MeetraError):
    """The correction is not the latest in force. The fact ``latest`` is the number of that, if there is one."""

    reason = "CORRECTION_NOT_LATEST"


class CorrectionNotNext(MeetraError):
    """The correction is not what a redo makes. The fact ``next`` is the number of that, if there is one."""

    reason = "CORRECTION_NOT_NEXT"


class TooManyCorrections(MeetraError):
    """The meeting was corrected as often as the server accepts."""

    reason = "TOO_MANY_CORRECTIONS"


class VoiceNotFound(MeetraError):
    """The voice does not exist, or belongs to another organization."""

    reason = "VOICE_NOT_FOUND"


class MeetingStillProcessing(MeetraError):
    """The analysis of the meeting is not finished."""

    reason = "MEETING_STILL_PROCESSING"


class MeetingFailed(MeetraError):
    """The analysis of the meeting failed; the message says why."""

    reason = "MEETING_FAILED"


class ChannelsDiffer(MeetraError):
    """The recording is known, and was analysed with another ``channels`` value."""

    reason = "CHANNELS_DIFFER"


class AudioDeleted(MeetraError):
    """The meeting's audio was deleted, as the organization's policy says."""

    reason = "AUDIO_DELETED"


class TranscriptDeleted(MeetraError):
    """What was said in the meeting was deleted, as the organization's policy says."""

    reason = "TRANSCRIPT_DELETED"


class ConsentRequired(MeetraError):
    """The organization's policy wants a note of consent before the recording."""

    reason = "CONSENT_REQUIRED"


class RedactionDiffers(MeetraError):
    """The recording is known, and was analysed without redacting everything that it is uploaded with."""

    reason = "REDACTION_DIFFERS"


class FileTooLarge(MeetraError):
    """The recording exceeds the server's size limit."""

    reason = "FILE_TOO_LARGE"


class RecordingTooLong(MeetraError):
    """The recording exceeds the server's duration limit."""

    reason = "RECORDING_TOO_LONG"


class SessionNotFound(MeetraError):
    """The session does not exist, or belongs to another organization."""

    reason = "SESSION_NOT_FOUND"


class AudioGap(MeetraError):
    """A chunk starts after the end of its track's received audio."""

    reason = "AUDIO_GAP"


class AudioOverlap(MeetraError):
    """A chunk overlaps the end of its track's received audio."""

    reason = "AUDIO_OVERLAP"


class LiveMeetingTooLong(MeetraError):
    """The audio exceeds the maximum length of a live meeting; the meeting can still be finished."""

    reason = "LIVE_MEETING_TOO_LONG"


class MeetingOver(MeetraError):
    """The meeting takes no more audio: another client finished it, or its grace period expired.

    ``undelivered`` maps each affected track to the number of samples (bytes for Ogg and WebM) that came too late.
    """

    reason = "MEETING_OVER"

    def __init__(
        self,
        message: str,
        code: StatusCode | None = None,
        facts: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
        *,
        undelivered: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(message, code, facts, retry_after_s)
        self.undelivered = dict(undelivered or {})


class TrackEnded(MeetraError):
    """The track was ended, and takes no more audio."""

    reason = "TRACK_ENDED"


class TooManyTracks(MeetraError):
    """The live meeting has had its limit of tracks."""

    reason = "TOO_MANY_TRACKS"


class TooManyRenames(MeetraError):
    """The tracks of the live meeting were renamed as often as the server accepts."""

    reason = "TOO_MANY_RENAMES"


class TrackDiffers(MeetraError):
    """The live meeting has another track of this id."""

    reason = "TRACK_DIFFERS"


class HeldByAnotherClient(MeetraError):
    """Another client is connected to the session; resume with ``take_over=True`` to replace it."""

    reason = "HELD_BY_ANOTHER_CLIENT"


class TakenOver(MeetraError):
    """Another client resumed this session and now sends its audio."""

    reason = "TAKEN_OVER"


class TooManyLiveMeetings(MeetraError):
    """The server or the organization has its limit of live meetings, or of their tracks; try again later."""

    reason = "TOO_MANY_LIVE_MEETINGS"


class TooManyOpenCalls(MeetraError):
    """The user or the organization has its limit of open calls; end one, or try again later."""

    reason = "TOO_MANY_OPEN_CALLS"


class ExportRunning(MeetraError):
    """An export of the organization is being sent; try again when it is complete."""

    reason = "EXPORT_RUNNING"


class ServerOverloaded(MeetraError):
    """The server has as much work as it can do in time; nothing was stored. Try again after `retry_after_s`."""

    reason = "SERVER_OVERLOADED"


class SearchOverloaded(MeetraError):
    """The search took too long; narrow it by dates, a meeting or a speaker, or try again."""

    reason = "SEARCH_OVERLOADED"


class DocumentNotMade(MeetraError):
    """The meeting cannot be laid out as a document of this format; export it in another."""

    reason = "DOCUMENT_NOT_MADE"


class AudioUnavailable(MeetraError):
    """The meeting's sound cannot be played; the message says why."""

    reason = "AUDIO_UNAVAILABLE"


class UploadNotFound(MeetraError):
    """The caller has no such upload in pieces; begin another one."""

    reason = "UPLOAD_NOT_FOUND"


class UploadOffsetDiffers(MeetraError):
    """A piece does not begin where its upload is: at ``facts["offset"]``."""

    reason = "UPLOAD_OFFSET_DIFFERS"


class UploadLocked(MeetraError):
    """Another request writes the upload; try again when it has ended."""

    reason = "UPLOAD_LOCKED"


class TooManyUnfinishedUploads(MeetraError):
    """The organization has its limit of unfinished uploads in pieces; complete or delete some."""

    reason = "TOO_MANY_UNFINISHED_UPLOADS"


class QuotaExceeded(MeetraError):
    """The organization has used up a quota, which ``facts["quota"]`` names; try again after ``retry_after_s``."""

    reason = "QUOTA_EXCEEDED"


class WebhookNotFound(MeetraError):
    """The webhook does not exist, or is another organization's."""

    reason = "WEBHOOK_NOT_FOUND"


class WebhookDeliveryNotFound(MeetraError):
    """The webhook has no such delivery, or none any more."""

    reason = "WEBHOOK_DELIVERY_NOT_FOUND"


class TooManyWebhooks(MeetraError):
    """The organization has the limit of webhooks."""

    reason = "TOO_MANY_WEBHOOKS"


class WebhooksOff(MeetraError):
    """The server has no webhooks: its operator turns them on."""

    reason = "WEBHOOKS_OFF"


class WebhookPaused(MeetraError):
    """The webhook is paused, or its queue is full; resume it first."""

    reason = "WEBHOOK_PAUSED"


class AudioNotStored(MeetraError):
    """The server's disk is full; the client resends unacknowledged audio."""

    reason = "AUDIO_NOT_STORED"


class HeldByAnotherServer(MeetraError):
    """Another server process holds the session, or the server is stopping; the client reconnects."""

    reason = "HELD_BY_ANOTHER_SERVER"


class Unreachable(MeetraError):
    """No connection succeeded for the whole patience. The message has the last reason, ``__cause__`` the last error."""


class AudioLost(MeetraError):
    """The server requests audio that it had acknowledged and that is no longer buffered."""


class ConnectionLost(Exception):
    """A connection ended before the meeting did. Internal: the client reconnects.

    ``error`` is the server's error, None if it sent none.
    """

    def __init__(self, message: str, error: MeetraError | None = None) -> None:
        super().__init__(message)
        self.error = error
