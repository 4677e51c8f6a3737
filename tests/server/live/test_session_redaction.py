"""A live meeting with planted words: they are in no event, no row of any table, and nothing that leaves the server."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from meetra.inference.v2 import session_pb2
from meetra.v1 import live_pb2 as pb

from server.live.config import LiveTrack
from server.live.event_log import read_events
from server.storage import organizations
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.analysis.test_llm_summaries import Endpoint, endpoint
from tests.server.live.live_configs import PARTICIPANT, PCM, of_tracks
from tests.server.live.scripted_engine import PARTIAL, Session, progress, scripted_engine, turn
from tests.server.live.test_session import caller_of, server_of, until

__all__ = ["endpoint"]

# In German, which needs no text models.
SAID = (
    "hier ist Zacharias und meine Nummer ist 0171 3920 1577 danke",
    "die Karte ist 4556 7375 8689 9855 danke und meine Mail ist planck at quanten punkt de bitte",
    "die IBAN ist DE89 3704 0044 0532 0130 00 und Zacharias kennt sie",
)
MARKERS = ("zacharias", "3920", "1577", "7375", "8689", "planck", "quanten", "3704", "0532")
# Hashes, ids, and the microseconds of moments.
BY_CHANCE = re.compile(r"[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=:\d\d)\.\d{1,6}")
CONFIG = replace(
    of_tracks([LiveTrack("", PARTICIPANT, "Zacharias Planck", PCM, 0)], name="Zacharias ruft an: +491713920157"),
    language="de",
    key_terms=("Planck",),
    redact="name,phone",
)


def markers_in(text: str) -> list[str]:
    """The planted words in a text; what may hold their digits by chance is left out."""
    said = BY_CHANCE.sub("", text.lower())
    return [marker for marker in MARKERS if marker in said]


def german(number: int, text: str, state: session_pb2.TurnState.ValueType) -> session_pb2.Turn:
    said = turn(number, 12 * number, 12 * number + 8, text, state=state)
    said.language = "de"
    return said


def speak(session: Session) -> None:
    """Each turn word by word, then whole."""
    for number, text in enumerate(SAID):
        words = text.split()
        for count in range(1, len(words) + 1):
            part = german(number, text, PARTIAL)
            del part.words[count:]
            part.end_us = part.words[-1].end_us
            session.say(part, progress(part.end_us / 1e6, part.end_us / 1e6, 0, "de", 0.9))
        end_s = 12 * number + 11
        session.say(german(number, text, session_pb2.TURN_STATE_STABLE), progress(end_s, end_s, end_s, "de", 0.9))


async def test_what_is_redacted_is_stored_nowhere_and_leaves_nowhere(
    owner: Database,
    database: Database,
    tmp_path: Path,
    endpoint: Endpoint,
) -> None:
    caller = await caller_of(owner)
    await owner.run(lambda c: organizations.set_policy(c, caller.organization_id, {"redact": "email,card,iban"}))
    endpoint.reply = (500, b"")
    limits: dict[str, Any] = {"summary_url": f"http://127.0.0.1:{endpoint.server_port}/v1", "summary_model": "m"}
    async with scripted_engine() as (engine, address), server_of(database, tmp_path, address, **limits) as held:
        meeting = await held.open(CONFIG, caller)
        row = meeting.row
        await meeting.audio.append(meeting.audio.logs[0], bytes(2 * RATE_HZ * 40))
        session = await engine.session()
        # The recogniser needs the names.
        assert list(session.config.key_terms) == ["Zacharias Planck", "Planck"]
        speak(session)

        async def heard() -> bool:
            events = await read_events(database, row, 0)
            return any(event.turn.segment_id == 3 for event in events)

        await until(heard)
        during = await read_events(database, row, 0)
        meeting.finish()
        await session.conclude(*(german(n, text, session_pb2.TURN_STATE_FINAL) for n, text in enumerate(SAID)))

        async def finished() -> bool:
            return (await read_events(database, row, meeting.events.last_seq - 1))[-1:] != [] and (
                meeting.state.name == "CONCLUDED"
            )

        await until(finished)
        after = await read_events(database, row, 0)
    assert after[-1].finished.status == "ready"
    assert [str(event) for event in [*during, *after] if markers_in(str(event))] == []
    assert {event.turn.alias for event in after if event.HasField("turn")} == {"Speaker 1"}
    assert last_words(after) == [
        "hier ist [NAME] und meine Nummer ist [PHONE] danke",
        "die Karte ist [CARD] danke und meine Mail ist [EMAIL] bitte",
        "die IBAN ist [IBAN] und [NAME] kennt sie",
    ]
    (asked,) = endpoint.asked
    assert markers_in(json.dumps(asked)) == []
    assert "[CARD]" in json.dumps(asked)
    found = [(table, markers_in(text)) for table, text in await all_rows(owner) if markers_in(text)]
    assert found == []


def last_words(events: list[pb.LiveEvent]) -> list[str]:
    last = {event.turn.segment_id: event.turn for event in events if event.HasField("turn")}
    return [" ".join(word.text for word in last[id_].words) for id_ in sorted(last)]


async def all_rows(owner: Database) -> list[tuple[str, str]]:
    """Every row of every table, each column as text; binary ones as they are."""
    tables = await owner.run(
        lambda c: c.fetch("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    )
    found = []
    for table in [row["table_name"] for row in tables]:
        rows = await owner.run(lambda c, name=table: c.fetch(f"SELECT * FROM {name}"))  # type: ignore[misc]
        for row in rows:
            texts = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in row.values()]
            found.append((table, "\n".join(texts)))
    assert {"meetings", "live_events", "live_meetings", "conversations", "insights", "speakers"} <= {
        t for t, _ in found
    }
    return found


@pytest.mark.parametrize("marker", MARKERS)
def test_each_marker_is_planted(marker: str) -> None:
    assert markers_in(" ".join(SAID)).count(marker) == 1
