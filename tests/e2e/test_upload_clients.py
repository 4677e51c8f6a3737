"""What clients make of an upload on its way: names in every spelling, packed bodies, forms in pieces."""

from __future__ import annotations

import gzip
import hashlib

import httpx
import pytest

from tests.e2e.conftest import Rest
from tests.e2e.raw_http import head, raw
from tests.e2e.test_live_http import control, opened
from tests.recordings import excerpt

MEETINGS = "/single-feature-api/meetings"
UPLOAD = "/single-feature-api/upload"
# Bytes that the decoder refuses at once: what is tested here needs no analysis.
NO_RECORDING = b"no recording at all "


def multipart(disposition: bytes, content: bytes, *more: bytes) -> bytes:
    lines = [b"--b", b"Content-Disposition: form-data; " + disposition, *more, b"", content, b"--b--", b""]
    return b"\r\n".join(lines)


def upload(rest: Rest, body: bytes, kind: str = "multipart/form-data; boundary=b", **headers: str) -> httpx.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return rest.http.post(UPLOAD, content=body, headers={"content-type": kind, **headers})


def name_of(rest: Rest, answer: httpx.Response) -> str:
    """The name that the list shows for what was just uploaded."""
    assert answer.status_code == 200, answer.text
    listed = rest.http.get(MEETINGS, params={"page_size": 1000}).json()["meetings"]
    return next(str(m["name"]) for m in listed if m["file_hash"] == answer.json()["file_hash"])


def test_a_compressed_chunk_of_a_live_meeting_is_unpacked(rest: Rest) -> None:
    ready = opened(rest)

    def send(body: bytes, encoding: str) -> httpx.Response:
        place = {"owner": ready["owner"], "track_id": "mic", "first_sample": 0}
        path = f"/single-feature-api/live/{ready['session_id']}/audio"
        return rest.http.post(path, params=place, content=body, headers={"content-encoding": encoding})

    assert send(gzip.compress(bytes(3200)), "gzip").json()["ack"]["tracks"] == [
        {"track_id": "mic", "next_sample": 1600}
    ]
    assert send(bytes(3200), "br").status_code == 415
    unknown = rest.http.post(
        f"/single-feature-api/live/{ready['session_id']}/audio",
        params={"owner": ready["owner"], "track_id": "名" * 5000},
        content=b"x",
    )
    # The whole name would not fit into the headers that carry an error.
    assert (unknown.status_code, len(unknown.json()["message"])) == (400, 400)
    bomb = send(gzip.compress(bytes(10_000_000)), "gzip")
    assert bomb.json() == {"message": "Bad request: body: more than 65536 bytes after decompression"}
    assert control(rest, ready, "CONTROL_FINISH").status_code == 200


@pytest.mark.parametrize(("written", "name"), [("Weekly+sync", "Weekly sync"), ("C%2B%2B", "C++"), ("a%20b", "a b")])
def test_a_plus_in_a_query_is_a_space_and_2b_a_plus(rest: Rest, written: str, name: str) -> None:
    body = NO_RECORDING + written.encode()
    answer = rest.http.post(f"{UPLOAD}?name={written}", content=body, headers={"content-type": "audio/wav"})
    assert name_of(rest, answer) == name


def test_a_zone_whose_plus_became_a_space_is_read(rest: Rest) -> None:
    body = NO_RECORDING + b"zone"
    path = f"{UPLOAD}?date=2026-11-23T14:00:00+02:00"
    file_hash = rest.http.post(path, content=body, headers={"content-type": "audio/wav"}).json()["file_hash"]
    listed = rest.http.get(MEETINGS, params={"page_size": 1000}).json()["meetings"]
    assert next(m["date"] for m in listed if m["file_hash"] == file_hash) == "2026-11-23T14:00:00+02:00"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'name="file"; filename="a.wav"; filename*=UTF-8\'\'R%C3%A9union.wav', "Réunion.wav"),
        (b"name=\"file\"; filename*=iso-8859-1'fr'R%E9union.wav", "Réunion.wav"),
        (b'name="file"; filename="R\xe9union.wav"', "Réunion.wav"),
        ('name="file"; filename="会議.wav"'.encode(), "会議.wav"),
        (b'name="file"; filename="=?UTF-8?B?UsOpdW5pb24ud2F2?="', "Réunion.wav"),
        (b"name=file; filename=plain.wav", "plain.wav"),
        (b'name="file"; filename="C:\\recordings\\mine.wav"', "mine.wav"),
        (b'name="file"; filename="\xe2\x80\xae3pm.exe"', "3pm.exe"),
    ],
)
def test_a_file_name_is_read_as_it_is_written(rest: Rest, disposition: bytes, name: str) -> None:
    content = NO_RECORDING + hashlib.sha256(disposition).digest()
    assert name_of(rest, upload(rest, multipart(disposition, content))) == name


def test_a_compressed_upload_is_unpacked_and_others_are_415(rest: Rest, meeting: str) -> None:
    recording = excerpt(45)
    packed = upload(rest, gzip.compress(recording), "audio/wav", content_encoding="gzip")
    assert (packed.status_code, packed.json()["file_hash"]) == (200, meeting)
    form = multipart(b'name="file"', recording)
    assert upload(rest, gzip.compress(form), content_encoding="gzip").json()["file_hash"] == meeting
    cut = upload(rest, gzip.compress(recording)[:-20], "audio/wav", content_encoding="gzip")
    assert cut.json() == {"message": "Bad request: body: the compressed body is damaged or truncated"}
    other = upload(rest, recording, "audio/wav", content_encoding="br")
    reason = "content-encoding: not supported; use gzip or deflate, or send the body uncompressed"
    assert (other.status_code, other.json()) == (415, {"message": reason})


def test_the_end_of_a_form_may_come_in_pieces_with_text_around_it(rest: Rest, meeting: str) -> None:
    form = multipart(b'name="file"; filename="a.wav"', excerpt(45))
    around = b"This is a form.\r\n" + form + b"The end.\r\n"
    for body in (form, around):
        asked = head(rest, f"POST {UPLOAD} HTTP/1.1", "Host: x", "Content-Type: multipart/form-data; boundary=b",
                     f"Content-Length: {len(body)}")  # fmt: skip
        tail = [body[place : place + 1] for place in range(len(body) - 24, len(body))]
        answer = raw(rest, asked, body[:-24], *tail)
        assert answer.startswith(b"HTTP/1.1 200 OK"), answer
        assert meeting.encode() in answer
