"""What is stored of finished meetings, and in what two of the same audio differ."""

from __future__ import annotations

import json
from typing import Any

import asyncpg


async def result(connection: asyncpg.Connection[Any], file_hash: str) -> dict[str, Any]:
    """Everything that is stored of a finished meeting, but what names the meeting itself."""
    rows = await connection.fetch(
        "SELECT family, value FROM insights JOIN meetings ON id = meeting_id WHERE file_hash = $1", file_hash
    )
    document = await connection.fetchval(
        "SELECT document FROM conversations JOIN meetings ON id = meeting_id WHERE file_hash = $1", file_hash
    )
    conversation = numbered_in_order(json.loads(document))
    return {"conversation": conversation, **{row["family"]: json.loads(row["value"]) for row in rows}}


def numbered_in_order(conversation: dict[str, Any]) -> dict[str, Any]:
    """A stored conversation, its segments numbered from 1 in their order: ids of live ones leave room for tracks."""
    numbers = {segment["segment_id"]: place for place, segment in enumerate(conversation["segments"], 1)}
    parts = {
        name: [{**part, "segment_id": numbers[part["segment_id"]]} for part in conversation[name]]
        for name in ("segments", "sentences")
    }
    return {**conversation, **parts}


def differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """What differs: turns, words, sentences, and each family of scores."""
    a, b = first["conversation"], second["conversation"]
    found = [f"conversation.{name}" for name in a.keys() | b.keys() if a.get(name) != b.get(name)]
    return found + [
        name for name in first.keys() | second.keys() if name != "conversation" and first.get(name) != second.get(name)
    ]
