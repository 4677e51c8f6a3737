"""What is redacted is nowhere: in no answer over REST or gRPC, no live event, and no row of the database."""

from __future__ import annotations

import io
import json
import re
import tarfile
import wave
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import grpc
import numpy as np
import pytest
from google.protobuf import json_format, message_factory
from meetra.v1 import insights_pb2, meetings_pb2, speakers_pb2
from meetra.v1 import live_pb2 as pb

from benchmarks.redaction_speech import MARKERS, SPEECH, SPOKEN_MARKERS, read_call
from tests.e2e.conftest import Rest, System
from tests.e2e.live_bot import CHUNK_BYTES, connected
from tests.e2e.test_live import READS
from tests.recordings import RATE_HZ, wav

KINDS = "email,phone,card,iban,name"
FILE_NAME = "call_of_Daniel_+4915112345678.ogg"
# What people wrote about the meeting, besides what is said in it.
WRITTEN = ("4915112345678",)


# Vectors of sentences: chance could write anything in them.
VECTOR = re.compile(r"[A-Za-z0-9+/=]{200,}")


def markers_in(text: str, markers: Sequence[str] = (*MARKERS, *WRITTEN)) -> list[str]:
    readable = VECTOR.sub("", text).lower()
    return [marker for marker in markers if marker in readable]


def transcript(rest: Rest, file_hash: str) -> str:
    entries = rest.get("/single-feature-api/meeting/transcription", file_hash=file_hash).json()["Transcription"]
    return "\n".join(entry["transcription"] for entry in entries)


def upload(rest: Rest, *, mark: bytes = b"", **fields: str) -> str:
    """Upload the call, and wait until it is ready; its hash."""
    files = {"file": (FILE_NAME, SPEECH.read_bytes() + mark, "audio/ogg")}
    answer = rest.http.post("/single-feature-api/upload", files=files, data={"channels": "separate", **fields})
    assert answer.status_code == 200, answer.text
    file_hash: str = answer.json()["file_hash"]
    assert rest.settled(file_hash)["status"] == "ready"
    return file_hash


@pytest.fixture(scope="module")
def plain(rest: Rest) -> str:
    return upload(rest)


@pytest.fixture(scope="module")
def redacted(rest: Rest) -> str:
    return upload(rest, mark=b"\0" * 16, redact=KINDS, key_terms="Laura Miller")


def rest_answers(rest: Rest, file_hash: str) -> Iterator[tuple[str, str]]:
    """Every answer about a meeting, with its details, and the meetings that are listed under this hash."""
    for path in (*READS, "/api/meeting/speakers", "/single-feature-api/meeting/status"):
        for details in ({}, {"include_details": "true"}):
            answer = rest.http.get(path, params={"file-hash": file_hash, **details})
            if answer.status_code == 400 and details:
                assert "include_details: unknown parameter" in answer.text
                continue
            assert answer.status_code == 200, (path, answer.text)
            yield path, answer.text
    listed = rest.http.get("/single-feature-api/meetings", params={"page_size": 1000})
    (own,) = [m for m in listed.json().get("meetings", []) if m["file_hash"] == file_hash]
    yield "meetings", json.dumps(own)


def grpc_answers(rest: Rest, file_hash: str) -> Iterator[tuple[str, str]]:
    """The answers of every method that takes a recording and reads."""
    metadata = (("authorization", f"Bearer {rest.token}"),)
    with grpc.insecure_channel(urlsplit(rest.gateway).netloc) as channel:
        for module in (insights_pb2, meetings_pb2, speakers_pb2):
            for service in module.DESCRIPTOR.services_by_name.values():
                for method in service.methods:
                    fields = method.input_type.fields_by_name
                    reads = method.name.startswith(("Get", "List"))
                    if not reads or "file_hash" not in fields or method.client_streaming:
                        continue
                    request = _message(method.input_type)(file_hash=file_hash)
                    if "include_details" in fields:
                        request.include_details = True
                    call: Any = channel.unary_unary(
                        f"/{service.full_name}/{method.name}",
                        request_serializer=lambda message: message.SerializeToString(),
                        response_deserializer=_message(method.output_type).FromString,
                    )
                    answer = call(request, metadata=metadata, timeout=120)
                    yield method.name, json_format.MessageToJson(answer, ensure_ascii=False)


def _message(descriptor: Any) -> Any:
    return message_factory.GetMessageClass(descriptor)


async def rows(system: System, file_hash: str) -> AsyncIterator[tuple[str, str]]:
    """Every row of a meeting in every table, as text; binary columns as the bytes that they are."""
    connection = await asyncpg.connect(system.database_url)
    try:
        meeting_id = await connection.fetchval("SELECT id FROM meetings WHERE file_hash = $1", file_hash)
        columns = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        )
        tables = {row["table_name"] for row in columns if row["column_name"] == "meeting_id"}
        assert {"conversations", "insights", "speakers", "live_events", "live_meetings"} <= tables
        for table, key in [*((table, "meeting_id") for table in sorted(tables)), ("meetings", "id")]:
            for row in await connection.fetch(f"SELECT t.* FROM {table} t WHERE {key} = $1", meeting_id):
                for column, value in row.items():
                    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    yield f"{table}.{column}", text
    finally:
        await connection.close()


async def ranges_of(system: System, file_hash: str) -> list[list[int]]:
    connection = await asyncpg.connect(system.database_url)
    try:
        found = await connection.fetchval("SELECT redacted_ranges FROM meetings WHERE file_hash = $1", file_hash)
        ranges: list[list[int]] = json.loads(found)
        return ranges
    finally:
        await connection.close()


async def test_the_markers_are_in_the_meeting_without_redaction(rest: Rest, system: System, plain: str) -> None:
    said = "\n".join(text for _, text in rest_answers(rest, plain))
    # The recogniser writes them so; a marker that it no longer writes proves nothing below.
    assert set(markers_in(said)) >= {"daniel", "laura", "example.com", "41555501", "41111111", "3704-0044", *WRITTEN}
    assert set(markers_in("".join([text async for _, text in rows(system, plain)]))) >= {"daniel", "41111111"}
    assert set(markers_in(transcript(rest, plain), SPOKEN_MARKERS)) >= {"0199", "4155", "1111", "3704", "0532"}
    assert await ranges_of(system, plain) == []


def test_no_answer_has_them(rest: Rest, redacted: str) -> None:
    answers = [*rest_answers(rest, redacted), *grpc_answers(rest, redacted)]
    assert len(answers) > 40
    assert [(where, markers_in(text)) for where, text in answers if markers_in(text)] == []
    said = transcript(rest, redacted)
    assert markers_in(said, SPOKEN_MARKERS) == []
    assert all(f"[{kind.upper()}]" in said for kind in KINDS.split(",")), said
    speakers = rest.get("/api/meeting/speakers", file_hash=redacted).json()["speakers"]
    assert [speaker["alias"] for speaker in speakers] == ["Speaker 1", "Speaker 2"]
    assert rest.settled(redacted)["redact"] == KINDS


async def test_no_row_has_them(system: System, redacted: str) -> None:
    found = [(where, markers_in(text)) async for where, text in rows(system, redacted) if markers_in(text)]
    assert found == []


async def test_the_audio_handed_out_has_them_no_more(rest: Rest, system: System, redacted: str) -> None:
    assert len(await ranges_of(system, redacted)) >= 5
    exported = rest.http.get("/api/organization/export", timeout=600)
    assert exported.status_code == 200, exported.text
    with tarfile.open(fileobj=io.BytesIO(exported.content)) as opened:
        own = [member for member in opened.getmembers() if member.name.startswith(f"meetings/{redacted}/")]
        files = {member.name.rpartition("/")[2]: opened.extractfile(member).read() for member in own}  # type: ignore[union-attr]
    found = [(name, markers_in(data.decode())) for name, data in files.items() if name.endswith(".json")]
    assert len(found) > 18
    assert [(name, markers) for name, markers in found if markers] == []
    assert json.loads(files["meeting.json"])["audio"] == ["recording-1.wav", "recording-2.wav"]
    sides = []
    for number in (1, 2):
        with wave.open(io.BytesIO(files[f"recording-{number}.wav"])) as recording:
            assert recording.getframerate() == RATE_HZ
            sides.append(np.frombuffer(recording.readframes(recording.getnframes()), "<i2"))
    assert abs(len(sides[0]) - len(read_call())) < RATE_HZ
    file_hash = rest.analysed(wav(np.stack(sides, axis=1)), channels="separate")
    said = transcript(rest, file_hash)
    assert markers_in(said, SPOKEN_MARKERS) == []
    assert "telephone number" in said


def test_a_known_recording_is_not_redacted_afterwards(rest: Rest, plain: str, redacted: str) -> None:
    files = {"file": (FILE_NAME, SPEECH.read_bytes(), "audio/ogg")}
    refused = rest.http.post("/single-feature-api/upload", files=files, data={"redact": "phone"})
    message = (
        "redact: this recording was already analysed, redacting nothing; to change that, delete the meeting and upload"
        " it again"
    )
    assert (refused.status_code, refused.json()) == (409, {"message": message})
    assert upload(rest, mark=b"\0" * 16, redact="phone") == upload(rest, mark=b"\0" * 16) == redacted


def test_wrong_kinds_are_refused(rest: Rest) -> None:
    answer = rest.upload(wav(np.zeros(RATE_HZ, np.int16), mark="kinds"), redact="phone,address")
    message = "Bad request: redact: must be one or several of email, phone, card, iban, name, separated by commas"
    assert (answer.status_code, answer.json()) == (400, {"message": message})


async def test_a_live_meeting_tells_nobody(rest: Rest, system: System) -> None:
    track = pb.TrackConfig(
        track_id="call",
        kind=pb.TRACK_KIND_PARTICIPANT,
        encoding=pb.AUDIO_ENCODING_PCM_S16LE,
        sample_rate_hz=RATE_HZ,
        channels=2,
        channel_use=pb.CHANNEL_USE_SEPARATE,
        channel_names=["Daniel", "Laura Miller"],
    )
    raw = read_call().astype("<i2").tobytes()
    config = pb.LiveConfig(
        name="Call of Daniel and +49 151 12345678",
        tracks=[track],
        redact=KINDS,
        key_terms=["Laura"],
        insights_period_s=5,
    )
    async with connected(rest) as bot:
        ready = await bot.open(config)
        for start in range(0, len(raw), CHUNK_BYTES):
            data = raw[start : start + CHUNK_BYTES]
            await bot.send(
                pb.StreamMeetingRequest(audio=pb.AudioChunk(track_id="call", first_sample=start // 4, data=data))
            )
            if start % (20 * CHUNK_BYTES) == 0:
                # Events come while it is said: what is heard of it so far is sent.
                await bot.control(pb.CONTROL_FLUSH)
        finished = await bot.finish()
    assert finished.status == "ready"
    assert [str(event) for event in bot.events if markers_in(str(event))] == []
    spoken = [" ".join(word.text for word in turn.words) for turn in bot.of("turn")]
    assert [words for words in spoken if markers_in(words, SPOKEN_MARKERS)] == []
    assert {turn.alias for turn in bot.of("turn")} == {"Speaker 1", "Speaker 2"}
    last = {turn.segment_id: turn for turn in bot.of("turn")}
    words = " ".join(word.text for turn in last.values() for word in turn.words)
    assert all(f"[{kind.upper()}]" in words for kind in KINDS.split(",")), words
    answers = [*rest_answers(rest, ready.file_hash), *grpc_answers(rest, ready.file_hash)]
    assert [(where, markers_in(text)) for where, text in answers if markers_in(text)] == []
    assert [(where, markers_in(text)) async for where, text in rows(system, ready.file_hash) if markers_in(text)] == []


def test_the_policy_of_an_organization_holds_for_every_upload(system: System) -> None:
    # Of its own: other tests ask the stranger's organization for meetings that it does not have.
    password = system.add_user("discreet@example.org", "--organization", "Discreet", "--role", "owner")
    discreet = system.login("discreet@example.org", password)
    changed = discreet.http.put("/api/organization", json={"policy": {"redact": "email,phone,card,iban,name"}})
    assert changed.status_code == 200, changed.text
    assert changed.json()["organization"]["policy"]["redact"] == KINDS
    file_hash = upload(discreet, redact="phone")
    assert markers_in(transcript(discreet, file_hash), SPOKEN_MARKERS) == []
    assert discreet.settled(file_hash)["redact"] == KINDS
    refused = discreet.http.put("/api/organization", json={"policy": {"redact": "phone,email"}})
    message = "Bad request: policy.redact: must be written as email,phone"
    assert (refused.status_code, refused.json()) == (400, {"message": message})
