"""Speaker revisions: which published segments are now told of another speaker."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable

from meetra.v1 import live_pb2 as pb


def speaker_revisions(
    changed: Iterable[tuple[pb.LiveTurn | None, pb.LiveTurn]],
    find_before: Callable[[], Collection[str]],
    find_after: Callable[[], Collection[str]],
    unknown: str,
) -> list[pb.SpeakerRevision]:
    """Return the speaker revisions of stable turns: reassigned, merged or split.

    Args:
        changed: each segment that changes, as it is published and as it becomes; None for a new one.
        find_before: returns the ids of the speakers of all published segments; called only where there are revisions.
        find_after: as ``find_before``, once the changes are published.
        unknown: id of the unknown speaker: whoever becomes known, or unknown, is no revision.
    """
    reassigned: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for published, turn in changed:
        if published is None or unknown in (published.speaker_id, turn.speaker_id):
            continue
        is_stable = published.state == pb.LIVE_TURN_STATE_STABLE and turn.state != pb.LIVE_TURN_STATE_RETRACTED
        if is_stable and published.speaker_id != turn.speaker_id:
            reassigned[published.speaker_id, turn.speaker_id].append(turn.segment_id)
    if not reassigned:
        return []
    before, after = find_before(), find_after()
    revisions = []
    successors = Counter(old for old, _ in reassigned)
    for (old, new), ids in sorted(reassigned.items()):
        kind = pb.REVISION_KIND_REASSIGN
        if old not in after and successors[old] == 1:
            kind = pb.REVISION_KIND_MERGE
        elif new not in before:
            kind = pb.REVISION_KIND_SPLIT
        revisions.append(pb.SpeakerRevision(from_speaker_id=old, to_speaker_id=new, kind=kind, segment_ids=sorted(ids)))
    return revisions
