"""Errors of uploads in pieces."""

from __future__ import annotations

import grpc

from server.errors.meetra_error import MeetraError


class UploadNotFound(MeetraError):
    """The caller has no such upload: it never began, was deleted, or nothing came for a day."""

    reason = "UPLOAD_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No such upload; it may have been deleted, as nothing came for a day: begin another one")


class UploadOffsetDiffers(MeetraError):
    """A piece of an upload does not begin where the upload is."""

    reason = "UPLOAD_OFFSET_DIFFERS"
    grpc_status = grpc.StatusCode.ABORTED

    def __init__(self, offset: int) -> None:
        super().__init__(f"upload-offset: the upload is at {offset}; go on there", offset=offset)


class UploadLocked(MeetraError):
    """Another request writes the upload."""

    reason = "UPLOAD_LOCKED"
    grpc_status = grpc.StatusCode.ABORTED
    http_status = 423
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("Another request writes this upload; try again when it has ended")


class TooManyUnfinishedUploads(MeetraError):
    """The organization has its limit of uploads that have begun and not ended."""

    reason = "TOO_MANY_UNFINISHED_UPLOADS"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED
    retry_after_s = 60

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This organization has its limit of {limit} unfinished uploads; complete or delete some", limit=limit
        )
