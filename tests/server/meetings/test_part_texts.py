"""Names of files, and other texts of a form, in every way in which clients write what is not ASCII."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multipart import MultipartSegment

from server.meetings.part_texts import HEADER_CHARSET, decode_header_text, decode_text, file_name


def named(disposition: bytes) -> str | None:
    """The file name of a part with this header, as the parser hands it on."""
    return file_name(MultipartSegment([("Content-Disposition", disposition.decode(HEADER_CHARSET))]))


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'form-data; name="file"', None),
        (b'form-data; name="file"; filename="a b.wav"', "a b.wav"),
        (b"form-data; name=file; filename=a.wav", "a.wav"),
        ('form-data; name="file"; filename="会議.wav"'.encode(), "会議.wav"),
        (b'form-data; name="file"; filename="R\xe9union \x80.wav"', "Réunion €.wav"),
        (b'form-data; name="file"; filename="a\x81b.wav"', "a\x81b.wav"),
        (b'form-data; name="file"; filename="a.wav"; filename*=UTF-8\'\'R%C3%A9union.wav', "Réunion.wav"),
        (b'form-data; name="file"; filename*=utf-8\'fr\'R%C3%A9union.wav; filename="a.wav"', "Réunion.wav"),
        (b"form-data; name=\"file\"; FILENAME* = ISO-8859-1''R%E9union.wav", "Réunion.wav"),
        (b'form-data; name="file"; filename="a.wav"; filename*=UTF-8\'\'%FF', "a.wav"),
        (b'form-data; name="file"; filename="a.wav"; filename*=zip\'\'x', "a.wav"),
        (b'form-data; name="file"; filename="a.wav"; filename*=broken', "a.wav"),
        (b'form-data; name="file"; filename="=?UTF-8?B?UsOpdW5pb24ud2F2?="', "Réunion.wav"),
        (b'form-data; name="file"; filename="=?iso-8859-1?Q?R=E9union.wav?="', "Réunion.wav"),
        (b'form-data; name="file"; filename="=?zip?B?////?="', "=?zip?B?////?="),
        (b'form-data; name="file"; filename="=?UTF-8?B?!?="', "=?UTF-8?B?!?="),
    ],
)
def test_a_file_name_is_read_as_it_was_meant(disposition: bytes, name: str | None) -> None:
    assert named(disposition) == name


@given(st.binary(max_size=100))
def test_any_bytes_are_a_text_or_none(data: bytes) -> None:
    line = data.replace(b"\r", b"").replace(b"\n", b"")
    assert isinstance(named(b"form-data; name=file; filename=" + line), str | None)
    assert isinstance(named(b"form-data; name=file; filename*=UTF-8''" + line), str | None)
    assert decode_header_text(data.decode(HEADER_CHARSET)).isascii() == data.isascii()


@pytest.mark.parametrize("charset", ["zip", "unicode_escape", "idna", "utf-16", "", "\0"])
def test_a_charset_that_nobody_sends_is_refused(charset: str) -> None:
    with pytest.raises(ValueError, match="unsupported charset"):
        decode_text(charset, b"x")
