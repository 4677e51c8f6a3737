"""Whatever is sent, the caller learns what was wrong with it, never that something broke, nor how this is built.

There are some 16,000 cases. ``MEETRA_HOSTILE_REQUESTS`` says how many are drawn of them (1000 where it is not set), and
``MEETRA_HOSTILE_SEED`` which; 20000 takes a minute.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import grpc
import httpx
import pytest

from server.api.public_services import public_methods
from tests.e2e import hostile
from tests.e2e.conftest import Rest, System

SEED = int(os.environ.get("MEETRA_HOSTILE_SEED", "20261128"))
MAX_REQUESTS = int(os.environ.get("MEETRA_HOSTILE_REQUESTS", "1000"))
# Seconds that a stream which nobody refuses may stay open.
ANSWER_TIMEOUT_S = 30
INSIDES = re.compile(
    r"proto|grpc|lua\b|envoy|traceback|exception|TYPE_|googleapis|meetra\.v1|INVALID_ARGUMENT|upstream|metadata|python"
    r"|asyncpg|postgres|sql|parsing|DecodeError|<class|oneof|transcod|json_name|std::|errno|soft limit|hard limit"
    r"|scalar|non-leaf|surrogate|codec|buffer|\bat 0x",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def intruder(system: System) -> Rest:
    """A user of an organization of its own: what gets through may change its settings."""
    return logged_in(system, "intruder@example.org")


def logged_in(system: System, email: str) -> Rest:
    password = system.add_user(email, "--organization", "Intruders")
    return system.login(email, password)


def fault(request: hostile.Hostile, answer: httpx.Response) -> str | None:
    """What is wrong with an answer, None where nothing is."""
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.text}"
    if answer.status_code < 400:
        return None
    try:
        body = answer.json()
    except ValueError:
        return f"no JSON: {answer.text!r}"
    named = urlsplit(request.target).path.startswith("/api/meeting/speakers")
    if set(body) not in ([{"message"}, {"error", "message"}] if named else [{"message"}]):
        return f"another shape: {body}"
    message = body["message"]
    if not message or "\n" in message or len(message) > 1000 or INSIDES.search(message):
        return f"not for people: {message!r}"
    return None


def test_no_rest_request_breaks_anything_or_shows_the_insides(system: System, intruder: Rest) -> None:
    # Voids the token with which it is made.
    leaver = logged_in(system, "leaver-by-rest@example.org")
    found: dict[str, hostile.Hostile] = {}
    total = 0
    for request in hostile.requests(SEED, MAX_REQUESTS):
        headers = {name.encode(): value.encode("latin-1") for name, value in request.headers.items()}
        try:
            caller = leaver if urlsplit(request.target).path.startswith("/api/logout") else intruder
            answer = caller.http.request(request.method, request.target, content=request.body, headers=headers)
        except httpx.TransportError as error:
            found.setdefault(f"no answer: {error!r}", request)
            continue
        total += 1
        if wrong := fault(request, answer):
            found.setdefault(wrong, request)
    assert total >= min(MAX_REQUESTS, 10_000)
    # All of it was asked by somebody who may ask.
    assert intruder.get("/single-feature-api/meetings").status_code == 200
    assert not found, "\n".join(f"{wrong[:300]}  <-  {hostile.shown(request)}" for wrong, request in found.items())


FORM = "multipart/form-data; boundary=b"
PARTS: tuple[tuple[bytes, bytes], ...] = (
    *(
        (b'form-data; name="' + name + b'"', text)
        for name in (b"name", b"date", b"n_speakers")
        for text in hostile.TEXTS
    ),
    *((b'form-data; name="language"', text) for text in hostile.TEXTS),
    *((b'form-data; name="key_terms"', text) for text in hostile.TEXTS),
    *((b'form-data; name="' + text.replace(b"\r\n", b"") + b'"', b"x") for text in hostile.TEXTS),
    (b"form-data", b"x"),
    (b"attachment; name=name", b"x"),
    (b'form-data; name="name"\r\nContent-Type: text/plain; charset=zip', b"x"),
    (b'form-data; name="name"\r\nContent-Type: text/plain; charset=unicode_escape', b"\\ud800"),
    (b'form-data; name="name"\r\nContent-Length: 99', b"x"),
    (b'form-data; name="name"\r\nX: ' + b"y" * 9000, b"x"),
)


def uploads() -> Iterator[tuple[str, bytes]]:
    """Media type and body. None of them holds a recording, so none is analysed."""
    for disposition, text in PARTS:
        head = b"--b\r\nContent-Disposition: " + disposition + b"\r\n\r\n"
        yield FORM, head + text + b"\r\n--b--\r\n"
    for text in hostile.TEXTS:
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + text.replace(b"\r\n", b"")
        yield FORM, head + b'"\r\nContent-Type: a/' + text + b"\r\n\r\n\r\n--b--\r\n"
    for kind in ("audio/", "/", ";", "multipart/form-data; boundary=", 'multipart/form-data; boundary="', "audio/w v"):
        yield kind, b"x" if kind != "audio/w v" else b""


def test_no_upload_breaks_anything_or_shows_the_insides(intruder: Rest) -> None:
    found: dict[str, hostile.Hostile] = {}
    for kind, body in uploads():
        request = hostile.Hostile("POST", "/single-feature-api/upload", body, {"content-type": kind})
        answer = intruder.http.post(request.target, content=body, headers={"content-type": kind})
        if wrong := fault(request, answer) or (None if answer.status_code == 400 else f"accepted: {answer.text}"):
            found.setdefault(wrong, request)
    assert not found, "\n".join(f"{wrong[:300]}  <-  {hostile.shown(request)}" for wrong, request in found.items())


def whole_uploads() -> Iterator[tuple[str, bytes]]:
    """Forms with something in the file, always the same: what is said of it gets as far as the database."""
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\nContent-Type: %s\r\n\r\nno sound\r\n'
    for text in hostile.TEXTS:
        line = text.replace(b"\r\n", b"")
        yield FORM, file % (line, b"audio/wav") + b"--b--\r\n"
        yield FORM, file % (b"a", line) + b"--b--\r\n"
        for name in (b"name", b"date", b"n_speakers", b"language", b"key_terms", b"channels"):
            head = b'--b\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n'
            yield FORM, head + text + b"\r\n" + file % (b"a", b"audio/wav") + b"--b--\r\n"


def test_nothing_that_is_said_of_a_recording_breaks_the_database(intruder: Rest) -> None:
    found: dict[str, hostile.Hostile] = {}
    known = [*whole_uploads()]
    for kind, body in random.Random(SEED).sample(known, min(len(known), MAX_REQUESTS // 50)):
        answer = intruder.http.post("/single-feature-api/upload", content=body, headers={"content-type": kind})
        request = hostile.Hostile("POST", "/single-feature-api/upload", body)
        # 409: known with other channels.
        broken = None if answer.status_code in (200, 400, 409) else f"{answer.status_code} {answer.text}"
        if wrong := fault(request, answer) or broken:
            found.setdefault(wrong, request)
    assert not found, "\n".join(f"{wrong[:300]}  <-  {hostile.shown(request)}" for wrong, request in found.items())


def test_no_grpc_message_is_an_internal_error(system: System, intruder: Rest) -> None:
    leaver = logged_in(system, "leaver-by-grpc@example.org")
    found: dict[str, str] = {}
    with grpc.insecure_channel(urlsplit(intruder.gateway).netloc) as channel:
        for method in public_methods():
            path = f"/{method.containing_service.full_name}/{method.name}"
            caller = leaver if method.name == "Logout" else intruder
            metadata = (("authorization", f"Bearer {caller.token}"),)
            call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(path, None, None)
            for message in hostile.messages(method, SEED, MAX_REQUESTS // 40):
                try:
                    answers = call(iter([message]), metadata=metadata, timeout=ANSWER_TIMEOUT_S)
                    for _ in answers:
                        pass
                except grpc.RpcError as error:
                    said = f"{error.code()} {error.details()}"
                    broken = error.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
                    if broken or INSIDES.search(str(error.details())):
                        found.setdefault(said, f"{path} {message[:100]!r}")
    assert not found, "\n".join(f"{said[:300]}  <-  {request}" for said, request in found.items())
