"""The published segments of a live meeting by time: who speaks around a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

from meetra.v1 import live_pb2 as pb

from server.conversation import Conversation, EngineCapabilities, Segment, Utterance, find_utterances
from server.live.speaker_names import UNKNOWN_SPEAKER_ID

BUCKET_MS = 10_000


def voice_of(turn: pb.LiveTurn) -> Hashable:
    """Return whose voice a turn is: the speaker, or of one who is unknown the track."""
    return turn.speaker_id if turn.speaker_id != UNKNOWN_SPEAKER_ID else (turn.track_id, turn.channel)


def speaker_id_of(voice: Hashable) -> str:
    """Return the UUID of a voice's speaker; the nil UUID where it is unknown."""
    return voice if isinstance(voice, str) else UNKNOWN_SPEAKER_ID


class PublishedSpeech:
    """The segments that are published, without retracted ones."""

    def __init__(self) -> None:
        self._segments: dict[int, pb.LiveTurn] = {}
        self._buckets: defaultdict[int, set[int]] = defaultdict(set)

    def put(self, turn: pb.LiveTurn) -> None:
        """Take the latest revision of a segment."""
        before = self._segments.pop(turn.segment_id, None)
        if before is not None:
            for bucket in _buckets(before.start_ms, before.end_ms):
                self._buckets[bucket].discard(turn.segment_id)
        if turn.state != pb.LIVE_TURN_STATE_RETRACTED:
            self._segments[turn.segment_id] = turn
            for bucket in _buckets(turn.start_ms, turn.end_ms):
                self._buckets[bucket].add(turn.segment_id)

    def get(self, segment_id: int) -> pb.LiveTurn | None:
        """Return a segment; None where it is retracted or unknown."""
        return self._segments.get(segment_id)

    def between(self, start_ms: int, end_ms: int) -> list[pb.LiveTurn]:
        """Return the segments that touch a span, by start."""
        ids = {id_ for bucket in _buckets(start_ms, end_ms) for id_ in self._buckets.get(bucket, ())}
        found = (self._segments[id_] for id_ in ids)
        touching = [turn for turn in found if turn.start_ms <= end_ms and turn.end_ms >= start_ms]
        return sorted(touching, key=lambda turn: (turn.start_ms, turn.end_ms, turn.segment_id))


def utterances_of(turns: Iterable[pb.LiveTurn]) -> dict[Hashable, list[Utterance]]:
    """Return the utterances of turns by voice, in the order of time; their ``speaker`` numbers the voices from 1."""
    numbers: dict[Hashable, int] = {}
    segments = [
        Segment(
            turn.segment_id,
            numbers.setdefault(voice_of(turn), len(numbers) + 1),
            turn.start_ms * 1000,
            turn.end_ms * 1000,
        )
        for turn in turns
    ]
    speech = Conversation(0, tuple(numbers.values()), tuple(segments), EngineCapabilities())
    found: dict[Hashable, list[Utterance]] = {voice: [] for voice in numbers}
    voices = {number: voice for voice, number in numbers.items()}
    for utterance in find_utterances(speech):
        found[voices[utterance.speaker]].append(utterance)
    return found


def _buckets(start_ms: int, end_ms: int) -> range:
    return range(start_ms // BUCKET_MS, end_ms // BUCKET_MS + 1)
