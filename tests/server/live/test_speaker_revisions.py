"""Speaker revisions: who took over whose published segments."""

from __future__ import annotations

import pytest
from meetra.v1 import live_pb2 as pb

from server.live.speaker_revisions import speaker_revisions

STABLE, PARTIAL, RETRACTED = pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_PARTIAL, pb.LIVE_TURN_STATE_RETRACTED
Change = tuple[pb.LiveTurn | None, pb.LiveTurn]


def turn(id_: int, speaker: str, state: pb.LiveTurnState.ValueType = STABLE) -> pb.LiveTurn:
    return pb.LiveTurn(segment_id=id_, speaker_id=speaker, state=state)


def kinds(changed: list[Change], before: set[str], after: set[str]) -> list[tuple[str, str, int, list[int]]]:
    revisions = speaker_revisions(changed, lambda: before, lambda: after, "nobody")
    return [(r.from_speaker_id, r.to_speaker_id, r.kind, list(r.segment_ids)) for r in revisions]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({"a", "b"}, {"b"}, pb.REVISION_KIND_MERGE),
        ({"a"}, {"a", "b"}, pb.REVISION_KIND_SPLIT),
        ({"a", "b"}, {"a", "b"}, pb.REVISION_KIND_REASSIGN),
    ],
    ids=["merge", "split", "reassign"],
)
def test_what_happened_follows_from_who_was_there_and_who_is(
    before: set[str], after: set[str], kind: pb.RevisionKind.ValueType
) -> None:
    changed: list[Change] = [(turn(2, "a"), turn(2, "b")), (turn(1, "a"), turn(1, "b"))]
    assert kinds(changed, before, after) == [("a", "b", kind, [1, 2])]


def test_only_segments_that_were_stable_and_stay_count_and_nobody_is_no_speaker() -> None:
    changed: list[Change] = [
        (None, turn(1, "b")),
        (turn(2, "a", PARTIAL), turn(2, "b")),
        (turn(3, "a"), turn(3, "b", RETRACTED)),
        (turn(4, "nobody"), turn(4, "b")),
        (turn(5, "a"), turn(5, "nobody")),
        (turn(6, "a"), turn(6, "a")),
    ]
    assert kinds(changed, {"a", "b"}, {"a", "b"}) == []
