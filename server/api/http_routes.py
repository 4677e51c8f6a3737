"""What plain HTTP is answered by."""

from __future__ import annotations

from starlette.routing import BaseRoute

from server.api import page_files
from server.api.http_guard import HttpGuard
from server.api.mcp import McpEndpoint
from server.api.playback import MeetingSound
from server.api.transcriptions import TranscriptionApi
from server.api.tus import tus_routes
from server.meetings import ResumableUploads


def http_routes(
    guard: HttpGuard,
    resumable: ResumableUploads,
    sound: MeetingSound,
    transcriptions: TranscriptionApi,
    mcp: McpEndpoint,
) -> list[BaseRoute]:
    """Return all routes: those of features first, each behind the guard, then the page, which needs no token.

    The gateway has a route for each of them too (envoy.yaml), and lets through what they read of headers (rest.lua).
    """
    page = page_files.page_routes(page_files.read_page(page_files.PAGE))
    features = [*tus_routes(guard, resumable), *sound.routes(guard), *transcriptions.routes(guard)]
    return [mcp.route(guard), *features, *page]
