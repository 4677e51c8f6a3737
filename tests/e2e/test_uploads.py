"""What may be uploaded, and what happens to what may not."""

from __future__ import annotations

import hashlib
import socket
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.e2e.conftest import Rest, System
from tests.recordings import RATE_HZ, encoded, excerpt, sample_pcm, solo, wav


def test_the_hash_is_the_files_sha256_and_the_same_bytes_are_one_meeting(rest: Rest, meeting: str) -> None:
    recording = excerpt(45)
    assert meeting == hashlib.sha256(recording).hexdigest()
    again = rest.upload(recording)
    assert (again.status_code, again.json()) == (200, {"file_hash": meeting, "status": "ready"})


def test_a_raw_body_is_the_recording_itself(rest: Rest) -> None:
    recording = excerpt(8, mark="raw body")
    answer = rest.http.post(
        "/single-feature-api/upload?name=raw&n_speakers=2&date=2026-11-23",
        content=recording,
        headers={"content-type": "audio/wav"},
    )
    assert answer.json() == {"file_hash": hashlib.sha256(recording).hexdigest(), "status": "queued"}
    assert rest.settled(answer.json()["file_hash"])["status"] == "ready"


def test_a_name_may_hold_any_unicode(rest: Rest) -> None:
    answer = rest.upload(excerpt(6, mark="unicode"), name="Встреча 会議 🎙 é", language="en-GB", date="2026-11-23")
    assert answer.status_code == 200
    assert rest.settled(answer.json()["file_hash"])["status"] == "ready"


def test_a_language_is_told_as_it_was_given_or_as_it_was_found(rest: Rest, meeting: str) -> None:
    found = rest.get("/single-feature-api/meeting/status", file_hash=meeting).json()
    assert found["language"] == "en"
    assert 0.5 < found["language_confidence"] <= 1
    file_hash = rest.upload(excerpt(4, mark="in British"), language="en-GB").json()["file_hash"]
    for state in (rest.get("/single-feature-api/meeting/status", file_hash=file_hash).json(), rest.settled(file_hash)):
        assert state["language"] == "en-GB"
        assert "language_confidence" not in state


def test_key_terms_come_in_one_text_or_in_several(rest: Rest) -> None:
    answer = rest.upload(excerpt(4, mark="terms"), key_terms="Zoë Müller, Kubernetes\nACME")
    assert rest.settled(answer.json()["file_hash"])["status"] == "ready"
    answer = rest.http.post(
        "/single-feature-api/upload",
        params={"key_terms": ["Zoë Müller, Kubernetes", "ACME"]},
        content=excerpt(4, mark="more terms"),
        headers={"content-type": "audio/wav"},
    )
    assert rest.settled(answer.json()["file_hash"])["status"] == "ready"
    many = ",".join(f"term {number}" for number in range(101))
    refused = rest.http.post(
        "/single-feature-api/upload",
        params={"key_terms": many},
        content=excerpt(1),
        headers={"content-type": "audio/wav"},
    )
    message = "Bad request: key_terms: 101 terms; the limit is 100, separated by commas"
    assert (refused.status_code, refused.json()) == (400, {"message": message})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_speakers", "many"),
        ("n_speakers", "-1"),
        ("n_speakers", "65"),
        ("date", "yesterday"),
        ("language", "!!"),
        ("key_terms", "n" * 101),
    ],
)
def test_a_field_that_does_not_parse_is_400_and_named(rest: Rest, field: str, value: str) -> None:
    answer = rest.upload(excerpt(1), **{field: value})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"Bad request: {field}: ")


def test_bodies_that_are_no_upload_are_400(rest: Rest) -> None:
    bodies: list[tuple[str | None, bytes, str]] = [
        ("application/json", b"{}", "content-type"),
        ("multipart/form-data", b"x", "content-type"),
        ("multipart/form-data; boundary=b", b"not multipart", "body"),
        ("multipart/form-data; boundary=b", b"--b--\r\n", "file"),
        ("audio/wav", b"", "file"),
    ]
    for kind, content, named in bodies:
        answer = rest.http.post("/single-feature-api/upload", content=content, headers={"content-type": kind or ""})
        assert answer.status_code == 400, (kind, answer.text)
        assert named in answer.json()["message"]


def test_an_empty_file_and_an_unknown_part_are_400(rest: Rest) -> None:
    assert rest.upload(b"").status_code == 400
    assert "colour" in rest.upload(excerpt(1), colour="blue").json()["message"]


def test_uploads_need_a_token(system: System) -> None:
    answer = Rest(system.gateway, "").upload(excerpt(1))
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_an_upload_cut_in_the_middle_leaves_nothing(system: System, rest: Rest) -> None:
    recording = excerpt(5, mark="cut")
    address = urlsplit(system.gateway)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = (
            f"POST /single-feature-api/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {rest.token}\r\n"
            f"Content-Type: audio/wav\r\nContent-Length: {len(recording)}\r\n\r\n"
        )
        connection.sendall(head.encode() + recording[: len(recording) // 2])
    file_hash = hashlib.sha256(recording).hexdigest()
    assert rest.get("/single-feature-api/meeting/status", file_hash=file_hash).status_code == 404
    assert rest.upload(recording).json()["file_hash"] == file_hash


def noise(seconds: float) -> np.ndarray:
    return (np.random.default_rng(1).normal(0, 30, int(seconds * RATE_HZ))).astype(np.int16)


def failing() -> dict[str, bytes]:
    return {
        "text renamed .wav": b"Dear all, please find attached\n" * 50,
        "video without sound": encoded(noise(1), "mp4", "mpeg4", video=True),
        "truncated mp4": encoded(sample_pcm()[: 10 * RATE_HZ], "mp4", "aac")[:20_000],
        "a playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    }


@pytest.mark.parametrize("kind", sorted(failing()))
def test_recordings_that_cannot_be_used_fail_with_a_reason(rest: Rest, kind: str) -> None:
    answer = rest.upload(failing()[kind])
    assert answer.status_code == 200
    state = rest.settled(answer.json()["file_hash"])
    assert state["status"] == "failed"
    assert len(state["message"]) > 10
    assert "/" not in state["message"]


def usable() -> dict[str, tuple[bytes, int | None]]:
    """Recordings with the number of speakers they must show (None: any)."""
    speech = sample_pcm()[: 12 * RATE_HZ]
    return {
        "8 kHz": (wav(speech[::2], 8_000), None),
        "96 kHz": (wav(np.repeat(speech, 6), 96_000), None),
        "stereo": (wav(np.stack([speech, speech], 1), mark="stereo"), None),
        "silence": (wav(np.zeros(5 * RATE_HZ, np.int16)), 0),
        "faint noise": (wav(noise(5)), 0),
        "one speaker": (wav(solo("rms"), mark="one"), 1),
        "mp3": (encoded(speech, "mp3", "libmp3lame"), None),
        "opus": (encoded(speech, "ogg", "libopus"), None),
        "m4a": (encoded(speech, "mp4", "aac"), None),
        "ten milliseconds": (wav(speech[:160], mark="short"), 0),
    }


@pytest.mark.parametrize("kind", sorted(usable()))
def test_recordings_of_any_kind_become_ready(rest: Rest, kind: str) -> None:
    recording, speakers = usable()[kind]
    file_hash = rest.analysed(recording)
    found = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]
    if speakers is None:
        assert found
    else:
        assert len(found) == speakers
    if speakers in (0, 1):
        balance = rest.get("/single-feature-api/meeting/balance-score", file_hash=file_hash).json()
        assert balance == {"balance_score": 0}
