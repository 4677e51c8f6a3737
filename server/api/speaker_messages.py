"""Messages of speakers, as several services answer with them."""

from __future__ import annotations

from collections.abc import Iterable

from meetra.v1 import speakers_pb2 as pb

from server.storage import SpeakerRow


def speaker_messages(rows: Iterable[SpeakerRow], *, detailed: bool = False) -> list[pb.Speaker]:
    """Convert speakers, with ``detailed`` the source of their names too."""
    return [
        pb.Speaker(
            alias=row.alias,
            id=str(row.id),
            alias_source=pb.AliasSource.Value(f"ALIAS_SOURCE_{row.alias_source.upper()}") if detailed else None,
            alias_confidence=row.alias_confidence if detailed else None,
        )
        for row in rows
    ]
