"""The files of the page: read once, so that no request's path becomes a file's."""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.http_call import error_response

# Where the build of the page lies.
PAGE = Path(__file__).resolve().parents[2] / "web" / "dist"
INDEX = "index.html"
# Names in here hold a hash of what is in the file: another content has another name.
HASHED = "assets/"
FOR_EVER = "public, max-age=31536000, immutable"
# Nothing of the page comes from elsewhere, and nothing in it runs or is shown but files of its own.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=()",
    "x-content-type-options": "nosniff",
}
# What is compressed already is not made smaller.
COMPRESSED = (".png", ".jpg", ".webp", ".avif", ".woff2", ".gz")
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".woff2": "font/woff2"}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file."""

    media_type: str
    body: bytes
    packed: bytes | None
    """gzip's; None: it saves nothing."""
    cache_control: str


def read_page(folder: Path) -> dict[str, PageFile]:
    """Return the files of a folder by their paths in it; none where there is no folder."""
    return {
        file.relative_to(folder).as_posix(): _read(file, file.relative_to(folder).as_posix())
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def page_routes(files: dict[str, PageFile]) -> list[Route]:
    """Return the last of all routes: files by their paths, and the page itself for each address in it."""

    async def answer(request: Request) -> Response:
        file = files.get(request.path_params["path"])
        # The page has addresses of its own, which a browser asks for when somebody opens a link or loads it again.
        if file is None and _opens_a_page(request):
            file = files.get(INDEX)
        if file is None:
            return error_response(404, "Not found")
        headers = {**HEADERS, "cache-control": file.cache_control, "vary": "accept-encoding"}
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, 200, {**headers, "content-encoding": "gzip"}, file.media_type)
        return Response(file.body, 200, headers, file.media_type)

    return [Route("/{path:path}", answer, methods=["GET"])]


def _opens_a_page(request: Request) -> bool:
    path = request.path_params["path"]
    return not path or (not path.startswith(HASHED) and "text/html" in request.headers.get("accept", ""))


def _read(file: Path, name: str) -> PageFile:
    body = file.read_bytes()
    guessed = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    media_type = f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed
    packed = None if file.suffix in COMPRESSED else gzip.compress(body, mtime=0)
    smaller = packed if packed is not None and len(packed) < len(body) else None
    return PageFile(media_type, body, smaller, FOR_EVER if name.startswith(HASHED) else "no-store")
