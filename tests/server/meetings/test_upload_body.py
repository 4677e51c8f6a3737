"""Forms as clients write them, cut anywhere: read, or refused with what is wrong."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.audio.audio_log import AudioLog, IncomingRecording
from server.errors import BadRequest
from server.meetings.upload_body import MAX_OVERHEAD_BYTES, UploadBody, create_body

CONTENT = b"RIFF\r\n--not the boundary\r\n--\r\n\0\xff" * 3


@pytest.fixture
def recording(tmp_path: Path) -> IncomingRecording:
    return AudioLog(tmp_path).receive(10_000_000)


def part(disposition: str, content: bytes, *headers: str) -> bytes:
    lines = ["--b", f"Content-Disposition: form-data; {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + content + b"\r\n"


def read(recording: IncomingRecording, body: bytes, kind: str = "multipart/form-data; boundary=b") -> UploadBody:
    found = create_body(kind, recording)
    with recording:
        found.feed(body)
        found.close()
    return found


FILE = part('name="file"; filename="a.wav"', CONTENT, "Content-Type: audio/wav")
FORM = part('name="name"', b"Weekly") + FILE + b"--b--\r\n"


@given(st.lists(st.integers(0, len(FORM) + 30), max_size=9))
def test_a_form_may_be_cut_anywhere_and_have_text_around_it(cuts: list[int]) -> None:
    whole = b"Preamble\r\n" + FORM + b"Epilogue"
    edges = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    written = bytearray()

    class Kept:
        size_bytes = 0

        def write(self, data: bytes) -> None:
            self.size_bytes += len(data)
            written.extend(data)

    body = create_body("multipart/form-data; boundary=b", Kept())  # type: ignore[arg-type]
    for start, end in pairwise(edges):
        body.feed(whole[start:end])
    body.close()
    assert (bytes(written), body.fields, body.file_name, body.media_type) == (
        CONTENT,
        {"name": "Weekly"},
        "a.wav",
        "audio/wav",
    )


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("audio/WAV; codecs=1", "audio/wav"),
        ("audio/\0wav", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("a/" + "b" * 300, "application/octet-stream"),
        ("audio/w\xe4v", "application/octet-stream"),
    ],
)
def test_the_media_type_of_a_part_is_one_or_unknown(recording: IncomingRecording, stated: str, kept: str) -> None:
    file = part('name="file"; filename="a"', CONTENT, f"Content-Type: {stated}")
    assert read(recording, file + b"--b--").media_type == kept


@pytest.mark.parametrize(
    ("content", "header", "text"),
    [
        ("Réunion".encode(), "X: y", "Réunion"),
        (b"R\xe9union", "Content-Type: text/plain; charset=ISO-8859-1", "Réunion"),
        (b"\x80 5", "Content-Type: text/plain; charset=windows-1252", "€ 5"),
    ],
)
def test_a_text_is_read_in_the_charset_of_its_part(
    recording: IncomingRecording, content: bytes, header: str, text: str
) -> None:
    assert read(recording, part('name="name"', content, header) + FILE + b"--b--").fields == {"name": text}


WRONG = {
    "name: not valid UTF-8": part('name="name"', b"R\xe9union") + FILE + b"--b--",
    "name: not valid UTF-8, nor": part('name="name"', b"\\ud800", "Content-Type: text/plain; charset=unicode_escape")
    + b"--b--",
    "body: not well-formed": FILE.replace(b"\r\n", b"\n"),
    "body: the multipart/form-data ends": FILE,
    "body: more than 16 parts": part('name="name"', b"x") * 17 + FILE,
    "body: more than 16 parts, or part headers over 4 kB": part('name="file"; filename="' + "x" * 5000 + '"', CONTENT),
    "file: missing; send the recording as the part named file": b"--b--",
    "file: given more than once; send one recording per upload": FILE + FILE + b"--b--",
    "file: the recording is empty": part('name="file"', b"") + b"--b--",
    "file: Content-Transfer-Encoding is not supported": part(
        'name="file"', b"UklGRg==", "Content-Transfer-Encoding: base64"
    ),
    "file: Content-Encoding is not supported": part('name="file"', CONTENT, "Content-Encoding: gzip"),
    "colour: unknown part": part('name="colour"', b"blue"),
    "body: unknown part": part('name=""', b"blue"),
    "x: unknown part": part('name="\xe2\x80\xaex"', b"blue"),
    "n_speakers: at most 4096 bytes": part('name="n_speakers"', b"1" * 5000),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_with_a_form_is_said(recording: IncomingRecording, message: str) -> None:
    with pytest.raises(BadRequest) as raised:
        read(recording, WRONG[message])
    assert raised.value.message.startswith(f"Bad request: {message}")


@pytest.mark.parametrize("where", ["before", "after"])
def test_endless_text_around_a_form_is_refused(recording: IncomingRecording, where: str) -> None:
    around = b"x" * (MAX_OVERHEAD_BYTES // 2)
    body = create_body("multipart/form-data; boundary=b", recording)
    with recording:
        if where == "after":
            body.feed(FORM)
        body.feed(around)
        with pytest.raises(BadRequest, match="outside the recording"):
            body.feed(around + b"x")


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "audio/",
        "audio/\0wav",
        "audio/w v",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "b" * 71,
        'multipart/form-data; boundary="a\nb"',
        "multipart/form-data; boundary=\xe9",
        "multipart/mixed; boundary=b",
    ],
)
def test_a_media_type_that_says_no_upload_is_refused(recording: IncomingRecording, kind: str) -> None:
    with pytest.raises(BadRequest, match="content-type"):
        create_body(kind, recording)
