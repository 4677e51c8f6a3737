"""A hostile endpoint for summaries: whatever it answers over HTTP, the meeting gets a summary that can be stored."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from pydantic import ValidationError

from server.analysis.llm_summaries import MAX_ANSWER_BYTES, SummaryWriter
from server.analysis.model_answer import MAX_SENTENCE_CHARACTERS, MAX_SENTENCES
from server.insights import compute_answers
from server.storage import Database
from tests.server.analysis.test_llm_summaries import TALK, completion, writer

pytestmark = pytest.mark.long
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MARKER = "quincunx"
MIB = 1024 * 1024
# Seconds that a summary may take here, and for answers that nothing but that time ends.
PATIENCE_S, SHORT_PATIENCE_S = 100.0, 1.0
Answer = Callable[[socket.socket], None]


def whole(body: bytes, head: bytes = HEAD) -> Answer:
    """An answer of one piece."""
    return lambda client: client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def endless(head: bytes, piece: bytes, pause_s: float = 0.0) -> Answer:
    """An answer that never ends."""

    def send(client: socket.socket) -> None:
        client.sendall(head)
        while True:
            client.sendall(piece)
            time.sleep(pause_s)

    return send


def ending(sent: bytes) -> Answer:
    """A connection that is closed after so much."""

    def send(client: socket.socket) -> None:
        client.sendall(sent)
        client.shutdown(socket.SHUT_RDWR)

    return send


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """A server of one kind of answer: its base URL, and the requests that it got."""
    asked: list[bytes] = []
    over = threading.Event()

    def serve(client: socket.socket) -> None:
        # The client hangs up on an answer that it has enough of.
        with client, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split()[0])
            while len(body) < length:
                body += client.recv(65536)
            asked.append(head)
            answer(client)
            over.wait()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", asked
        over.set()
        listening.shutdown(socket.SHUT_RDWR)


def gzipped_zeros(mib: int) -> bytes:
    """So many MiB of zeros in a thousandth of that."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(mib)), packer.flush()])


GZIP = HEAD + b"Content-Encoding: gzip\r\n"
UNEXPECTED: tuple[Any, ...] = (
    None,
    [],
    "text",
    1e308,
    {"choices": None},
    {"choices": {}},
    {"choices": [None]},
    {"choices": [{"message": []}]},
    {"choices": [{"message": {"content": None}}]},
    {"choices": [{"message": {"content": {"meeting": ["x"]}}}]},
)
HOSTILE: dict[str, Answer] = {
    "300 MB of gzip": lambda client: whole(gzipped_zeros(300), GZIP)(client),
    "gzip within gzip": whole(gzip.compress(gzipped_zeros(1)), HEAD + b"Content-Encoding: gzip, gzip\r\n"),
    "gzip that is none": whole(b"no gzip", GZIP),
    "a body without end": endless(HEAD + b"\r\n", b"x" * 4096),
    "chunks without end": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "headers without end": endless(HEAD, b"X-More: " + b"x" * 1000 + b"\r\n"),
    "status lines without end": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a byte now and then": endless(HEAD + b"\r\n", b" ", 0.05),
    "silence": lambda client: None,
    "a closed door": ending(b""),
    "no HTTP": lambda client: client.sendall(b"\x00\xff SSH-2.0\r\n\r\n"),
    "a wrong length": whole(b"", HEAD + b"Content-Length: -1\r\n"),
    "a body that ends early": ending(HEAD + b"Content-Length: 99\r\n\r\n{"),
    "a mad header": whole(b"{}", HEAD + b"Content-Type: \xff\xfe; charset=\x80\r\n"),
    "deep nesting": whole(b"[" * (MAX_ANSWER_BYTES - 1)),
    "deep nesting of objects": whole(b'{"choices":' * 20_000),
    "deep nesting within": whole(completion("[" * 100_000)),
    "a number of 200,000 digits": whole(b"1" * 200_000),
    "half of a UTF-8 character": whole(b'{"choices": "\xe2'),
    "nothing at all": whole(b""),
    "no content": whole(b"", b"HTTP/1.1 204 No Content\r\n"),
    "an answer to something else": whole(completion({"meeting": ["x"]}), HEAD.replace(b"200", b"206")),
    **{f"{value!r}"[:40]: whole(json.dumps(value).encode()) for value in UNEXPECTED},
    **{
        f"the summary {value!r}"[:60]: whole(completion(value))
        for value in (
            {"meeting": None},
            {"meeting": {"0": "x"}},
            {"meeting": [["x"]]},
            {"meeting": [None]},
            {"meeting": ["x"], "speakers": None},
            {"meeting": ["x"], "speakers": {"1": {"a": "b"}}},
            {"meeting": ["x"], "speakers": {"1": [1]}},
            {"meeting": ["\x00", "\u202e", " \ufeff"]},
            {"meeting": ["\ud800"]},
        )
    },
}


ENDED_BY_TIME = ("a byte now and then", "silence", "status lines without end", "chunks without end")


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_answer_leaves_the_extractive_summary_in_bounded_time_and_memory(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with answering(HOSTILE[kind]) as (url, asked), caplog.at_level(logging.INFO):
        tracemalloc.start()
        try:
            patience_s = SHORT_PATIENCE_S if kind in ENDED_BY_TIME else PATIENCE_S
            assert await writer(url, patience_s).write(TALK) is None
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert len(asked) == 1 or kind in ENDED_BY_TIME
    # Json's nested values of 256 KiB, and httpx itself.
    assert most < 64 * MIB, f"{most} bytes"
    said = [record.getMessage() for record in caplog.records if record.name == "server.analysis.llm_summaries"]
    assert len(said) == 1
    assert said[0].startswith("no summary from the language model (")
    answers = compute_answers(TALK)
    assert answers["summaries"].document["method"] == answers["notes"].document["methods"]["summary"] == "extractive"


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"])
async def test_the_transcript_is_not_carried_to_where_an_answer_redirects(status: bytes) -> None:
    with answering(whole(completion({"meeting": ["x"]}))) as (elsewhere, asked_elsewhere):
        head = b"HTTP/1.1 " + status + b"\r\nLocation: " + elsewhere.encode() + b"/chat/completions\r\n"
        with answering(whole(b"", head)) as (url, asked):
            assert await writer(url).write(TALK) is None
    assert (len(asked), asked_elsewhere) == (1, [])


async def test_no_compressed_answer_is_asked_for() -> None:
    with answering(whole(completion({"meeting": ["Fine."]}))) as (url, asked):
        assert await writer(url).write(TALK) is not None
    assert b"accept-encoding: identity" in asked[0].lower()


NASTY = {
    "a null \x00 within": "a null  within",
    "half \ud83d of a pair": "half  of a pair",
    "a red \x1b[31m terminal\x07": "a red [31m terminal",
    "reversed \u202etxet\u202c": "reversed txet",
    "two\r\nlines": "two lines",
    "x" * 100_000: "x" * MAX_SENTENCE_CHARACTERS,
    "whole 🎈 and naïve": "whole 🎈 and naïve",
}


async def test_texts_are_cleaned_bounded_and_storable(database: Database) -> None:
    written: dict[str, Any] = {
        "meeting": list(NASTY),
        "speakers": {"1": "one \x00", "2": ["a"] * 1000, "3\x00": ["nobody"]},
    }
    written["decisions"] = [{"text": text, "sentences": [1]} for text in NASTY]
    written["action_items"] = [{"text": "x", "who": "a null \x00 within", "due": "two\r\nlines", "sentences": [2, 2]}]
    with answering(whole(completion(written))) as (url, _):
        found = await writer(url).write(TALK)
    assert found is not None
    assert found.summaries["meeting"] == list(NASTY.values())
    assert found.summaries["speakers"] == [[1, ["one"]], [2, ["a"] * MAX_SENTENCES]]
    answers = compute_answers(TALK, *found)
    assert answers["summaries"].document["method"] == "abstractive"
    notes = answers["notes"].document
    assert [line["text"] for line in notes["decisions"]] == list(NASTY.values())
    assert (notes["action_items"][0]["person"], notes["action_items"][0]["due"]) == ("a null  within", "two lines")
    # As answers are stored.
    both = [answers["summaries"].document, notes]
    assert await database.run(lambda c: c.fetchval("SELECT $1::jsonb", both)) == json.loads(json.dumps(both))


async def test_the_log_quotes_neither_the_answer_nor_the_key(caplog: pytest.LogCaptureFixture) -> None:
    for body in (MARKER.encode(), completion(MARKER), json.dumps({MARKER: 1}).encode(), b"{'" + MARKER.encode()):
        head = b"HTTP/1.1 400 " + MARKER.encode() + b"\r\nX: " + MARKER.encode() + b"\r\n"
        for answer in (whole(body), whole(body, head), whole(body, HEAD + b"Content-Encoding: " + MARKER.encode())):
            with answering(answer) as (url, _), caplog.at_level(logging.INFO):
                assert await writer(url).write(TALK) is None
    said = [record.getMessage() for record in caplog.records if record.name.startswith("server")]
    assert len(said) == 12
    assert not [line for line in said if MARKER in line or "a-key" in line or "budget" in line]


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "ftp://models.example/v1",
        "file:///etc/passwd",
        "//models.example/v1",
        "http://",
        "https:///v1",
        "http://[::1/v1",
        "http://models.example:99999/v1",
        "http://models.example:port/v1",
        "http://user:secret@models.example/v1",
        "http://models.example/v1?key=secret",
        "http://models.example/v1#there",
        "http://models.example/v 1",
        "http://models.example/v1\n",
        "http://mödels.example/v1",
    ],
)
def test_a_url_that_is_none_stops_the_start_and_is_not_repeated(url: str) -> None:
    with pytest.raises(ValidationError) as raised:
        writer(url)
    (problem,) = raised.value.errors()
    assert problem["loc"] == ("summary_url",)
    assert "secret" not in problem["msg"]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:11434/v1", "https://models.example/v1/", "http://[::1]:8000/v1"])
def test_ordinary_urls_are_taken(url: str) -> None:
    assert isinstance(writer(url), SummaryWriter)
