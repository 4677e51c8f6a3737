"""What reading an answer costs: each REST GET of a finished 2-hour meeting beside a bare gRPC echo.

    python -m benchmarks.rest [--hours 2] [--calls 200] [--json FILE]

A meeting of that length is made from the sample meeting, said over and over, and stored as an
analysis stores it (the models do not run: only reading is measured). Every call goes through
the same Envoy on the same connection, in turns; the echo is a gRPC health check, which touches
no database. p50 and p95 in milliseconds, and how often each is the echo's p50; then the SQL
statements that each read costs, from PostgreSQL's own log, and the scans in their plans, with
two thousand other meetings beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks.accuracy import stored_conversation
from benchmarks.running_system import ROOT, circumstances, running_system
from benchmarks.statements import statement_log
from server.conversation import Conversation, Segment, Sentence, Word
from server.insights import compute_answers
from server.storage import Database, SpeakerRow, enter_organization, insights, speakers

SAMPLE = ROOT / "sample" / "meeting.flac"
HASH = "f" * 64
OTHER_MEETINGS = 2000
S, M = "/single-feature-api", "/single-feature-api/meeting"
PATHS = (
    "/api/meeting/speakers",
    f"{M}/status",
    f"{M}/balance-score",
    f"{M}/details-by-topics",
    f"{M}/key-points",
    f"{M}/text-summaries",
    f"{M}/notes",
    f"{M}/topics",
    f"{M}/questions",
    f"{M}/transcription",
    f"{M}/meeting-dynamics",
    f"{M}/meeting-emotions",
    f"{S}/speaker-emotions-over-time",
    f"{M}/meeting-sentiment",
    f"{M}/meeting-energy",
    f"{M}/meeting-interaction_score",
    f"{M}/meeting-interactions",
    f"{M}/speakers-audio-quality",
    "/speakers-balance",
    f"{M}/quality",
    f"{M}/meeting-dynamics?period_seconds=60",
)


def repeated(conversation: Conversation, hours: float) -> Conversation:
    """The conversation said over and over; each time a little differently, as far as vectors go."""
    times = round(hours * 3600e6 / conversation.duration_us)
    random = np.random.default_rng(0)
    segments: list[Segment] = []
    sentences: list[Sentence] = []
    for i in range(times):
        shift, first = i * conversation.duration_us, i * len(conversation.segments)
        for s in conversation.segments:
            words = tuple(Word(w.text, w.start_us + shift, w.end_us + shift, w.confidence) for w in s.words)
            shifted = replace(s, start_us=s.start_us + shift, end_us=s.end_us + shift, words=words)
            segments.append(replace(shifted, segment_id=first + s.segment_id))
        for sentence in conversation.sentences:
            vector = np.frombuffer(sentence.vector, "<f2").astype(np.float64)
            vector = vector + random.standard_normal(len(vector)) * 0.02
            vector /= np.linalg.norm(vector)
            sentences.append(
                replace(
                    sentence,
                    segment_id=first + sentence.segment_id,
                    start_us=sentence.start_us + shift,
                    end_us=sentence.end_us + shift,
                    vector=vector.astype("<f2").tobytes(),
                )
            )
    return replace(
        conversation,
        duration_us=times * conversation.duration_us,
        segments=tuple(segments),
        sentences=tuple(sentences),
    )


async def store(database_url: str, email: str, conversation: Conversation, *, others: int) -> None:
    """Files the conversation as a finished meeting of a user, beside ``others`` of the same organization."""
    database = await Database.connect(database_url)
    meeting_id = uuid4()

    async def work(connection: Any) -> None:
        owner = await connection.fetchrow("SELECT id, organization_id FROM users WHERE email = $1", email)
        await enter_organization(connection, UUID(str(owner["organization_id"])))
        await connection.execute(
            "INSERT INTO meetings (id, organization_id, user_id, file_hash, name, media_type, size_bytes, status,"
            " stage, progress_percent, engine, duration_ms)"
            " VALUES ($1, $2, $3, $4, 'long', 'audio/flac', 1, 'ready', 'done', 100, $5, $6)",
            meeting_id,
            UUID(str(owner["organization_id"])),
            owner["id"],
            HASH,
            asdict(conversation.engine),
            conversation.duration_us // 1000,
        )
        rows = [SpeakerRow(n, speakers.speaker_id(meeting_id, n), f"Speaker {n}") for n in conversation.speakers]
        await speakers.store(connection, meeting_id, rows)
        found = compute_answers(conversation)
        await insights.store(connection, meeting_id, found)
        await _store_others(connection, meeting_id, list(found), others)

    try:
        await database.run(work, patience_s=60)
        await database.run(lambda c: c.execute("ANALYZE"))
    finally:
        await database.close()


async def _store_others(connection: Any, meeting_id: UUID, families: list[str], others: int) -> None:
    """Files meetings of the same organization beside it: with few rows no database looks at an index."""
    await connection.execute(
        "INSERT INTO meetings (id, organization_id, user_id, file_hash, name, media_type, size_bytes, status, stage,"
        " created_at) SELECT gen_random_uuid(), m.organization_id, m.user_id, lpad(to_hex(n), 64, '0'), 'other',"
        " 'audio/flac', 1, 'ready', 'done', m.created_at - n * interval '1 minute'"
        " FROM meetings m, generate_series(1, $2) n WHERE m.id = $1",
        meeting_id,
        others,
    )
    ids = "SELECT id FROM meetings WHERE name = 'other'"
    await connection.execute(
        "INSERT INTO insights (meeting_id, family, definition_version, value)"
        f" SELECT o.id, f, '1', '{{}}' FROM ({ids}) o, unnest($1::text[]) f",
        families,
    )
    await connection.execute(
        "INSERT INTO speakers (id, meeting_id, label, alias)"
        f" SELECT gen_random_uuid(), o.id, n, 'Speaker' FROM ({ids}) o, generate_series(1, 4) n"
    )


async def timed(calls: int, timed_calls: dict[str, Callable[[], Awaitable[None]]]) -> dict[str, list[float]]:
    """Milliseconds of each call; the kinds take turns, so that all see the same machine."""
    found: dict[str, list[float]] = {name: [] for name in timed_calls}
    for turn in range(calls + 10):
        for name, call in timed_calls.items():
            start = time.perf_counter()
            await call()
            # The first turns open connections.
            if turn >= 10:
                found[name].append(1000 * (time.perf_counter() - start))
    return found


async def measure(hours: float, calls: int) -> dict[str, Any]:
    """The figures."""
    with running_system() as system:
        async with system.client() as client:
            token = await client.token()
            conversation = repeated(await stored_conversation(system, client, SAMPLE), hours)
            await store(system.database_url, system.email, conversation, others=OTHER_MEETINGS)
            headers = {"Authorization": f"Bearer {token}"}
            channel = aio.insecure_channel(system.gateway.removeprefix("http://"))
            health = health_pb2_grpc.HealthStub(channel)
            async with httpx.AsyncClient(base_url=system.gateway, headers=headers, timeout=60) as http:
                sizes: dict[str, int] = {}

                def get(path: str) -> Callable[[], Awaitable[None]]:
                    async def call() -> None:
                        answer = await http.get(path, params=None if "?" in path else {"file-hash": HASH})
                        answer.raise_for_status()
                        sizes[path] = len(answer.content)

                    return call

                async def echo() -> None:
                    await health.Check(health_pb2.HealthCheckRequest())

                requests = [f"{p}&file-hash={HASH}" if "?" in p else p for p in PATHS]
                times = await timed(calls, {"gRPC echo": echo, **{path: get(path) for path in requests}})
                async with statement_log(system) as log:
                    statements = {path: await log.statements_of(get(path)) for path in requests}
                    plans = {
                        sql: await log.plan(sql) for sql in dict.fromkeys(s for p in requests for s in statements[p])
                    }
            await channel.close()
    base = float(np.percentile(times["gRPC echo"], 50))
    rows = [
        {
            "name": name.split("&file-hash")[0],
            "p50_ms": round(float(np.percentile(values, 50)), 2),
            "p95_ms": round(float(np.percentile(values, 95)), 2),
            "ratio": round(float(np.percentile(values, 50)) / base, 2),
            "bytes": sizes.get(name, 0),
            "statements": len(statements.get(name, ())),
        }
        for name, values in times.items()
    ]
    scans = [{"statement": sql, "scans": found} for sql, found in plans.items()]
    return {"hours": hours, "calls": calls, "sentences": len(conversation.sentences), "rows": rows, "plans": scans}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rest", description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0, help="length of the meeting, hours")
    parser.add_argument("--calls", type=int, default=200, help="number of calls of each kind")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.hours, options.calls))
    print(f"{figures['hours']:g} hours, {figures['sentences']} sentences, {figures['calls']} calls of each")
    print(f"{'call':<62}{'p50 ms':>8}{'p95 ms':>8}{'x echo':>8}{'bytes':>10}{'SQL':>5}")
    for row in figures["rows"]:
        numbers = f"{row['p50_ms']:>8}{row['p95_ms']:>8}{row['ratio']:>8}{row['bytes']:>10}{row['statements']:>5}"
        print(f"{row['name']:<62}{numbers}")
    # BEGIN and COMMIT scan nothing.
    for plan in (p for p in figures["plans"] if p["scans"]):
        print(f"\n{' '.join(plan['statement'].split())}")
        print("\n".join(f"  {scan}" for scan in plan["scans"]))
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
