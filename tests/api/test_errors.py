"""Every error type carries a status, a message for people, and nothing else."""

from __future__ import annotations

import grpc
import pytest

from server import errors

EXAMPLES: dict[type[errors.MeetraError], tuple[errors.MeetraError, grpc.StatusCode, int | None]] = {
    errors.Unauthenticated: (errors.Unauthenticated(), grpc.StatusCode.UNAUTHENTICATED, None),
    errors.InvalidCredentials: (errors.InvalidCredentials(), grpc.StatusCode.UNAUTHENTICATED, 400),
    errors.BadRequest: (errors.BadRequest("name", "shorter"), grpc.StatusCode.INVALID_ARGUMENT, None),
    errors.UnsupportedContentEncoding: (errors.UnsupportedContentEncoding(), grpc.StatusCode.INVALID_ARGUMENT, 415),
    errors.MeetingNotFound: (errors.MeetingNotFound(), grpc.StatusCode.NOT_FOUND, None),
    errors.SpeakerNotFound: (errors.SpeakerNotFound(), grpc.StatusCode.NOT_FOUND, None),
    errors.VoiceNotFound: (errors.VoiceNotFound(), grpc.StatusCode.NOT_FOUND, None),
    errors.MeetingStillProcessing: (errors.MeetingStillProcessing(5), grpc.StatusCode.FAILED_PRECONDITION, 409),
    errors.MeetingFailed: (errors.MeetingFailed("no sound"), grpc.StatusCode.FAILED_PRECONDITION, 409),
    errors.ChannelsDiffer: (errors.ChannelsDiffer("mixed"), grpc.StatusCode.FAILED_PRECONDITION, 409),
    errors.FileTooLarge: (errors.FileTooLarge(9), grpc.StatusCode.RESOURCE_EXHAUSTED, 413),
    errors.RecordingTooLong: (errors.RecordingTooLong(9, 5), grpc.StatusCode.RESOURCE_EXHAUSTED, 413),
    errors.StorageFull: (errors.StorageFull(), grpc.StatusCode.RESOURCE_EXHAUSTED, 507),
    errors.ServiceUnavailable: (errors.ServiceUnavailable(), grpc.StatusCode.UNAVAILABLE, None),
    errors.SessionNotFound: (errors.SessionNotFound(), grpc.StatusCode.NOT_FOUND, None),
    errors.AudioGap: (errors.AudioGap("mix", 5, 9), grpc.StatusCode.OUT_OF_RANGE, None),
    errors.AudioOverlap: (errors.AudioOverlap("mix", 5, 1, 9), grpc.StatusCode.OUT_OF_RANGE, None),
    errors.LiveMeetingTooLong: (errors.LiveMeetingTooLong(60), grpc.StatusCode.OUT_OF_RANGE, None),
    errors.MeetingOver: (errors.MeetingOver(), grpc.StatusCode.FAILED_PRECONDITION, 409),
    errors.HeldByAnotherClient: (errors.HeldByAnotherClient(), grpc.StatusCode.ABORTED, None),
    errors.TakenOver: (errors.TakenOver(), grpc.StatusCode.ABORTED, None),
    errors.TooManyLiveMeetings: (errors.TooManyLiveMeetings(4), grpc.StatusCode.RESOURCE_EXHAUSTED, None),
    errors.AudioNotStored: (errors.AudioNotStored(), grpc.StatusCode.UNAVAILABLE, None),
    errors.HeldByAnotherServer: (errors.HeldByAnotherServer(), grpc.StatusCode.UNAVAILABLE, None),
}


def test_every_error_type_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(errors.MeetraError.__subclasses__())


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_error_knows_its_statuses(kind: type[errors.MeetraError]) -> None:
    error, grpc_status, http_status = EXAMPLES[kind]
    assert (error.grpc_status, error.http_status) == (grpc_status, http_status)
    assert error.message
    assert ("x-http-code", str(http_status or errors.HTTP_STATUS[grpc_status])) in error.metadata()
