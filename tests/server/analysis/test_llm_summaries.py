"""Summaries by a language model, from a real HTTP server that speaks the OpenAI protocol well or badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from server.analysis.llm_summaries import MAX_TRANSCRIPT_CHARACTERS, SummaryWriter
from server.analysis.model_answer import format_transcript
from server.config import ServerSettings
from server.insights import compute_answers
from tests.server.analysis.test_model_answer import RECORDED
from tests.server.analysis.test_model_answer import TALK as MEETING
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import sentence

pytestmark = pytest.mark.long

TALK = replace(
    conversation((1, 0, 30), (2, 30, 60)),
    sentences=(
        sentence(1, 0, 4, "We spent too much money on the new server."),
        sentence(2, 30, 34, "Then we should look at the budget again."),
    ),
)


class Endpoint(ThreadingHTTPServer):
    """Answers ``reply`` to every chat completion and remembers what was asked."""

    reply: tuple[int, bytes] = (200, b"")
    asked: list[dict[str, Any]]
    keys: list[str]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        server.keys.append(self.headers["authorization"])
        status, body = server.reply if self.path == "/v1/chat/completions" else (404, b"")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint(("127.0.0.1", 0), Handler)
    server.asked, server.keys = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def writer(url: str, timeout_s: float = 60) -> SummaryWriter:
    settings = ServerSettings.model_validate(
        {
            "database_url": "postgresql://x",
            "audio_dir": "/nowhere",
            "summary_url": url,
            "summary_model": "a-model",
            "summary_key": "a-key",
            "summary_timeout_s": timeout_s,
        }
    )
    return SummaryWriter(settings)


def completion(content: Any) -> bytes:
    text = content if isinstance(content, str) else json.dumps(content)
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


def url_of(endpoint: Endpoint) -> str:
    return f"http://127.0.0.1:{endpoint.server_address[1]}/v1"


async def test_what_the_model_writes_becomes_the_summary(endpoint: Endpoint) -> None:
    written = {"meeting": ["The server was dear.", "The budget is looked at again."], "speakers": {"1": ["Complains."]}}
    endpoint.reply = (200, completion(written))
    found = await writer(url_of(endpoint)).write(TALK)
    assert found is not None
    assert found.summaries == {
        "meeting": written["meeting"],
        "speakers": [[1, ["Complains."]], [2, []]],
        "method": "abstractive",
    }
    (asked,) = endpoint.asked
    assert asked["model"] == "a-model"
    assert format_transcript(TALK, MAX_TRANSCRIPT_CHARACTERS) in asked["messages"][1]["content"]
    assert endpoint.keys == ["Bearer a-key"]
    stored = compute_answers(TALK, *found)["summaries"].document
    assert stored["meeting"] == written["meeting"]
    # Of whom the model said nothing, the extractive summary remains.
    assert stored["speakers"][1][1] == ["Then we should look at the budget again."]


async def test_a_recorded_answer_becomes_notes_whose_lines_name_sentences_that_were_sent(endpoint: Endpoint) -> None:
    endpoint.reply = (200, completion(RECORDED))
    found = await writer(url_of(endpoint)).write(MEETING)
    assert found is not None
    (asked,) = endpoint.asked
    sent = dict(line.split(" ", 1) for line in asked["messages"][1]["content"].splitlines())
    notes = compute_answers(MEETING, *found)["notes"].document
    assert set(notes["methods"].values()) == {"abstractive"}
    lines = [*notes["summary"], *notes["action_items"], *notes["decisions"]]
    lines += [point for chapter in notes["chapters"] for point in chapter["points"]]
    assert len(lines) == 5
    for cited in (cited for line in lines for cited in line["sentences"]):
        assert sent[str(cited["number"])] == f"[{cited['speaker']}] {MEETING.sentences[cited['number'] - 1].text}"


@pytest.mark.parametrize(
    "reply",
    [
        (500, b"broken"),
        (200, b"no json"),
        (200, b"{}"),
        (200, completion("no json")),
        (200, completion([])),
        (200, completion({"meeting": []})),
        (200, completion({"meeting": [1, 2]})),
        (200, completion({"meeting": ["x"], "speakers": []})),
        (200, b"x" * 600_000),
    ],
)
async def test_whatever_goes_wrong_there_the_meeting_gets_its_extractive_summary(
    endpoint: Endpoint, reply: tuple[int, bytes]
) -> None:
    endpoint.reply = reply
    assert await writer(url_of(endpoint)).write(TALK) is None
    assert compute_answers(TALK)["summaries"].document["method"] == "extractive"


async def test_no_endpoint_and_a_dead_one_are_no_trouble() -> None:
    assert await writer("").write(TALK) is None
    assert await writer("http://127.0.0.1:9/v1").write(TALK) is None
