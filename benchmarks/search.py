"""How much of what a search returns answers the question, and what a search costs.

    python -m benchmarks.search [--sentences 500000] [--show FILE] [--json FILE]

Precision: the 16 AMI meetings of the evaluation data (manual words, split into sentences as recognised words are) are
indexed in a PostgreSQL of its own, and 20 questions asked by words, by meaning, and by both. What answers was judged
by hand on the first ten of each way (``search_questions.json``: meeting and start of the sentence); what nobody judged
counts as wrong, and ``unjudged`` says how often that was. Baseline: PostgreSQL's own ``websearch_to_tsquery``, all
words of the question, ranked by ``ts_rank``; and any of its words likewise.

``--sentences``: the time of a search, milliseconds, over so many sentences of one organization, the AMI sentences over
and over. ``--show``: write what was found, to be judged.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median
from typing import Any
from uuid import UUID, uuid4

import numpy as np

from benchmarks.recordings import EVAL
from benchmarks.running_system import circumstances
from cli.database_roles import OWNER, RUNTIME, ensure_roles
from cli.free_port import free_port
from cli.postgres import STOP_SIGNAL, SUPERUSER, PostgresServer
from inference.models import TextEncoder
from inference.selection import load_default_models
from server.conversation import Conversation, EngineCapabilities, Segment, Word, split_sentences
from server.engine import SENTENCE_VECTORS, SentenceVector
from server.insights import compute_answers
from server.search import Search, SearchBy, Wanted, index_meeting
from server.storage import Connection, Database, SpeakerRow, migrate, speaker_id, speakers

QUESTIONS = Path(__file__).with_name("search_questions.json")
MODEL = f"{SENTENCE_VECTORS}benchmark"
DEPTH = 10
ALL_WORDS = "baseline: all words, ts_rank"
ANY_WORD = "baseline: any word, ts_rank"
BATCH = 64


class Encoder:
    """The sentence model of this process, as a search asks the engine for it."""

    def __init__(self, encode: TextEncoder) -> None:
        self.encode = encode

    async def sentence_vector(self, text: str, within_s: float) -> SentenceVector:
        """Return the vector of a text; however long it takes."""
        vectors = await asyncio.to_thread(self.encode, [text])
        return SentenceVector(MODEL, tuple(vectors[0].tolist()))


def ami_conversation(document: dict[str, Any]) -> Conversation:
    """The meeting as an engine would have heard it, words evenly over each utterance."""
    labels = {channel: label for label, channel in enumerate(sorted(document["speakers"]), start=1)}
    segments = []
    for number, utterance in enumerate(sorted(document["utterances"], key=lambda u: (u["start"], u["ch"]))):
        # The corpus spells LCD as L_C_D_.
        texts = utterance["text"].replace("_", "").split()
        start, step = utterance["start"] * 1e6, (utterance["end"] - utterance["start"]) * 1e6 / max(1, len(texts))
        words = tuple(
            Word(text, round(start + i * step), round(start + (i + 1) * step), None) for i, text in enumerate(texts)
        )
        segments.append(
            Segment(number, labels[utterance["ch"]], round(start), round(utterance["end"] * 1e6), words, language="en")
        )
    engine = EngineCapabilities(models=(MODEL,), languages=("en",))
    duration_us = max(segment.end_us for segment in segments)
    heard = Conversation(duration_us, tuple(labels.values()), tuple(segments), engine, language="en")
    return replace(heard, sentences=split_sentences(heard))


def with_vectors(conversation: Conversation, encode: TextEncoder) -> Conversation:
    """The same with the vector of each sentence."""
    texts = [sentence.text for sentence in conversation.sentences]
    vectors = np.concatenate([encode(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)])
    sentences = tuple(
        replace(sentence, vector=np.asarray(vector, "<f2").tobytes())
        for sentence, vector in zip(conversation.sentences, vectors, strict=True)
    )
    return replace(conversation, sentences=sentences)


@asynccontextmanager
async def own_database() -> AsyncIterator[tuple[Database, Database]]:
    """A PostgreSQL of its own: as the owner of its tables, and as the servers."""
    with tempfile.TemporaryDirectory(prefix="meetra-bench-") as folder:
        server = PostgresServer(Path(folder, "data"), free_port(), "a password for the benchmark")
        server.ensure_initialised()
        with Path(folder, "log").open("w") as log:
            process = subprocess.Popen(server.command(), stdout=log, stderr=log)
        try:
            superuser = await Database.connect(server.url(SUPERUSER), patience_s=120)
            roles = {OWNER: server.password, RUNTIME: server.password}
            await superuser.run(lambda c: ensure_roles(c, roles))
            await superuser.close()
            await migrate(server.url(OWNER))
            owner, runtime = await Database.connect(server.url(OWNER)), await Database.connect(server.url(RUNTIME))
            yield owner, runtime
            await owner.close()
            await runtime.close()
        finally:
            process.send_signal(STOP_SIGNAL)
            process.wait(timeout=120)


async def add_meeting(connection: Connection, organization_id: UUID, name: str, conversation: Conversation) -> None:
    """Store a ready meeting and index it."""
    meeting_id = uuid4()
    await connection.execute(
        "INSERT INTO meetings (id, organization_id, file_hash, name, media_type, size_bytes, status, stage)"
        " VALUES ($1, $2, $3, $4, 'audio/wav', 1, 'ready', 'done')",
        meeting_id,
        organization_id,
        hashlib.sha256(meeting_id.bytes).hexdigest(),
        name,
    )
    rows = [SpeakerRow(n, speaker_id(meeting_id, n), f"Speaker {n}") for n in conversation.speakers]
    await speakers.store(connection, meeting_id, rows)
    await index_meeting(connection, organization_id, meeting_id, conversation, compute_answers(conversation))


async def found_by(search: Search, organization_id: UUID, question: str, by: SearchBy) -> list[dict[str, Any]]:
    """The first results of a search."""
    answer = await search.find(organization_id, Wanted(question, by, limit=DEPTH))
    return [
        {
            "meeting": found.row.meeting_name,
            "start_ms": found.row.start_ms,
            "text": found.row.text,
            "similarity": found.row.similarity,
            "words": found.matched_words,
            "relevance": found.relevance,
        }
        for found in answer.found
    ]


async def found_by_baseline(
    database: Database, organization_id: UUID, question: str, *, any_word: bool
) -> list[dict[str, Any]]:
    """The first results of PostgreSQL's own text search."""
    query = "websearch_to_tsquery('english', $2)"
    if any_word:
        query = f"replace({query}::text, '&', '|')::tsquery"
    rows = await database.run(
        lambda c: c.fetch(
            f"SELECT m.name AS meeting, s.start_ms, s.text FROM search_sentences s"
            f" JOIN meetings m ON m.id = s.meeting_id WHERE s.organization_id = $1 AND s.words @@ {query}"
            f" ORDER BY ts_rank(s.words, {query}) DESC,"
            f" m.name, s.start_ms LIMIT {DEPTH}",
            organization_id,
            question,
        ),
        organization_id=organization_id,
    )
    return [dict(row) for row in rows]


def precision(found: list[dict[str, Any]], judged: dict[str, bool]) -> dict[str, float]:
    """Whether the first one answers, the shares of the first five and ten that do, and how many nobody judged."""
    right = [judged.get(place_of(one), False) for one in found] + [False] * DEPTH
    return {
        "first": float(right[0]),
        "of 5": fmean(right[:5]),
        "of 10": fmean(right[:DEPTH]),
        "unjudged": float(sum(place_of(one) not in judged for one in found)),
    }


def place_of(found: dict[str, Any]) -> str:
    """The name of a sentence among the judged ones."""
    return f"{found['meeting']} {found['start_ms']}"


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Index the meetings, ask the questions."""
    encode = load_default_models(threads=2, recogniser_workers=1).text_encoder
    questions = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    meetings = {}
    for path in sorted((EVAL / "text" / "ami").glob("*.json")):
        heard = ami_conversation(json.loads(path.read_text(encoding="utf-8")))
        meetings[path.stem] = await asyncio.to_thread(with_vectors, heard, encode)
    result: dict[str, Any] = {"meetings": len(meetings), "questions": len(questions)}
    result["sentences"] = sum(len(conversation.sentences) for conversation in meetings.values())
    async with own_database() as (owner, runtime):
        organization_id = uuid4()
        await owner.run(
            lambda c: c.execute("INSERT INTO organizations (id, name) VALUES ($1, 'Benchmark')", organization_id)
        )
        for name, conversation in meetings.items():
            await runtime.run(
                lambda c, n=name, m=conversation: add_meeting(c, organization_id, n, m),  # type: ignore[misc]
                organization_id=organization_id,
            )
        search = Search(runtime, Encoder(encode))
        shown, scores = [], dict[str, list[dict[str, float]]]()
        for question in questions:
            text, judged = question["question"], dict(question["judged"])
            found = {(by or "both"): await found_by(search, organization_id, text, by) for by in SearchBy}
            for name, any_word in ((ALL_WORDS, False), (ANY_WORD, True)):
                found[name] = await found_by_baseline(runtime, organization_id, text, any_word=any_word)
            for way, results in found.items():
                scores.setdefault(way, []).append(precision(results, judged))
            shown.append({"question": text, "found": found})
        result["precision"] = {
            way: {measure: round(fmean(one[measure] for one in all_of), 3) for measure in all_of[0]}
            for way, all_of in scores.items()
        }
        print(json.dumps(result["precision"], indent=1), flush=True)
        if arguments.show:
            arguments.show.write_text(json.dumps(shown, indent=1, ensure_ascii=False))
        if arguments.sentences:
            result["cost"] = await measure_cost(owner, runtime, search, organization_id, questions, arguments.sentences)
    return result


async def measure_cost(
    owner: Database, runtime: Database, search: Search, organization_id: UUID, questions: list[Any], sentences: int
) -> dict[str, Any]:
    """Milliseconds of a search over so many sentences."""
    known = await owner.run(lambda c: c.fetchval("SELECT count(*) FROM search_sentences"))
    copies = max(0, -(-sentences // known) - 1)

    async def copy(connection: Connection) -> None:
        await connection.execute("SELECT set_config('meetra.organization', $1, true)", str(organization_id))
        await connection.execute(
            "CREATE TEMPORARY TABLE copied ON COMMIT DROP AS SELECT id AS old, gen_random_uuid() AS id FROM meetings"
            " WHERE name NOT LIKE 'copy %'"
        )
        await connection.execute(
            "INSERT INTO meetings (id, organization_id, file_hash, name, media_type, size_bytes, status, stage)"
            " SELECT c.id, organization_id, encode(sha256(c.id::text::bytea), 'hex'), 'copy ' || name, media_type, 1,"
            " status, stage FROM copied c JOIN meetings m ON m.id = c.old"
        )
        await connection.execute(
            "INSERT INTO search_meetings (meeting_id, organization_id, version, sentences, model, sketches)"
            " SELECT c.id, organization_id, version, sentences, model, sketches FROM copied c"
            " JOIN search_meetings m ON m.meeting_id = c.old"
        )
        await connection.execute(
            "INSERT INTO search_sentences SELECT c.id, organization_id, number, speaker, start_ms, end_ms, language,"
            " topic, topic_key, text, configuration, words, model, vector FROM copied c"
            " JOIN search_sentences s ON s.meeting_id = c.old"
        )

    for _ in range(copies):
        await owner.run(copy)
    await owner.run(lambda c: c.execute("ANALYZE"))
    size = await owner.run(lambda c: c.fetchval("SELECT pg_total_relation_size('search_sentences')"))
    count = await owner.run(lambda c: c.fetchval("SELECT count(*) FROM search_sentences"))
    cost: dict[str, Any] = {"sentences": count, "bytes of a sentence": round(size / count)}
    for by in SearchBy:
        times = []
        for question in questions:
            started = time.perf_counter()
            await search.find(organization_id, Wanted(question["question"], by))
            times.append((time.perf_counter() - started) * 1000)
        cost[f"{by or 'both'}: median ms"] = round(median(times))
        cost[f"{by or 'both'}: longest ms"] = round(max(times))
    return cost


def main() -> int:
    """Measure and print; 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=0)
    parser.add_argument("--show", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    result = {**asyncio.run(measure(arguments)), "circumstances": circumstances()}
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
